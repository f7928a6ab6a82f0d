import pytest

from merl.knowledge.entries import load_entries
from merl.knowledge.rephrasing import Rephraser, Rephrasings


@pytest.fixture(scope="module")
def rephraser():
    return Rephraser(load_entries())


def test_a_statement_is_said_by_other_names_broader_concepts_and_findings(rephraser):
    entry = load_entries()["1AVB"]
    found = rephraser.rephrase("First degree AV block with narrow QRS")
    assert "first degree heart block with narrow qrs" in found.synonyms
    assert "first degree heart block" in found.synonyms
    assert "first degree av block with narrow qrs" not in found.synonyms
    assert {load_entries()[parent].name.lower() for parent in entry.is_a} <= set(found.broader)
    assert {finding.text.lower() for finding in entry.findings} <= set(found.findings)


@pytest.mark.parametrize(
    "doubt",
    ["possible", "no", "cannot rule out", "likely", "may be", "consistent with", "absence of", "otherwise"],
)
def test_what_is_doubted_or_denied_keeps_its_doubt_and_gets_no_findings(rephraser, doubt):
    found = rephraser.rephrase(f"{doubt} first degree av block")
    assert found.synonyms
    assert all(text.startswith(doubt) for text in found.synonyms)
    assert not found.broader
    assert not found.findings


def test_the_longest_name_counts_and_spelling_does_not(rephraser):
    one, other = (
        rephraser.rephrase("incomplete right bundle branch block"),
        rephraser.rephrase("1st degree AV-block"),
    )
    assert not any("complete right bundle" in text and "incomplete" not in text for text in one.synonyms)
    assert "first degree heart block" in other.synonyms


def test_a_part_of_it_is_not_the_whole(rephraser):
    found = rephraser.rephrase("right bundle branch block, incomplete")
    assert not found.findings
    assert all("incomplete" in text for text in found.synonyms)
    assert rephraser.rephrase("incomplete right bundle branch block").findings


def test_a_sentence_that_names_nothing_stays_alone(rephraser):
    assert rephraser.rephrase("trace of good quality") == Rephrasings()
