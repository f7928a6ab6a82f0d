"""Grounding: find what the phrases of any prompt set rest on, imported and hand-written ones alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from merl.ckepe.candidates import name_phrase, retrieve
from merl.ckepe.claims import Claim, read_claim
from merl.ckepe.concepts import Concept, children, find_concepts, sibling_names
from merl.ckepe.grounds import Ground, words_of
from merl.ckepe.prompt_set import ClassPrompts, Phrase, PromptSet, Rejected
from merl.ckepe.support import denied, unmatched, unsupported
from merl.ckepe.verifier import Verdict, about_class, verify
from merl.errors import PromptError
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.lookup import normalise
from merl.knowledge.passages import Passage
from merl.label_sets import LabelClass, LabelSet, load_label_set, shipped_label_sets


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


def ground(
    prompt_set: PromptSet,
    *,
    index: KnowledgeIndex | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Judgement]:
    """Judge every phrase of a prompt set against the knowledge of its class.

    A class is matched to its knowledge entry as ``generate_prompts`` does it. A phrase that cites passages is
    judged by them first; then by each passage of the class, the most similar first.

    Args:
        prompt_set: any prompt set.
        index: the knowledge; the shipped one by default.
        progress: told of every finished class.

    Returns:
        One judgement a phrase, in the set's order.

    """
    index = index or KnowledgeIndex.default()
    concepts, unclear = _concepts(_label_set(prompt_set), index)
    likeness = _likeness(index)
    judgements: list[Judgement] = []
    for done, (code, item) in enumerate(prompt_set.classes.items(), 1):
        retrieved = {
            p.id: p for p in retrieve(concepts[code], children(concepts[code], concepts, index), index, None)
        }
        siblings = sibling_names(concepts[code], concepts)
        seen: list[str] = []
        for phrase in item.prompts:
            if code in unclear:
                judgements.append(Judgement(code, phrase, unclear[code]))
                continue
            judgement = _judge(
                concepts[code],
                phrase,
                retrieved=retrieved,
                siblings=siblings,
                seen=seen,
                likeness=likeness,
            )
            judgements.append(judgement)
            if judgement.supported:
                seen.append(phrase.text)
        if progress:
            progress(code, done, len(prompt_set.classes))
    return judgements


def grounded(prompt_set: PromptSet, judgements: list[Judgement]) -> PromptSet:
    """Return the set with citations filled in and the unsupported phrases moved to ``rejected``.

    A class of which nothing is left keeps its name, so that it can still be scored.
    """
    classes = {}
    for code, item in prompt_set.classes.items():
        own = [judgement for judgement in judgements if judgement.code == code]
        kept = [
            judgement.phrase for judgement in own if judgement.supported or judgement.phrase.role == "name"
        ]
        if not any(phrase.polarity == "present" for phrase in kept):
            kept.insert(0, name_phrase(Concept(code, item.name)))
        thrown = [
            Rejected.of(judgement.phrase, judgement.reason)
            for judgement in own
            if judgement.reason is not None and judgement.phrase.role != "name"
        ]
        classes[code] = ClassPrompts(name=item.name, prompts=tuple(kept), rejected=(*item.rejected, *thrown))
    generator = prompt_set.generator.model_copy(update={"verify": "strict"})
    return prompt_set.model_copy(update={"classes": classes, "generator": generator})


def _label_set(prompt_set: PromptSet) -> LabelSet:
    """The set's classes; the shipped label set of that name says which entries its codes mean."""
    declared: Mapping[str, LabelClass] = {}
    if prompt_set.label_set in shipped_label_sets():
        declared = load_label_set(prompt_set.label_set).classes
    classes = {
        code: LabelClass(name=item.name, entry=declared[code].entry if code in declared else None)
        for code, item in prompt_set.classes.items()
    }
    return LabelSet(name=prompt_set.label_set, classes=classes)


def _concepts(label_set: LabelSet, index: KnowledgeIndex) -> tuple[dict[str, Concept], dict[str, str]]:
    """Find what each class means, and say of which it cannot be told."""
    concepts: dict[str, Concept] = {}
    unclear: dict[str, str] = {}
    for code, item in label_set.classes.items():
        try:
            concepts |= find_concepts(LabelSet(name=label_set.name, classes={code: item}), index)
        except PromptError as problem:
            concepts[code] = Concept(code, item.name)
            unclear[code] = str(problem)
    return concepts, unclear


def _judge(
    concept: Concept,
    phrase: Phrase,
    *,
    retrieved: Mapping[str, Passage],
    siblings: Mapping[str, tuple[str, ...]],
    seen: list[str],
    likeness: Callable[[str, str], float],
) -> Judgement:
    if concept.entry is None:
        return Judgement(concept.code, phrase, "no knowledge found for this class")
    if phrase.role == "name" and normalise(phrase.text) in map(normalise, concept.names):
        source = (concept.name_source,) if concept.name_source else ()
        return Judgement(concept.code, phrase.model_copy(update={"sources": phrase.sources or source}), None)
    first: Verdict | None = None
    for sources in _citations(phrase, retrieved, concept.names):
        cited = phrase.model_copy(update={"sources": sources})
        verdict = verify(
            cited, retrieved, names=concept.names, siblings=siblings, seen=seen, likeness=likeness
        )
        if verdict.supported:
            return Judgement(concept.code, cited, None)
        first = first or verdict
    reason = first.reason if first else "no passage of this class says anything of the kind"
    return Judgement(concept.code, phrase, reason)


def _likeness(index: KnowledgeIndex) -> Callable[[str, str], float]:
    """Return the cosine of two texts; each is embedded once."""

    @cache
    def vector(text: str) -> NDArray[np.float32]:
        row: NDArray[np.float32] = index.embedder.encode([text])[0]
        return row

    return lambda one, other: float(vector(one) @ vector(other))


def _citations(
    phrase: Phrase, retrieved: Mapping[str, Passage], names: Collection[str]
) -> Iterator[tuple[str, ...]]:
    """Yield what the phrase may rest on: what it cites, then each passage, then two of them together.

    The passages that say most of its words come first; a second one is tried where it adds a word.
    """
    if phrase.sources and set(phrase.sources) <= retrieved.keys():
        yield phrase.sources
    context = words_of([*names, *about_class(phrase, retrieved)])
    against = phrase.polarity == "absent"
    readings = [(read_claim(phrase.text), against)]
    if negative := denied(readings[0][0]):
        readings.append((negative, not against))
    for claim, other_side in readings:
        fitting = [p for p in retrieved.values() if (p.kind == "absent") == other_side]
        yield from _fitting(claim, fitting, context)


def _fitting(
    claim: Claim, passages: list[Passage], context: Collection[tuple[str, bool]]
) -> Iterator[tuple[str, ...]]:
    grounds = {p.id: Ground.of([p]) for p in passages}
    open_words = {key: {t.family for t in unsupported(claim, at, context)} for key, at in grounds.items()}
    ranked = sorted(passages, key=lambda p: len(open_words[p.id]) + unmatched(claim, grounds[p.id]))
    for passage in ranked:
        yield (passage.id,)
    for number, passage in enumerate(ranked[:3]):
        for other in ranked[number + 1 :]:
            if not open_words[passage.id] & open_words[other.id]:
                yield (passage.id, other.id)
