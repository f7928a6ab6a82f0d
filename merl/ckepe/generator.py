"""CKEPE: from a label set to a prompt set whose every phrase rests on retrieved knowledge."""

from __future__ import annotations

import datetime
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from merl.ckepe.asking import Question
from merl.ckepe.candidates import from_knowledge, name_phrase, retrieve
from merl.ckepe.concepts import Concept, children, find_concepts
from merl.ckepe.diffing import same_meaning
from merl.ckepe.judging import judge, likeness_by
from merl.ckepe.llm import ChatModel, default_cache
from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet, Rejected
from merl.ckepe.siblings import Siblings
from merl.ckepe.template import Template
from merl.ckepe.verifier import Likeness, Strictness, verify
from merl.errors import LLMError, UsageError, unknown
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.passages import Passage
from merl.knowledge.wording import read_wording
from merl.label_sets import LabelSet, load_label_set

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # class code, classes done, classes in all
Watch = Callable[[str, str], None]  # class code, what is going on


@dataclass(frozen=True)
class Proposal:
    """What was retrieved for a class, what was proposed, and what was dropped before it was a phrase."""

    passages: Sequence[Passage]
    phrases: Sequence[Phrase]
    dropped: Sequence[Rejected] = ()


Judged = tuple[list[Phrase], list[Rejected]]


