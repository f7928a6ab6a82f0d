"""CKEPE: from a label set to a prompt set whose every phrase rests on retrieved knowledge."""

from __future__ import annotations

import datetime
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from merl.ckepe import verifier
from merl.ckepe.candidates import from_knowledge, from_model, name_phrase, retrieve
from merl.ckepe.concepts import Concept, children, find_concepts, sibling_names
from merl.ckepe.llm import ChatModel
from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet, Rejected
from merl.ckepe.template import Template
from merl.ckepe.verifier import Strictness
from merl.errors import UsageError, unknown
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.lookup import normalise
from merl.knowledge.passages import Passage
from merl.label_sets import LabelSet, load_label_set

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # class code, classes done, classes in all
Proposal = tuple[list[Passage], list[Phrase]]  # what was retrieved for a class, what was proposed
Judged = tuple[list[Phrase], list[Rejected]]


def generate_prompts(
    labels: str | Path | dict[str, str] | LabelSet,
    *,
    llm: str = "none",
    base_url: str | None = None,
    k: int = 8,
    verify: Strictness = "strict",
    index: KnowledgeIndex | None = None,
    concurrency: int = 4,
    progress: Progress | None = None,
) -> PromptSet:
    """Write prompts for every class from the knowledge, and throw out what the knowledge does not support.

    A class of which nothing is known keeps its name as the only phrase, without sources.

    Args:
        labels: a label set, or whatever ``load_label_set`` reads one from.
        llm: ``none`` takes the statements of the knowledge as they stand; else the language model that words
            them anew, ``openai:MODEL`` or any ``provider:model`` of langchain.
        base_url: an OpenAI-compatible server.
        k: how many findings, counter-findings and kinds of a class the language model is shown at most.
        verify: how strictly phrases are checked; ``off`` keeps all of them.
        index: the knowledge; the shipped one by default.
        concurrency: classes asked for at once; the result does not depend on it.
        progress: told of every finished class.

    Returns:
        The prompt set in the label set's order; what was thrown out is in ``rejected`` with the reason.

    Raises:
        UsageError: an unknown label set, language model or strictness, or a number below 1.
        PromptError: a class name has several meanings or a label is malformed.
        LLMError: the language model cannot be reached or answers unusably; no partial set is returned.
    """
    if verify not in {"strict", "lenient", "off"}:
        raise UsageError(unknown("strictness", verify, ["strict", "lenient", "off"]))
    if k < 1 or concurrency < 1:
        raise UsageError(f"k and concurrency are whole numbers of 1 or more, not {k} and {concurrency}")
    label_set = labels if isinstance(labels, LabelSet) else load_label_set(labels)
    writer = None if llm == "none" else _Writer(ChatModel(llm, base_url), Template.load(), k)
    index = index or KnowledgeIndex.default()
    concepts = find_concepts(label_set, index)
    for concept in concepts.values():
        if concept.entry is None:
            logger.warning("no knowledge found for class %r; only its name is used", concept.code)
    proposals = _propose(concepts, index, writer, concurrency, progress)
    verdicts = {code: _judge(concepts[code], concepts, proposals[code], verify) for code in concepts}
    if verify != "off":
        _drop_shared(verdicts)
    return PromptSet(
        label_set=label_set.name,
        generator=Generator(
            kind="ckepe" if writer else "knowledge",
            llm=llm,
            temperature=0 if writer else None,
            template=writer.template.name if writer else None,
            template_sha256=writer.template.sha256 if writer else None,
            index_sha256=index.sha256,
            verify=verify,
            created=datetime.date.today().isoformat(),
        ),
        classes={
            code: ClassPrompts(name=concepts[code].name, prompts=tuple(kept), rejected=tuple(rejected))
            for code, (kept, rejected) in verdicts.items()
        },
        name="generated",
    )


@dataclass(frozen=True)
class _Writer:
    """A language model with its template and how many passages of a kind it is shown."""

    model: ChatModel
    template: Template
    k: int


def _propose(
    concepts: Mapping[str, Concept],
    index: KnowledgeIndex,
    writer: _Writer | None,
    concurrency: int,
    progress: Progress | None,
) -> dict[str, Proposal]:
    """Collect phrases for every class; with a language model several classes at once, in their own order."""

    def propose(concept: Concept) -> Proposal:
        kinds = children(concept, concepts, index)
        passages = retrieve(concept, kinds, index, writer.k if writer else None)
        if writer is None or not passages:
            return passages, from_knowledge(concept, kinds, index)
        siblings = [other.name for other in concepts.values() if other is not concept]
        return passages, from_model(concept, passages, siblings, writer.template, writer.model)

    proposals: dict[str, Proposal] = {}
    with ThreadPoolExecutor(concurrency if writer else 1) as pool:
        jobs = {code: pool.submit(propose, concept) for code, concept in concepts.items()}
        try:
            for code, job in jobs.items():
                proposals[code] = job.result()
                if progress:
                    progress(code, len(proposals), len(jobs))
        except BaseException:  # an interrupt too: the classes still waiting would only cost money
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return proposals


def _judge(
    concept: Concept, concepts: Mapping[str, Concept], proposal: Proposal, strictness: Strictness
) -> Judged:
    passages, phrases = proposal
    retrieved = {passage.id: passage for passage in passages}
    kept = [name_phrase(concept)]
    rejected: list[Rejected] = []
    for phrase in phrases:
        verdict = verifier.verify(
            phrase,
            retrieved,
            names=concept.names,
            siblings=sibling_names(concept, concepts),
            seen=[other.text for other in kept],
            strictness=strictness,
        )
        if verdict.reason is None:
            kept.append(phrase)
        else:
            rejected.append(Rejected.of(phrase, verdict.reason))
    return kept, rejected


def _drop_shared(verdicts: Mapping[str, Judged]) -> None:
    """Throw out, everywhere, what speaks for several classes: it cannot tell them apart."""
    owners: dict[str, list[str]] = defaultdict(list)
    for code, (kept, _) in verdicts.items():
        for phrase in kept:
            if phrase.polarity == "present":
                owners[normalise(phrase.text)].append(code)
    for code, (kept, rejected) in verdicts.items():
        for phrase in kept[1:]:  # the name stays
            others = [owner for owner in owners[normalise(phrase.text)] if owner != code]
            if others and phrase.polarity == "present":
                kept.remove(phrase)
                rejected.append(
                    Rejected.of(phrase, f"shared with the class {', '.join(others)} of the same label set")
                )
