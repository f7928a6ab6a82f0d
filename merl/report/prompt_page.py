"""The page on which a clinician reads a prompt set beside its evidence, and ticks and corrects it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from merl.ckepe.prompt_set import Polarity, PromptSet, Role
from merl.ckepe.reviewing import LONGEST, SHEET
from merl.knowledge.citations import cite
from merl.knowledge.entries import load_entries, load_sources
from merl.report.passages import cited_passages
from merl.report.self_contained import part, policy, render

if TYPE_CHECKING:
    from merl.knowledge.index import KnowledgeIndex

_STYLE, _SCRIPT = ("base.css", "prompts.css"), "prompts.js"


def prompt_page(
    prompt_set: PromptSet,
    *,
    file: str,
    sha256: str,
    place: str = "",
    token: str | None = None,
    index: KnowledgeIndex | None = None,
) -> str:
    """Write the page.

    Args:
        prompt_set: what is shown.
        file: how the file is called.
        sha256: of that file, by which a review knows what it is about.
        place: tells drafts of several files apart; by default label set, name and content of the file do,
            since all pages opened from files share one store.
        token: of the server that saves; without one the page keeps a review as a file to send.
        index: the knowledge that passages of other sources come from.

    Returns:
        HTML that asks nothing of any other place.
    """
    facts = {
        "schema": SHEET,
        "label_set": prompt_set.label_set,
        "file": file,
        "sha256": sha256,
        "token": token,
    }
    facts["place"] = place or f"{prompt_set.label_set} {file} {sha256}"
    return render(
        "prompts.html",
        style=part(*_STYLE),
        script=part(_SCRIPT),
        policy=page_policy(saves=token is not None),
        prompts=prompt_set,
        phrases=sum(len(item.prompts) for item in prompt_set.classes.values()),
        file=file,
        facts=facts,
        roles=get_args(Role),
        polarities=get_args(Polarity),
        longest=LONGEST,
        **_knowledge(prompt_set, index),
    )


def _knowledge(prompt_set: PromptSet, index: KnowledgeIndex | None) -> dict[str, Any]:
    """What the page shows of the knowledge: passages by phrase, their sources, and who signed the entries."""
    known = cite((key for item in prompt_set.classes.values() for key in item.cited), index)
    sources, entries = load_sources(), load_entries()
    used = {item.passage.source for item in known.values()}
    concepts = {item.passage.entry for item in known.values()} & entries.keys()
    return {
        "calls": {"evidence": lambda phrase: cited_passages(phrase, known, sources)},
        "sources": {key: source for key, source in sources.items() if key in used},
        "signed": sum(entries[key].clinically_reviewed for key in concepts),
        "concepts": len(concepts),
    }


def page_policy(*, saves: bool) -> str:
    """Return the content security policy of the page; only one that saves may send anything."""
    return policy(part(*_STYLE), part(_SCRIPT), connect=saves)
