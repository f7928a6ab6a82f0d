"""Grounding: find what the phrases of any prompt set rest on, imported and hand-written ones alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from merl.ckepe.candidates import name_phrase, retrieve
from merl.ckepe.concepts import Concept, children, find_concepts
from merl.ckepe.judging import Judgement, judge, likeness_by
from merl.ckepe.prompt_set import ClassPrompts, PromptSet, Rejected
from merl.ckepe.siblings import Siblings
from merl.knowledge.index import KnowledgeIndex
from merl.label_sets import LabelClass, LabelSet, load_label_set, shipped_label_sets


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
    unclear: dict[str, str] = {}
    concepts = find_concepts(_label_set(prompt_set), index, unclear)
    siblings = Siblings(concepts)
    likeness = likeness_by(index.embedder)
    judgements: list[Judgement] = []
    for done, (code, item) in enumerate(prompt_set.classes.items(), 1):
        retrieved = {
            p.id: p for p in retrieve(concepts[code], children(concepts[code], concepts, index), index, None)
        }
        seen: list[str] = []
        for phrase in item.prompts:
            if code in unclear:
                judgements.append(Judgement(code, phrase, unclear[code]))
                continue
            judgement = judge(
                concepts[code],
                phrase,
                retrieved,
                siblings=siblings.named_in(phrase.text, concepts[code]),
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

    What was edited by hand and is supported has been checked, and is marked as edited no more.
    A class of which nothing is left keeps its name, so that it can still be scored.
    """
    classes = {}
    for code, item in prompt_set.classes.items():
        own = [judgement for judgement in judgements if judgement.code == code]
        kept = [
            judgement.phrase.model_copy(
                update={"edited": judgement.phrase.edited and not judgement.supported}
            )
            for judgement in own
            if judgement.supported or judgement.phrase.role == "name"
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
