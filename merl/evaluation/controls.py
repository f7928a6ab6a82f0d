"""The rows of a result: the prompt sets given and, beside them, what a good one has to beat."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from merl.ckepe.control_sets import random_words, shuffled, templated
from merl.ckepe.prompt_set import PromptSet
from merl.errors import UsageError

if TYPE_CHECKING:
    from merl.model import MERL

RANDOM_ENCODER = "random-encoder"
SEED = 0


@dataclass(frozen=True)
class Row:
    """What is scored.

    Attributes:
        name: of the row in the result.
        prompt_set: what ECGs are scored with.
        control: what it shows, in words; ``None`` for a prompt set that was given.
        untrained: whether an untrained encoder embeds the ECGs.
    """

    name: str
    prompt_set: PromptSet
    control: str | None = None
    untrained: bool = False


def rows_of(sets: Sequence[PromptSet], *, controls: bool, seed: int = SEED) -> list[Row]:
    """Return a row for each prompt set and, if asked for, the controls of the one given last.

    A control that is among the sets given is not added again.

    Args:
        sets: at least one; the last is the one under test.
        controls: class names, a template, shuffled classes, random words and a random encoder.
        seed: of what is drawn at random.

    Raises:
        UsageError: a prompt set has the name of a control and is another.
    """
    rows = [Row(item.name, item) for item in sets]
    if not controls:
        return rows
    tested = sets[-1]
    label_set = tested.as_label_set()
    made = {
        "plain": (PromptSet.plain(label_set), "class names alone"),
        "template": (templated(label_set, "template"), "class names in a sentence"),
        "random-words": (random_words(tested, seed), "class names with random words"),
        RANDOM_ENCODER: (tested, f"{tested.name} with an untrained ECG encoder"),
    }
    if len(tested.classes) > 1:
        made["shuffled"] = (shuffled(tested, seed), f"{tested.name} with its classes shuffled")
    given = {item.name: item for item in sets}
    for name, (prompt_set, words) in made.items():
        if name not in given:
            rows.append(Row(name, prompt_set, words, untrained=name == RANDOM_ENCODER))
        elif _kind(given[name]) != _kind(prompt_set):
            raise UsageError(
                f"the prompt set {name!r} has the name of a control and is none; rename it, or leave out"
                " --controls"
            )
    return rows


def _kind(prompt_set: PromptSet) -> tuple[str, str | None]:
    return prompt_set.generator.kind, prompt_set.generator.control


def untrained_encoder(model: MERL, seed: int = SEED) -> MERL:
    """Build an ECG encoder as a model has it, with its heads, and train it on nothing.

    Checkpoints of one architecture and signal specification share it. It cannot read text: prompts are for
    the model itself to embed.

    Args:
        model: whose architecture it has.
        seed: of its weights; torch's own state of chance is left as it is.
    """
    import torch

    from merl.model import MERL, TextIdentity

    facts = {"name": RANDOM_ENCODER, "training": None, "text": TextIdentity(place="absent")}
    config = model.config.model_copy(update=facts)
    identity = hashlib.sha256(json.dumps([config.model_dump_json(), seed]).encode()).hexdigest()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MERL(config, sha256=identity).eval()
