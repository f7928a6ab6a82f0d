"""Review pages that were sent as files: what comes back of them, and what stays in the browser."""

import json

import pytest

from merl.ckepe.prompt_set import Generator, PromptSet
from merl.cli import main
from merl.files import sha256
from merl.report.prompt_page import prompt_page
from tests.report.test_prompt_page import ANNA, BERT, faultless, phrases

pytestmark = pytest.mark.browser


def merl(*arguments):
    """Run a command that succeeds."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in ("prompts", *arguments)])
    assert not stopped.value.code


def test_a_page_that_was_sent_comes_back_as_a_file(visit, prompt_file, tmp_path, capsys):
    merl("show", prompt_file, "--html", tmp_path / "out.html")
    seen = visit(tmp_path / "out.html")
    page = seen.page
    page.fill("#by", ANNA)
    page.check("#p0-0 .tick input")
    page.click("#p0-3 .remove")
    with page.expect_download() as kept:
        page.click("#save")
    assert kept.value.suggested_filename == "mine-mine.review.json"
    assert len(json.loads(kept.value.path().read_text())["decisions"]) == 2
    merl("review", prompt_file, "--sheet", kept.value.path())
    assert f"review by {ANNA} saved; 1 of 5 phrases are agreed to" in capsys.readouterr().out
    assert len(phrases(prompt_file)) == 3
    assert faultless(seen)


def test_pages_that_were_sent_keep_their_drafts_apart(visit, prompt_file, tmp_path):
    """All pages opened from files share one store; two of them are opened here in one place."""
    prompts = PromptSet.load(prompt_file)
    of = {name: prompts.model_copy(update={"label_set": name}) for name in ("one", "two")}
    of["changed"] = of["one"].model_copy(update={"generator": Generator(kind="manual")})

    def turn_to(name):
        of[name].save(prompt_file)
        page = prompt_page(of[name], file=prompt_file.name, sha256=sha256(prompt_file))
        (tmp_path / "out.html").write_text(page)

    turn_to("one")
    page = visit(tmp_path / "out.html").page
    page.on("dialog", lambda dialog: dialog.accept())
    page.check("#p0-0 .tick input")
    for name in ("two", "changed"):
        turn_to(name)
        page.reload()
        assert page.inner_text("#count") == "0 of 6 ticked"
        page.check("#p0-1 .tick input")
    turn_to("one")
    page.reload()
    assert page.is_checked("#p0-0 .tick input")
    assert not page.is_checked("#p0-1 .tick input")


def test_two_reviews_of_one_page_that_was_sent_are_both_put_in(visit, prompt_file, tmp_path, capsys):
    merl("show", prompt_file, "--html", tmp_path / "out.html")
    for by, place in ((ANNA, "anna.json"), (BERT, "bert.json")):
        page = visit(tmp_path / "out.html").page
        page.fill("#by", by)
        page.check("#p0-0 .tick input")
        page.click("#p0-3 .remove") if by == ANNA else page.check("#p0-3 .tick input")
        with page.expect_download() as kept:
            page.click("#save")
        kept.value.save_as(tmp_path / place)
    for place in ("anna.json", "bert.json"):
        merl("review", prompt_file, "--sheet", tmp_path / place)
    assert "no longer has the phrase: 'AFIB', 'a foreign phrase', agreed to\n" in capsys.readouterr().out
    assert phrases(prompt_file)[0].agreed == (ANNA, BERT)
