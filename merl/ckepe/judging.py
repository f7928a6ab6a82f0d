"""One phrase of a class judged by the passages of the class, whatever it cites itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from merl.ckepe.claims import read_claim
from merl.ckepe.concepts import Concept
from merl.ckepe.grounds import Ground, words_of
from merl.ckepe.pieces import pieces
from merl.ckepe.prompt_set import Phrase
from merl.ckepe.said import denied, still_open
from merl.ckepe.verifier import Likeness, Strictness, Verdict, about_class, unfit, verify
from merl.knowledge.embedders import Embedder
from merl.knowledge.lookup import normalise
from merl.knowledge.passages import Passage

MOST_CITED = 4
_NOTHING = "no passage of this class says anything of the kind"


@dataclass(frozen=True)
class Judgement:
    """Whether the knowledge supports one phrase of a class, with the passages it rests on.

    Attributes:
        code: the class.
        phrase: as given, with ``sources`` filled in where it is supported.
        reason: why it is not supported; ``None`` where it is.
    """

    code: str
    phrase: Phrase
    reason: str | None

    @property
    def supported(self) -> bool:
        """Whether the phrase stands."""
        return self.reason is None


def judge(
    concept: Concept,
    phrase: Phrase,
    retrieved: Mapping[str, Passage],
    *,
    siblings: Mapping[str, Collection[str]],
    seen: Collection[str] = (),
    likeness: Likeness | None = None,
    strictness: Strictness = "strict",
) -> Judgement:
    """Judge a phrase by what it cites, then by whatever else was retrieved.

    A phrase of several statements stands if each of them does. Who cites the passage next to the right one
    has said nothing false: what counts is that a passage says it.

    Args:
        concept: the class.
        phrase: as given.
        retrieved: the passages of the class, by id.
        siblings: the names of the other classes, by code.
        seen: phrases already kept for the class.
        likeness: how alike two texts are, as ``verify`` takes it.
        strictness: as ``verify`` takes it.
    """
    if concept.entry is None:
        return Judgement(concept.code, phrase, "no knowledge found for this class")
    if phrase.role == "name" and normalise(phrase.text) in map(normalise, concept.names):
        source = (concept.name_source,) if concept.name_source else ()
        return Judgement(concept.code, phrase.model_copy(update={"sources": phrase.sources or source}), None)
    alone = partial(
        _judge,
        concept,
        retrieved=retrieved,
        siblings=siblings,
        seen=seen,
        likeness=likeness,
        strictness=strictness,
    )
    judgement = alone(phrase)
    parts = pieces(phrase.text, concept.names)
    if judgement.supported or len(parts) < 2 or phrase.polarity == "absent" or strictness == "off":
        return judgement
    if unfit(phrase, [*concept.names, *(passage.text for passage in retrieved.values())], seen):
        return judgement
    judged = [alone(Phrase(text=part), seen=()) for part in parts]
    if not all(part.supported for part in judged):
        return judgement
    sources = tuple(dict.fromkeys(source for part in judged for source in part.phrase.sources))
    return Judgement(concept.code, phrase.model_copy(update={"sources": sources}), None)


def _judge(
    concept: Concept,
    phrase: Phrase,
    *,
    retrieved: Mapping[str, Passage],
    siblings: Mapping[str, Collection[str]],
    seen: Collection[str],
    likeness: Likeness | None,
    strictness: Strictness,
) -> Judgement:
    """Judge a phrase as one statement."""
    verdicts: dict[tuple[str, ...], Verdict] = {}
    citations = list(_citations(phrase, retrieved, concept.names))
    for tolerance in (None, likeness) if likeness else (None,):  # what is said in so many words comes first
        for sources in citations:
            cited = phrase.model_copy(update={"sources": sources})
            verdicts[sources] = verify(
                cited,
                retrieved,
                names=concept.names,
                siblings=siblings,
                seen=seen,
                likeness=tolerance,
                strictness=strictness,
            )
            if verdicts[sources].supported:
                return Judgement(concept.code, cited, None)
    verdict = verdicts.get(phrase.sources) or next(iter(verdicts.values()), Verdict(False, _NOTHING))
    return Judgement(concept.code, phrase, verdict.reason)


def likeness_by(embedder: Embedder) -> Likeness:
    """Return the cosine of two texts by an embedder; each text is embedded once."""

    @cache
    def vector(text: str) -> NDArray[np.float32]:
        row: NDArray[np.float32] = embedder.encode([text])[0]
        return row

    return lambda one, other: float(vector(one) @ vector(other))


def _citations(
    phrase: Phrase, retrieved: Mapping[str, Passage], names: Collection[str]
) -> Iterator[tuple[str, ...]]:
    """Yield what the phrase may rest on: what it cites, then each passage, then several of them together.

    A passage that says just this comes first, and of several cited each by itself. The passages that leave
    least of it open come before others, which are added as long as they fill what is open.
    """
    same = normalise(phrase.text)
    yield from ((passage.id,) for passage in retrieved.values() if normalise(passage.text) == same)
    if phrase.sources and set(phrase.sources) <= retrieved.keys():
        yield from ((source,) for source in phrase.sources)
        if len(phrase.sources) > 1:
            yield phrase.sources
    context = words_of([*names, *about_class(phrase, retrieved)])
    against = phrase.polarity == "absent"
    for side in [against, not against] if denied(read_claim(phrase.text)) else [against]:
        fitting = [passage for passage in retrieved.values() if (passage.kind == "absent") == side]

        def left(cited: Collection[Passage], turned: bool = side != against) -> int:
            return len(still_open(phrase.text, Ground.of(cited), context, turned=turned))

        ranked = sorted(fitting, key=lambda passage: left([passage]))
        yield from ((passage.id,) for passage in ranked)
        if side:  # each thing that speaks against a class does so by itself
            continue
        others = [passage for passage in ranked if passage.kind not in {"name", "synonym"}]
        for passage in others[:3]:
            if len(together := _filled([passage], others, left)) > 1:
                yield tuple(passage.id for passage in together)


def _filled(
    cited: list[Passage], others: list[Passage], left: Callable[[Collection[Passage]], int]
) -> list[Passage]:
    """Add passages that fill what the cited ones leave open, the most filling first."""
    count = left(cited)
    while count and len(cited) < MOST_CITED:
        best = min(others, key=lambda passage: left([*cited, passage]))
        if (fewer := left([*cited, best])) >= count:
            break
        cited, count = [*cited, best], fewer
    return cited
