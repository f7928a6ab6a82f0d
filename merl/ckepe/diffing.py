"""What changed between two prompt sets in what they say, class by class."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from merl.ckepe.prompt_set import Phrase, PromptSet
from merl.knowledge.quantities import take_quantities
from merl.knowledge.wording import conflict, content_words, read_wording, stem

ChangeKind = Literal["same", "reworded", "near", "changed", "removed", "added"]
_TELLING = frozenset(
    {"duration", "segment", "segments", "more", "less", "least", "most"}
    | {"both", "between", "within", "than", "over", "under"}
)
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Change:
    """What became of a phrase.

    Attributes:
        code: its class.
        kind: ``reworded`` says the same in other words, ``near`` only an embedding thinks so; ``changed``
            has another role or polarity.
        before: the phrase in the first set; ``None`` where it was added.
        after: the phrase in the second set; ``None`` where it was removed.
    """

    code: str
    kind: ChangeKind
    before: Phrase | None
    after: Phrase | None


@dataclass(frozen=True)
class Difference:
    """How the second set differs from the first.

    Attributes:
        changes: every phrase of both, in the order of the classes.
        removed_classes: classes of the first set alone.
        added_classes: classes of the second set alone.
        renamed: the names of a class in both, where they differ.
    """

    changes: tuple[Change, ...]
    removed_classes: tuple[str, ...]
    added_classes: tuple[str, ...]
    renamed: dict[str, tuple[str, str]]

    def of(self, *kinds: ChangeKind) -> list[Change]:
        """The changes of some kinds."""
        return [change for change in self.changes if change.kind in kinds]


def same_meaning(text: str, other: str) -> bool:
    """Tell whether two phrases say the same: words by family and negation, leads, numbers, places, order.

    >>> same_meaning("prolonged PR interval", "long PR intervals")
    True
    >>> same_meaning("PR interval above 200 ms", "PR interval below 200 ms")
    False
    """
    if " ".join(text.casefold().split()) == " ".join(other.casefold().split()):
        return True
    one, two = read_wording(text), read_wording(other)
    if not one.words or (one.words, one.leads, one.attributes) != (two.words, two.leads, two.attributes):
        return False
    if (one.order, one.walls, one.placed, one.compared) != (two.order, two.walls, two.placed, two.compared):
        return False
    if _told_apart(text) != _told_apart(other) or _in_order(text) != _in_order(other):
        return False
    pairs = ((one.quantities, two.quantities), (two.quantities, one.quantities))
    return all(any(a.agrees(b) for b in others) for some, others in pairs for a in some)


def diff(
    before: PromptSet, after: PromptSet, *, near: float | None = None, embed: Embed | None = None
) -> Difference:
    """Compare what two prompt sets say.

    Args:
        before: one set.
        after: another one, of the same or other classes.
        near: least cosine at which two phrases left over count as near in meaning; opposites never do.
        embed: texts to unit-length embeddings, (texts, dim); needed with ``near``.
    """
    changes: list[Change] = []
    for code in [*before.classes, *(code for code in after.classes if code not in before.classes)]:
        old = list(before.classes[code].prompts) if code in before.classes else []
        new = list(after.classes[code].prompts) if code in after.classes else []
        changes += _class_changes(code, old, new, near, embed)
    both = [code for code in before.classes if code in after.classes]
    names = {code: (before.classes[code].name, after.classes[code].name) for code in both}
    return Difference(
        changes=tuple(changes),
        removed_classes=tuple(code for code in before.classes if code not in after.classes),
        added_classes=tuple(code for code in after.classes if code not in before.classes),
        renamed={code: pair for code, pair in names.items() if pair[0] != pair[1]},
    )


def _class_changes(
    code: str, old: list[Phrase], new: list[Phrase], near: float | None, embed: Embed | None
) -> list[Change]:
    changes: list[Change] = []
    tests: list[Callable[[Phrase, Phrase], bool]] = [
        lambda a, b: a.text == b.text and _use(a) == _use(b),
        lambda a, b: same_meaning(a.text, b.text) and _use(a) == _use(b),
        lambda a, b: same_meaning(a.text, b.text),
    ]
    for test in tests:
        for phrase in list(old):
            other = next((item for item in new if test(phrase, item)), None)
            if other is not None:
                old.remove(phrase)
                new.remove(other)
                changes.append(Change(code, _kind(phrase, other), phrase, other))
    if near is not None and embed is not None and old and new:
        changes += _near(code, old, new, near, embed)
    removed = [Change(code, "removed", phrase, None) for phrase in old]
    return changes + removed + [Change(code, "added", None, phrase) for phrase in new]


def _near(code: str, old: list[Phrase], new: list[Phrase], least: float, embed: Embed) -> list[Change]:
    """Pair what is left, the nearest first, and take the pairs out of both lists."""
    cosines = embed([phrase.text for phrase in old]) @ embed([phrase.text for phrase in new]).T
    pairs = sorted(
        ((float(cosines[i, j]), a, b) for i, a in enumerate(old) for j, b in enumerate(new)),
        key=lambda item: -item[0],
    )
    changes = []
    for cosine, a, b in pairs:
        fits = cosine >= least and a.polarity == b.polarity and not conflict(a.text, b.text)
        if fits and a in old and b in new:
            old.remove(a)
            new.remove(b)
            changes.append(Change(code, "near", a, b))
    return changes


def _kind(before: Phrase, after: Phrase) -> ChangeKind:
    if _use(before) != _use(after):
        return "changed"
    return "same" if before.text == after.text else "reworded"


def _use(phrase: Phrase) -> tuple[str, str]:
    return phrase.role, phrase.polarity


def _told_apart(text: str) -> frozenset[str]:
    """The words that support of a phrase may overlook, but sameness may not."""
    _, rest = take_quantities(re.sub(r"\bst[\s-]+segments?\b", "st", text.lower()))
    return _TELLING & set(re.findall(r"[a-z]+", rest))


def _in_order(text: str) -> list[str]:
    """The words that have an opposite, in order: a left atrium and a right ventricle are not the reverse."""
    opposed = {stem(value) for _, value, _ in read_wording(text).attributes}
    return [word for word in content_words(text) if word in opposed]
