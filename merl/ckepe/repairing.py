"""Repair: the grounded replacement of any prompt set, refilled from the knowledge where little is left."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import replace

from merl.ckepe.concepts import Concept, find_concepts
from merl.ckepe.diffing import same_meaning
from merl.ckepe.faults import FaultFinder, german_names
from merl.ckepe.generator import generate_prompts
from merl.ckepe.grounding import ground, grounded
from merl.ckepe.importing import split_set
from merl.ckepe.judging import Judgement
from merl.ckepe.linter import shared_phrases
from merl.ckepe.prompt_set import ClassPrompts, Phrase, PromptSet, Rejected
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.lookup import normalise
from merl.knowledge.passages import passage_id

#: A class with fewer phrases that speak for it is refilled.
THIN = 3


def repair(
    prompt_set: PromptSet,
    *,
    index: KnowledgeIndex | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> PromptSet:
    """Keep what the knowledge supports, cite it, reject the rest with reasons, and refill thin classes.

    Joined phrases of an imported set are judged by their parts. Phrases that name a kind of their class stay
    as subtypes. What speaks for several classes goes. A class left with fewer than ``THIN`` phrases gets all
    that the knowledge says of it, and every class its name.

    Args:
        prompt_set: any prompt set.
        index: the knowledge; the shipped one by default.
        progress: told of every finished class.

    Returns:
        The same classes, every phrase with its citations, apart from names of which nothing is known.

    Raises:
        PromptError: a class name has several meanings.
    """
    index = index or KnowledgeIndex.default()
    parted = split_set(prompt_set)
    judgements = _with_kinds(parted, ground(parted, index=index, progress=progress), index)
    known = generate_prompts(parted.as_label_set(), index=index)
    kept = _without_shared(grounded(parted, judgements))
    classes = {code: _refill(item, known.classes[code]) for code, item in kept.classes.items()}
    generator = kept.generator.model_copy(
        update={"index_sha256": index.sha256, "created": datetime.date.today().isoformat()}
    )
    return _without_shared(kept.model_copy(update={"classes": classes, "generator": generator}))


def _with_kinds(prompt_set: PromptSet, judgements: list[Judgement], index: KnowledgeIndex) -> list[Judgement]:
    """Support what names a kind of its class, and give what names something the role it has."""
    concepts = find_concepts(prompt_set.as_label_set(), index)
    german = german_names(index)
    finders = {code: FaultFinder(concept, concepts, index, german) for code, concept in concepts.items()}
    judged = []
    for item in judgements:
        phrase, kind = item.phrase, None
        if not item.supported and phrase.polarity == "present":
            kind = finders[item.code].kind_named(phrase.text)
        if kind is not None:
            phrase = phrase.model_copy(update={"role": "subtype", "sources": (passage_id(kind.id, "name"),)})
            judged.append(Judgement(item.code, phrase, None))
        elif not item.supported and normalise(phrase.text) != normalise(prompt_set.classes[item.code].name):
            role = "finding" if phrase.role == "name" else phrase.role
            judged.append(Judgement(item.code, phrase.model_copy(update={"role": role}), item.reason))
        else:
            judged.append(replace(item, phrase=_in_its_role(phrase, concepts[item.code], index)))
    return judged


def _in_its_role(phrase: Phrase, concept: Concept, index: KnowledgeIndex) -> Phrase:
    """Call a finding that rests on a name what it is, a synonym of the class or one of its kinds."""
    if phrase.role != "finding" or len(phrase.sources) != 1 or concept.entry is None:
        return phrase
    kinds = [entry.id for entry in index.children(concept.entry.id)]
    passages = {item.id: item for key in (concept.entry.id, *kinds) for item in index.passages(key)}
    source = passages.get(phrase.sources[0])
    if source is None or source.kind not in {"name", "synonym"}:
        return phrase
    role = "synonym" if source.entry == concept.entry.id else "subtype"
    return phrase.model_copy(update={"role": role})


def _without_shared(prompt_set: PromptSet) -> PromptSet:
    shared: Mapping[tuple[str, str], str] = {
        (finding.code or "", finding.text or ""): ", ".join(finding.others)
        for finding in shared_phrases(prompt_set)
    }
    classes = {}
    for code, item in prompt_set.classes.items():
        kept: list[Phrase] = []
        thrown: list[Rejected] = []
        for phrase in item.prompts:
            others = shared.get((code, phrase.text))
            if others is None or phrase.role == "name" or phrase.polarity == "absent":
                kept.append(phrase)
            else:
                reason = f"shared with the class {others} of the same label set"
                thrown.append(Rejected.of(phrase, reason))
        classes[code] = item.model_copy(
            update={"prompts": tuple(kept), "rejected": (*item.rejected, *thrown)}
        )
    return prompt_set.model_copy(update={"classes": classes})


def _refill(item: ClassPrompts, known: ClassPrompts) -> ClassPrompts:
    named = known.prompts[0]
    phrases = [named if phrase.role == "name" and not phrase.sources else phrase for phrase in item.prompts]
    if all(phrase.role != "name" for phrase in phrases):
        phrases.insert(0, named)
    if sum(phrase.polarity == "present" for phrase in phrases) < THIN:
        phrases += [
            phrase
            for phrase in known.prompts
            if not any(same_meaning(phrase.text, other.text) for other in phrases)
        ]
    return item.model_copy(update={"prompts": tuple(phrases)})
