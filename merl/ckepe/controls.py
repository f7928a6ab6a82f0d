"""Controls: prompt sets that a good one has to beat, and the ways to make a good one, for one label set."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from merl.ckepe.control_sets import TEMPLATES, random_words, shuffled, templated
from merl.ckepe.generator import generate_prompts
from merl.ckepe.llm import ChatModel, default_cache
from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet
from merl.ckepe.template import Template
from merl.files import content_dir
from merl.knowledge.index import KnowledgeIndex
from merl.label_sets import LabelSet, load_label_set

#: What each control says of a class.
CONTROLS = MappingProxyType(
    {
        "plain": "its name",
        "template": "this ECG shows NAME",
        "mets": "The report of the ECG is that NAME, as METS asks (Li et al., 2023)",
        "shuffled": "the knowledge of another class, drawn by seed",
        "random-words": "its name with random words, as WaffleCLIP does (Roth et al., 2023), by seed",
        "knowledge": "what the knowledge says, without a language model",
        "no-retrieval": "what a language model says of it, without knowledge and unchecked",
        "ckepe": "what a language model makes of the knowledge, checked",
    }
)
NEED_LLM = ("no-retrieval", "ckepe")


class _Said(BaseModel):
    """What a language model is asked to write without being shown any knowledge."""

    model_config = ConfigDict(extra="forbid")

    phrases: list[Annotated[str, Field(max_length=160)]] = Field(max_length=10)


def make_controls(
    labels: str | Path | dict[str, str] | LabelSet,
    *,
    llm: str | None = None,
    base_url: str | None = None,
    seed: int = 0,
    index: KnowledgeIndex | None = None,
) -> dict[str, PromptSet]:
    """Make every control there can be.

    Args:
        labels: a label set, or whatever ``load_label_set`` reads one from.
        llm: a language model; without one those of ``NEED_LLM`` are left out.
        base_url: an OpenAI-compatible server.
        seed: of the shuffling and the random words.
        index: the knowledge; the shipped one by default.

    Returns:
        Prompt sets by the names of ``CONTROLS``, in that order. A label set of one class has no
        ``shuffled``.

    Raises:
        UsageError: an unknown label set or language model.
        PromptError: a class name has several meanings or a label is malformed.
        LLMError: the language model cannot be reached or answers unusably.
    """
    label_set = labels if isinstance(labels, LabelSet) else load_label_set(labels)
    index = index or KnowledgeIndex.default()
    known = generate_prompts(label_set, index=index)
    made = [PromptSet.plain(label_set)]
    made += [templated(label_set, name) for name in TEMPLATES]
    if len(label_set.classes) > 1:
        made.append(shuffled(known, seed))
    made += [random_words(known, seed), known.model_copy(update={"name": "knowledge"})]
    if llm not in {None, "none"}:
        assert llm is not None  # noqa: S101
        with ChatModel(llm, base_url, cache=default_cache()) as model:
            made.append(without_retrieval(label_set, model))
        full = generate_prompts(label_set, llm=llm, base_url=base_url, index=index)
        made.append(full.model_copy(update={"name": "ckepe"}))
    return {item.name: item for item in made}


def without_retrieval(label_set: LabelSet, model: ChatModel) -> PromptSet:
    """Ask a language model what it knows of each class by itself; nothing it says is checked.

    Raises:
        LLMError: the language model cannot be reached or answers unusably.
    """
    template = Template.load(content_dir("prompts") / "templates" / "no-retrieval-v1.yaml")
    classes = {}
    for code, item in label_set.classes.items():
        said = model.ask(template.render("phrases", name=item.name), _Said, about=code)
        texts = (" ".join(text.split()).rstrip(".") for text in said.phrases)
        phrases = [
            Phrase(text=item.name.lower(), role="name"),
            *(Phrase(text=text) for text in texts if text),
        ]
        classes[code] = ClassPrompts(name=item.name, prompts=tuple(phrases))
    generator = Generator(
        kind="control",
        control="no-retrieval",
        llm=model.spec,
        temperature=model.temperature,
        template=template.name,
        template_sha256=template.sha256,
        verify="off",
    )
    return PromptSet(label_set=label_set.name, generator=generator, classes=classes, name="no-retrieval")
