"""Controls: prompt sets that a good one has to beat, and the ways to make a good one, for one label set."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from merl.ckepe.generator import generate_prompts
from merl.ckepe.llm import ChatModel, default_cache
from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet
from merl.ckepe.template import Template
from merl.errors import UsageError
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
_TEMPLATES = {"template": "this ECG shows {name}", "mets": "The report of the ECG is that {name}"}
_WORDS_EACH = 3
_WORDS = (
    "apple anchor arrow autumn bamboo basket beacon bicycle blanket bottle bridge butter button cabin candle"
    " canvas carpet castle cedar chimney clover cobalt copper cotton cradle curtain daisy desert dolphin"
    " drawer eagle ember engine fabric feather fern ferry flute forest fountain garden garlic glacier granite"
    " guitar hammer harbor hazel honey island ivory jacket jasmine kettle ladder lantern lemon lilac magnet"
    " maple marble meadow mirror mosaic needle novel oak olive orchard oyster paper parrot pebble pencil"
    " pepper pigeon pillow planet pocket prairie pumpkin quilt ribbon river rocket saddle sailor sandal"
    " silver sparrow spoon stable summer sunset table tailor teapot ticket timber tulip tunnel umbrella"
    " valley velvet village violin wagon walnut willow window winter wooden yellow zebra"
)


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
    made += [templated(label_set, name) for name in _TEMPLATES]
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


def templated(label_set: LabelSet, name: str) -> PromptSet:
    """Say each class's name within a sentence, ``template`` or ``mets``."""
    texts = {
        code: [_TEMPLATES[name].format(name=item.name.lower())] for code, item in label_set.classes.items()
    }
    return _control(label_set, name, texts)


def shuffled(prompt_set: PromptSet, seed: int = 0) -> PromptSet:
    """Give every class the phrases of another one, drawn among all ways that leave none its own.

    Raises:
        UsageError: there is one class alone.
    """
    codes = list(prompt_set.classes)
    if len(codes) < 2:
        raise UsageError("a single class cannot be shuffled; give at least two")
    random = np.random.default_rng(seed)
    order = random.permutation(len(codes))
    while (order == np.arange(len(codes))).any():  # one draw in three leaves none in its place
        order = random.permutation(len(codes))
    classes = {
        code: ClassPrompts(
            name=prompt_set.classes[code].name,
            prompts=prompt_set.classes[codes[other]].prompts,
        )
        for code, other in zip(codes, order, strict=True)
    }
    generator = Generator(kind="control", control="shuffled", seed=seed)
    return prompt_set.model_copy(update={"classes": classes, "generator": generator, "name": "shuffled"})


def random_words(prompt_set: PromptSet, seed: int = 0) -> PromptSet:
    """Say each class's name with random words, in as many phrases as the set has for the class."""
    random, words = np.random.default_rng(seed), _WORDS.split()
    texts = {}
    for code, item in prompt_set.classes.items():
        drawn = [random.choice(words, _WORDS_EACH, replace=False) for _ in item.present]
        texts[code] = [f"{item.name.lower()}, which has {' '.join(some)}" for some in drawn]
    return _control(prompt_set.as_label_set(), "random-words", texts, seed)


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


def _control(
    label_set: LabelSet, name: str, texts: dict[str, list[str]], seed: int | None = None
) -> PromptSet:
    classes = {
        code: ClassPrompts(
            name=item.name, prompts=tuple(Phrase(text=text, role="name") for text in texts[code])
        )
        for code, item in label_set.classes.items()
    }
    generator = Generator(kind="control", control=name, seed=seed)
    return PromptSet(label_set=label_set.name, generator=generator, classes=classes, name=name)
