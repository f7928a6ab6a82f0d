import random

import numpy as np
import pytest

from merl.knowledge.entries import load_entries
from merl.knowledge.rephrasing import Rephraser
from merl.pretraining.pairs import ReportTexts
from merl.pretraining.shown import ShownFindings

REPORTS = ["sinus rhythm. left axis deviation", "atrial fibrillation", "sinus rhythm. left axis deviation"]


@pytest.fixture(scope="module")
def plain():
    return ReportTexts.collect(REPORTS)


@pytest.fixture(scope="module")
def rephrased():
    return ReportTexts.collect(REPORTS, Rephraser(load_entries()))


@pytest.fixture(scope="module")
def shown():
    """The second record alone shows irregular RR intervals, the other two a left axis."""
    true = np.array([[0, 1], [1, 0], [0, 1]], bool)
    texts = ["irregular rr intervals", "qrs axis beyond -30 degrees"]
    return ShownFindings(texts, np.array([0, 1]), np.ones(2), np.packbits(true, axis=1))


def test_each_distinct_text_is_numbered_once(plain):
    assert sorted(plain.texts) == ["atrial fibrillation", "left axis deviation", "sinus rhythm", REPORTS[0]]
    assert plain.full[0] == plain.full[2] != plain.full[1]


def test_a_report_and_its_sentences_are_true_of_it(plain):
    for row, report in enumerate(REPORTS):
        true = {plain.texts[column] for column in plain.true_of[row].indices}
        assert true == {report, *report.split(". ")}


def test_other_words_are_true_of_every_record_that_says_so(rephrased):
    broad = rephrased.texts.index("abnormal left axis")
    assert rephrased.true_of[:, [broad]].toarray().ravel().tolist() == [True, False, True]
    same = rephrased.same(np.array([0, 1]), np.array([broad, rephrased.full[1]]))
    assert same.tolist() == [[True, False], [False, True]]


def test_draws_keep_to_the_record_and_to_the_shares(rephrased):
    records = np.array([0, 1] * 200)

    def drawn(sentence_share, rephrase_share):
        rng = random.Random(0)
        return rephrased.draw(records, rng, sentence_share=sentence_share, rephrase_share=rephrase_share)

    assert (drawn(0, 1) == rephrased.full[records]).all()
    mixed = drawn(0.8, 0.5)
    assert all(rephrased.true_of[record, text] for record, text in zip(records, mixed, strict=True))
    said = {text for report in REPORTS for text in (report, *report.split(". "))}
    other = np.array([rephrased.texts[text] not in said for text in mixed])
    assert 0.3 < other.mean() < 0.5  # 0.8 times 0.5
    whole = (mixed == rephrased.full[records])[records == 0].mean()
    assert 0.12 < whole < 0.28


def test_rare_sentences_are_drawn_more_often_where_that_is_asked_for():
    texts = ReportTexts.collect(
        ["sinus rhythm. right atrial enlargement", *["sinus rhythm. normal ecg"] * 15]
    )
    rare = texts.texts.index("right atrial enlargement")

    def share(balance):
        drawn = texts.draw(
            np.zeros(2000, np.int64), random.Random(0), sentence_share=1, sentence_balance=balance
        )
        return (drawn == rare).mean()

    assert share(0.0) == pytest.approx(0.5, abs=0.05)
    assert share(0.5) == pytest.approx(4 / 5, abs=0.05)  # 1 record says the one, 16 the other


def test_findings_of_the_waveform_stand_for_reports_as_often_as_asked(shown):
    texts = ReportTexts.collect(REPORTS, shown=shown)
    records = np.array([0, 1, 2] * 200)
    drawn = texts.draw(records, random.Random(0), sentence_share=0, findings_share=0.4)
    findings = np.isin([texts.texts[text] for text in drawn], shown.texts)
    assert findings.mean() == pytest.approx(0.4, abs=0.06)
    assert (drawn[~findings] == texts.full[records[~findings]]).all()
    assert texts.same(records, drawn).numpy().diagonal().all()


def test_every_record_that_shows_a_finding_is_one_it_is_true_of(shown):
    texts = ReportTexts.collect(REPORTS, shown=shown)
    axis, rhythm = texts.texts.index(shown.texts[1]), texts.texts.index("atrial fibrillation")
    same = texts.same(np.array([0, 1, 2]), np.array([axis, rhythm]))
    assert same.tolist() == [[True, False], [False, True], [True, False]]


def test_without_a_share_the_draws_are_those_without_findings(plain, shown):
    records = np.array([0, 1, 2] * 20)
    with_findings = ReportTexts.collect(REPORTS, shown=shown)
    one = plain.draw(records, random.Random(0), sentence_share=0.5)
    assert (with_findings.draw(records, random.Random(0), sentence_share=0.5) == one).all()
