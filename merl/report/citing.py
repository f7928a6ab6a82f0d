"""What the knowledge says of a result's prompts, laid into its evidence: cited passages and lint remarks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from merl.ckepe.prompt_set import PromptSet
from merl.evaluation.evidence import Cited, Evidence, Published, Remark
from merl.evaluation.result import Result

if TYPE_CHECKING:
    from merl.knowledge.index import KnowledgeIndex

Progress = Callable[[int, int, str], None]


def with_knowledge(
    result: Result,
    *,
    index: KnowledgeIndex | None = None,
    encoder: Any = None,
    progress: Progress | None = None,
) -> Result:
    """Return the result with the passages that its phrases cite and what the linter says of them.

    Args:
        result: as ``merl.evaluate`` returns it; without evidence it is returned as it is.
        index: the knowledge; the shipped one by default.
        encoder: the model's text encoder, to find phrases that are too long for it.
        progress: told of every finished class: how many, of how many, and what is done.

    Raises:
        PromptError: a class name has several meanings.
    """
    from merl.knowledge.index import KnowledgeIndex

    if result.evidence is None:
        return result
    index = index or KnowledgeIndex.default()
    sets = dict(result.evidence.prompt_sets)
    for name, item in sets.items():
        if item.generator.kind != "control":  # what is wrong with a control is its purpose
            prompt_set = PromptSet(
                label_set=result.task, generator=item.generator, classes=item.classes, name=name
            )
            remarks = _remarks(prompt_set, index, encoder, progress)
            sets[name] = item.model_copy(update={"remarks": remarks})
    passages, sources = _cited(result.evidence, index)
    evidence = result.evidence.model_copy(
        update={"prompt_sets": sets, "passages": passages, "sources": sources}
    )
    return result.model_copy(update={"evidence": evidence})


def _remarks(
    prompt_set: PromptSet, index: KnowledgeIndex, encoder: Any, progress: Progress | None
) -> dict[str, tuple[Remark, ...]]:
    from merl.ckepe.linter import lint

    def tell(code: str, done: int, total: int) -> None:
        if progress:
            progress(done, total, f"linting {prompt_set.name}: {code}")

    found: dict[str, list[Remark]] = defaultdict(list)
    for one in lint(prompt_set, index=index, encoder=encoder, progress=tell):
        remark = Remark(kind=one.kind, severity=one.severity, text=one.text, message=one.message)
        found[one.code or ""].append(remark)
    return {code: tuple(remarks) for code, remarks in found.items()}


def _cited(evidence: Evidence, index: KnowledgeIndex) -> tuple[dict[str, Cited], dict[str, Published]]:
    """The passages that phrases, kept or rejected, cite in this knowledge, and their published sources."""
    from merl.knowledge.citations import cite
    from merl.knowledge.entries import load_sources

    met = [
        place
        for item in evidence.prompt_sets.values()
        for prompts in item.classes.values()
        for place in prompts.cited
    ]
    known, published = cite(met, index), load_sources()
    passages = {
        place: Cited(
            concept=known[place].concept,
            kind=known[place].passage.kind,
            text=known[place].passage.text,
            source=known[place].passage.source,
            place=known[place].place,
            source_checked=known[place].source_checked,
            clinically_reviewed=known[place].clinically_reviewed,
        )
        for place in dict.fromkeys(met)
        if place in known
    }
    used = {passage.source for passage in passages.values() if passage.source}
    sources = {
        key: Published(**published[key].model_dump(include={"title", "year", "reference", "doi"}))
        for key in sorted(used & published.keys())
    }
    return passages, sources
