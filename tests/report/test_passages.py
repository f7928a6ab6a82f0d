"""Whose words are shown: those of the knowledge base are not put into the mouth of what it cites."""

import pytest

from merl.ckepe.prompt_set import PromptSet
from merl.files import sha256
from merl.knowledge.citations import citations
from merl.knowledge.entries import load_sources
from merl.report.page import render
from merl.report.passages import cited_passages
from merl.report.prompt_page import prompt_page
from tests.report.comparisons import compare


@pytest.fixture
def phrase(prompt_file):
    """A phrase in the very words of the passage that it cites."""
    path = "ecg:AFIB#findings/0"
    text = citations()[path].passage.text
    phrase = PromptSet.load(prompt_file).classes["AFIB"].prompts[1]
    return phrase.model_copy(update={"text": text})


def test_a_passage_says_whether_its_source_was_opened(phrase):
    (found,) = cited_passages(phrase, citations(), load_sources())
    assert (found.says, found.cited.source_checked) == ("same words", False)
    (name,) = cited_passages(phrase.model_copy(update={"sources": ("ecg:AFIB#name",)}), citations(), {})
    assert (name.says, name.cited.source_checked) == ("names", None)


def test_no_publication_is_quoted(phrase, prompt_file):
    prompt_set = PromptSet.load(prompt_file)
    afib = prompt_set.classes["AFIB"]
    afib = afib.model_copy(update={"prompts": (phrase, *afib.prompts[1:])})
    prompt_set = prompt_set.model_copy(update={"classes": {"AFIB": afib}})
    review = prompt_page(prompt_set, file="mine.yaml", sha256=sha256(prompt_file))
    assert "Our knowledge base says the same, citing" in review
    assert review.count("; source not opened") == 3
    for page in (review, render(compare(["A"], {"plain": 1, "mine": 3}))):
        assert "Word for word" not in page
        assert "<q>" not in page