def generate_prompts(
    labels: str | Path | dict[str, str] | LabelSet,
    *,
    llm: str | ChatModel = "none",
    base_url: str | None = None,
    k: int = 8,
    verify: Strictness = "strict",
    index: KnowledgeIndex | None = None,
    concurrency: int = 4,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> PromptSet:
    """Write prompts for every class from the knowledge, and throw out what the knowledge does not support.

    A class of which nothing is known keeps its name as the only phrase, without sources.

    Args:
        labels: a label set, or whatever ``load_label_set`` reads one from.
        llm: ``none`` takes the statements of the knowledge as they stand; else the language model that words
            them anew, ``local``, ``openai:MODEL`` or any ``provider:model`` of langchain, whose replies are
            kept in the user's cache; or a ``ChatModel`` with options of its own.
        base_url: an OpenAI-compatible server.
        k: how many findings, counter-findings and kinds of a class the language model is shown at most.
        verify: how strictly phrases are checked; ``off`` keeps all of them.
        index: the knowledge; the shipped one by default.
        concurrency: classes asked for at once; the result does not depend on it.
        progress: told of every finished class.
        watch: told what is going on with a class.

    Returns:
        The prompt set in the label set's order; what was thrown out is in ``rejected`` with the reason.

    Raises:
        UsageError: an unknown label set, language model or strictness, or a number below 1.
        PromptError: a class name has several meanings or a label is malformed.
        LLMError: the language model cannot be reached or answers unusably; no partial set is returned, but
            what was answered is kept.
    """
    if verify not in {"strict", "lenient", "off"}:
        raise UsageError(unknown("strictness", verify, ["strict", "lenient", "off"]))
    if k < 1 or concurrency < 1:
        raise UsageError(f"k and concurrency are whole numbers of 1 or more, not {k} and {concurrency}")
    label_set = labels if isinstance(labels, LabelSet) else load_label_set(labels)
    how: dict[str, Any] = {"k": k, "strictness": verify, "index": index, "concurrency": concurrency}
    if isinstance(llm, str) and llm != "none":
        with ChatModel(llm, base_url, cache=default_cache()) as model:
            return _generate(label_set, model, **how, progress=progress, watch=watch)
    given = llm if isinstance(llm, ChatModel) else None
    return _generate(label_set, given, **how, progress=progress, watch=watch)


def questions(
    label_set: LabelSet, k: int = 8, index: KnowledgeIndex | None = None
) -> dict[str, Question | None]:
    """Return what a language model is asked for every class; None where nothing is known of it."""
    index = index or KnowledgeIndex.default()
    return _questions(find_concepts(label_set, index), k, index)


def _generate(
    label_set: LabelSet,
    model: ChatModel | None,
    *,
    k: int,
    strictness: Strictness,
    index: KnowledgeIndex | None,
    concurrency: int,
    progress: Progress | None,
    watch: Watch | None,
) -> PromptSet:
    index = index or KnowledgeIndex.default()
    concepts = find_concepts(label_set, index)
    _warn_of_unknown([concept.code for concept in concepts.values() if concept.entry is None])
    proposals = _from_knowledge(concepts, index)
    if model:
        proposals = _from_model(_questions(concepts, k, index), model, concurrency, watch)
    siblings, likeness = Siblings(concepts), likeness_by(index.embedder)
    judged: dict[str, Judged] = {}
    for code, proposal in proposals:
        judged[code] = _judge(concepts[code], siblings, proposal, strictness, likeness)
        if watch:
            watch(code, f"{len(judged[code][0])} kept, {len(judged[code][1])} rejected")
        if progress:
            progress(code, len(judged), len(concepts))
    verdicts = {code: judged[code] for code in concepts}
    if strictness != "off":
        _drop_shared(verdicts)
    return PromptSet(
        label_set=label_set.name,
        generator=_about(model, index, strictness),
        classes={
            code: ClassPrompts(name=concepts[code].name, prompts=tuple(kept), rejected=tuple(rejected))
            for code, (kept, rejected) in verdicts.items()
        },
        name="generated",
    )


def _warn_of_unknown(codes: list[str]) -> None:
    if codes:
        shown = ", ".join(map(repr, codes[:10])) + (f" and {len(codes) - 10} more" if len(codes) > 10 else "")
        logger.warning("no knowledge found for class %s; only the name is used there", shown)


def _about(model: ChatModel | None, index: KnowledgeIndex, strictness: Strictness) -> Generator:
    template = Template.load() if model else None
    return Generator(
        kind="ckepe" if model else "knowledge",
        llm=model.spec if model else "none",
        temperature=model.temperature if model else None,
        template=template.name if template else None,
        template_sha256=template.sha256 if template else None,
        index_sha256=index.sha256,
        verify=strictness,
        created=datetime.date.today().isoformat(),
    )


def _questions(concepts: Mapping[str, Concept], k: int, index: KnowledgeIndex) -> dict[str, Question | None]:
    siblings, template = Siblings(concepts), Template.load()
    asked: dict[str, Question | None] = {}
    for code, concept in concepts.items():
        passages = retrieve(concept, children(concept, concepts, index), index, k)
        near = siblings.near(concept)
        asked[code] = Question(concept, passages, near, template, index) if passages else None
    return asked


def _from_knowledge(concepts: Mapping[str, Concept], index: KnowledgeIndex) -> Iterator[tuple[str, Proposal]]:
    for code, concept in concepts.items():
        kinds = children(concept, concepts, index)
        passages = retrieve(concept, kinds, index, None)
        yield code, Proposal(passages, from_knowledge(concept, kinds, index))


def _from_model(
    asked: Mapping[str, Question | None], model: ChatModel, concurrency: int, watch: Watch | None
) -> Iterator[tuple[str, Proposal]]:
    """Ask about several classes at once, and give what is proposed as it comes.

    A class whose answers are unusable lets the others finish, for what they say is kept; a fault that
    would meet them too (a key, a server, the cost) stops them all.
    """
    failed: dict[str, LLMError] = {}

    def propose(code: str) -> Proposal:
        question = asked[code]
        if question is None:
            return Proposal((), ())
        phrases, dropped = question.propose(model, lambda what: watch(code, what) if watch else None)
        return Proposal(question.passages, phrases, dropped)

    with ThreadPoolExecutor(min(concurrency, model.at_once or concurrency)) as pool:
        jobs = {pool.submit(propose, code): code for code in asked}
        try:
            for job in jobs if model.at_once == 1 else as_completed(jobs):
                try:
                    yield jobs[job], job.result()
                except LLMError as problem:
                    if problem.kind != "content":
                        raise
                    failed[jobs[job]] = problem
        except BaseException:  # an interrupt too: the classes still waiting would only cost money
            pool.shutdown(wait=False, cancel_futures=True)
            model.stop()
            raise
    if failed:
        raise _unanswered({code: failed[code] for code in asked if code in failed}, len(asked))


def _unanswered(failed: Mapping[str, LLMError], total: int) -> LLMError:
    code, problem = next(iter(failed.items()))
    if len(failed) == 1:
        return LLMError(f"class {code!r}: {problem}")
    others = ", ".join(list(failed)[1:6]) + (", ..." if len(failed) > 6 else "")
    return LLMError(f"{len(failed)} of {total} classes failed: {code!r}: {problem} (the others: {others})")


def _judge(
    concept: Concept, siblings: Siblings, proposal: Proposal, strictness: Strictness, likeness: Likeness
) -> Judged:
    """Keep what a passage says, with that passage cited, whichever of the passages the model took it for."""
    retrieved = {passage.id: passage for passage in proposal.passages}
    kept = [name_phrase(concept)]
    rejected = list(proposal.dropped)
    for proposed in proposal.phrases:
        phrase = proposed
        how: dict[str, Any] = {
            "siblings": siblings.named_in(phrase.text, concept),
            "seen": [other.text for other in kept],
            "strictness": strictness,
            "likeness": likeness,
        }
        if strictness != "off" and phrase.sources and set(phrase.sources) <= retrieved.keys():
            judged = judge(concept, phrase, retrieved, **how)
            phrase, reason = judged.phrase, judged.reason
        else:
            reason = verify(phrase, retrieved, names=concept.names, **how).reason
        if reason is None:
            kept.append(phrase)
        else:
            rejected.append(Rejected.of(phrase, reason))
    return kept, rejected


def _drop_shared(verdicts: Mapping[str, Judged]) -> None:
    """Throw out, everywhere, what speaks for several classes in whatever words: it cannot tell them apart."""
    owners: dict[object, list[tuple[str, str]]] = defaultdict(list)
    for code, (kept, _) in verdicts.items():
        for phrase in kept:
            if phrase.polarity == "present":
                owners[_words(phrase)].append((code, phrase.text))
    for code, (kept, rejected) in verdicts.items():
        for phrase in kept[1:]:  # the name stays
            alike = [owner for owner, text in owners[_words(phrase)] if same_meaning(text, phrase.text)]
            others = [owner for owner in dict.fromkeys(alike) if owner != code]
            if others and phrase.polarity == "present":
                kept.remove(phrase)
                rejected.append(
                    Rejected.of(phrase, f"shared with the class {', '.join(others)} of the same label set")
                )


def _words(phrase: Phrase) -> object:
    return read_wording(phrase.text).words or phrase.text.casefold()
