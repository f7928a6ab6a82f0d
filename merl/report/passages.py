"""What a phrase rests on, as people read it: the passages that it cites, and where those were published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from merl.ckepe.prompt_set import Phrase, Rejected
from merl.knowledge.citations import Citation
from merl.knowledge.entries import Source

_NAMES = {"name", "synonym"}  # kinds of passages that are the vocabulary itself


@dataclass(frozen=True)
class CitedPassage:
    """What a phrase rests on, as it is read: one passage that it cites.

    Attributes:
        id: of the passage.
        says: what the passage is: ``same words``, ``names``, ``says``, or ``unknown`` where there is none.
        text: of the passage.
        concept: the name of its entry.
        key: of the published source; ``None`` for names.
        source: that source.
        place: section or table of it.
    """

    id: str
    says: Literal["same words", "names", "says", "unknown"]
    text: str = ""
    concept: str = ""
    key: str | None = None
    source: Source | None = None
    place: str | None = None


def cited_passages(
    phrase: Phrase | Rejected, known: Mapping[str, Citation], sources: Mapping[str, Source]
) -> list[CitedPassage]:
    """Return what a phrase cites, in its order."""
    found = []
    for key in phrase.sources:
        if key not in known:
            found.append(CitedPassage(key, "unknown"))
            continue
        cited = known[key]
        passage = cited.passage
        same = " ".join(passage.text.casefold().split()) == " ".join(phrase.text.casefold().split())
        says = "names" if passage.kind in _NAMES else "same words" if same else "says"
        found.append(
            CitedPassage(
                key,
                says,
                passage.text,
                cited.concept,
                passage.source,
                sources.get(passage.source or ""),
                cited.place,
            )
        )
    return found
