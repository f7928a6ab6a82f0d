"""The page on which a clinician reads a prompt set beside its evidence, and ticks and corrects it."""

from __future__ import annotations

from typing import get_args

from merl.ckepe.prompt_set import Polarity, PromptSet, Role
from merl.ckepe.reviewing import LONGEST, SHEET
from merl.knowledge.citations import citations
from merl.knowledge.entries import load_entries, load_sources
from merl.report.passages import cited_passages
from merl.report.self_contained import part, policy, render

_STYLE, _SCRIPT = ("base.css", "prompts.css"), "prompts.js"


def prompt_page(
    prompt_set: PromptSet, *, file: str, sha256: str, place: str = "", token: str | None = None
) -> str:
    """Write the page.

    Args:
        prompt_set: what is shown.
        file: how the file is called.
        sha256: of that file, by which a review knows what it is about.
        place: tells drafts of several files apart; the file's name by default.
        token: of the server that saves; without one the page keeps a review as a file to send.

    Returns:
        HTML that asks nothing of any other place.
    """
    known, sources = citations(), load_sources()
    cited = [known[key] for item in prompt_set.classes.values() for key in item.cited if key in known]
    used = {item.passage.source for item in cited if item.passage.source}
    entries = load_entries()
    concepts = {item.passage.entry for item in cited}
    facts = {
        "schema": SHEET,
        "file": file,
        "place": place or file,
        "sha256": sha256,
        "token": token,
    }
    return render(
        "prompts.html",
        style=part(*_STYLE),
        script=part(_SCRIPT),
        policy=page_policy(saves=token is not None),
        calls={"evidence": lambda phrase: cited_passages(phrase, known, sources)},
        prompts=prompt_set,
        file=file,
        facts=facts,
        roles=get_args(Role),
        polarities=get_args(Polarity),
        longest=LONGEST,
        sources={key: sources[key] for key in sorted(used)},
        signed=sum(entries[key].clinically_reviewed for key in concepts),
        concepts=len(concepts),
        phrases=sum(len(item.prompts) for item in prompt_set.classes.values()),
    )


def page_policy(*, saves: bool) -> str:
    """Return the content security policy of the page; only one that saves may send anything."""
    return policy(part(*_STYLE), part(_SCRIPT), connect=saves)
