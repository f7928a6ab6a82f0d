import re
from html.parser import HTMLParser

import pytest

from merl.evaluation.result import Result
from merl.report.page import render, save_report
from tests.report.comparisons import HOSTILE, compare

SKILLS = {"plain": 0.5, "template": 1, "mine": 3, "shuffled": 0}


class Elements(HTMLParser):
    """Counts the elements and keeps the texts of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.ids, self.links, self.text = [], [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        known = dict(attrs)
        self.ids += [known["id"]] if "id" in known else []
        self.links += [known["href"]] if "href" in known else []

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page():
    return render(compare(["A/1", "B"], SKILLS))


def test_it_says_what_was_measured(page):
    text = " ".join(Elements(page).text.split())
    for said in (
        "mine beats plain",
        "40 ECGs of 40 patients, Toy data, split val",
        "in distribution",
        "Not a medical device",
        "f" * 64,
        "Controls: what has to be beaten",
        "its classes shuffled",
        "25 mm/s 10 mm/mV",
        "finding 3 of A/1 in mine",
        "Differences, paired by patient, are against plain unless they say otherwise; p values are by Holm",
        "Macro average precision",
        "martian rhythm",
        "no passage of B",
        "says too much",
        "passage ecg:A/1#findings/0 finding of concept. In our words, citing A book (2000), p. 1;"
        " source not opened",
    ):
        assert said in text


def test_every_link_within_the_page_leads_somewhere(page):
    seen = Elements(page)
    assert len(seen.ids) == len(set(seen.ids))
    inside = {link[1:] for link in seen.links if link.startswith("#")}
    assert inside
    assert inside <= set(seen.ids)


def test_nothing_is_loaded_from_anywhere(page):
    assert not re.search(r"(src|srcset|action|data|poster)=[\"']", page)
    assert not re.search(r"@import|url\((?!#)", page)
    assert set(re.findall(r"""href=["']([^#"'][^"']*)""", page)) == {"https://doi.org/10.1/x"}


def test_no_text_becomes_markup():
    plain, hostile = (render(compare(["A"], SKILLS, hostile=flag)) for flag in (False, True))
    assert Elements(hostile).tags == Elements(plain).tags
    assert "alert(1)</script>" not in hostile
    assert HOSTILE in Elements(hostile).text


def test_an_ecg_is_drawn_once(page):
    drawn = re.findall(r'<g id="(ecg-\d+)">', page)
    again = re.findall(r'<use href="#(ecg-\d+)"/>', page)
    assert again
    assert set(again) <= set(drawn)
    assert page.count('class="trace"') == len(drawn)


def test_an_ecg_that_is_too_tall_for_paper_says_how_large_it_is_printed(monkeypatch, page):
    assert "of the true size" not in page
    monkeypatch.setattr("merl.report.sections.PRINTED_HEIGHT", 100)
    assert re.search(r"Printed at \d\d % of the true size", render(compare(["A"], {"mine": 1})))


def test_what_the_linter_says_of_a_whole_set_is_shown_and_its_silence_too():
    data = compare(["A", "B"], {"plain": 1, "mine": 2}).model_dump(mode="json", by_alias=True)
    plain, mine = data["evidence"]["prompt_sets"].values()
    whole = {"kind": "shared", "severity": "warning", "text": None, "message": "says one thing of all"}
    mine["remarks"], plain["remarks"] = {"": [whole]}, None
    text = Elements(render(Result.model_validate(data))).text
    assert text.count("says one thing of all") == 1
    assert text.count("The linter has nothing to say.") == text.count("Nobody asked the linter.") == 2


def test_a_result_without_evidence_shows_its_figures():
    page = render(compare(["A", "B"], SKILLS, evidence=False))
    assert "This result carries the figures alone" in page
    assert "mine beats plain" in page


def test_one_prompt_set_needs_no_other():
    page = render(compare(["A", "B"], {"mine": 2}))
    assert "mine reaches a macro AUROC" in page
    assert "Forest plot" not in page


def test_a_result_read_from_its_file_makes_the_same_page(tmp_path, page):
    compare(["A/1", "B"], SKILLS).save(tmp_path / "result.json")
    save_report(Result.load(tmp_path / "result.json"), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == page
