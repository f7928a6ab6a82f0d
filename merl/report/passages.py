"""What a phrase rests on, as people read it: the passages that it cites, and where those were published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from merl.ckepe.prompt_set import Phrase, Rejected
from merl.knowledge.citations import Citation
from merl.knowledge.entries import Source

Says = Literal["same words", "names", "says", "unknown"]
_NAMES = {"name", "synonym"}  # kinds of passages that are the vocabulary itself


@dataclass(frozen=True)
class CitedPassage:
    """One passage that a phrase cites.

    Attributes:
        id: of the passage.
        says: whether it says the phrase in the same words, names a concept, says something in other words,
            or is unknown here. The words are those of the knowledge base, never of the source.
        cited: the passage with its concept and place; ``None`` where it is unknown.
        source: where it was published; ``None`` for names, which are the vocabulary itself, and for other
            sources than our own.
    """

    id: str
    says: Says
    cited: Citation | None = None
    source: Source | None = None


def cited_passages(
    phrase: Phrase | Rejected, known: Mapping[str, Citation], sources: Mapping[str, Source]
) -> list[CitedPassage]:
    """Return what a phrase cites, in its order."""
    found = []
    for key in phrase.sources:
        cited = known.get(key)
        if cited is None:
            found.append(CitedPassage(key, "unknown"))
            continue
        says: Says = "says"
        if cited.passage.kind in _NAMES:
            says = "names"
        elif cited.passage.text.casefold().split() == phrase.text.casefold().split():
            says = "same words"
        found.append(CitedPassage(key, says, cited, sources.get(cited.passage.source or "")))
    return found
