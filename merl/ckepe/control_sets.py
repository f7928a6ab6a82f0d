"""Prompt sets that a good one has to beat; they are made of names and of its own phrases alone."""

from __future__ import annotations

import numpy as np

from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet
from merl.errors import UsageError
from merl.label_sets import LabelSet

#: Sentences around a class's name.
TEMPLATES = {"template": "this ECG shows {name}", "mets": "The report of the ECG is that {name}"}
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


def templated(label_set: LabelSet, name: str) -> PromptSet:
    """Say each class's name within a sentence, ``template`` or ``mets``."""
    texts = {
        code: [TEMPLATES[name].format(name=item.name.lower())] for code, item in label_set.classes.items()
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
