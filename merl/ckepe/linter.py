"""The linter: what is wrong with a prompt set, before it is scored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from merl.ckepe.concepts import Concept, find_concepts
from merl.ckepe.diffing import same_meaning
from merl.ckepe.faults import FaultFinder, german_names
from merl.ckepe.grounding import ground
from merl.ckepe.importing import Imported, split_set
from merl.ckepe.prompt_set import Phrase, PromptSet
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.lookup import fold_words
from merl.knowledge.wording import read_wording
from merl.label_sets import LabelClass, LabelSet, load_label_set, shipped_label_sets

Severity = Literal["error", "warning"]
#: What is looked for, and how grave it is.
KINDS: Mapping[str, Severity] = MappingProxyType(
    {
        "missing-class": "error",
        "unknown-class": "error",
        "empty-class": "error",
        "chatter": "error",
        "contradiction": "error",
        "other-class": "error",
        "other-condition": "error",
        "shared": "error",
        "number": "error",
        "too-long": "error",
        "collision": "error",
        "non-english": "warning",
        "unsupported": "warning",
        "no-knowledge": "warning",
        "near-duplicate": "warning",
        "close-classes": "warning",
        "same-key": "warning",
    }
)
_NAMES = {"name", "synonym"}
#: Cosine of two class embeddings from which on they are hardly told apart.
CLOSEST = 0.98


class TokenCounter(Protocol):
    """A text encoder, as far as the linter needs it."""

    name: str
    max_tokens: int

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: one of ``KINDS``.
        code: the class; ``None`` where it concerns no single one.
        text: the phrase; ``None`` where it concerns the class.
        message: what is wrong with it, in words that follow the phrase.
        others: the other classes it concerns.
    """

    kind: str
    code: str | None
    text: str | None
    message: str
    others: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """Whether it is an error or a warning."""
        return KINDS[self.kind]


def lint(
    prompt_set: PromptSet,
    *,
    label_set: LabelSet | None = None,
    index: KnowledgeIndex | None = None,
    encoder: TokenCounter | None = None,
    embeddings: NDArray[np.float32] | None = None,
    closest: float = CLOSEST,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Finding]:
    """Look for everything that is wrong with a prompt set.

    Joined phrases of an imported set are judged by their parts.

    Args:
        prompt_set: any prompt set.
        label_set: the classes it should have; by default those of the shipped label set of that name.
        index: the knowledge; the shipped one by default.
        encoder: the text encoder that has to read the phrases; without it lengths are not looked at.
        embeddings: unit-length class embeddings, (classes, dim) in the set's order, to find close ones.
        closest: the cosine from which on two classes are too close.
        progress: told of every finished class.

    Returns:
        Findings, class by class in the set's order; first what concerns the classes themselves.

    Raises:
        PromptError: a class name has several meanings.
    """
    if label_set is None and prompt_set.label_set in shipped_label_sets():
        label_set = load_label_set(prompt_set.label_set)
    index = index or KnowledgeIndex.default()
    parted = split_set(prompt_set)
    found = _classes(prompt_set, label_set)
    found += _phrases(parted, index, progress)
    found += shared_phrases(parted)
    for code, item in parted.classes.items():
        found += _repeated(code, item.prompts)
    if encoder is not None:
        found += _long(prompt_set, encoder)
    if embeddings is not None:
        found += _close(prompt_set, embeddings, closest)
    places = {code: place for place, code in enumerate(prompt_set.classes)}
    return sorted(found, key=lambda item: places.get(item.code or "", -1))


def collisions(imports: Sequence[Imported]) -> list[Finding]:
    """Find the keys of one flat file that serve several label sets, whatever they mean there."""
    served: dict[str, dict[str, LabelClass]] = defaultdict(dict)
    for item in imports:
        for code, key in item.used.items():
            served[key][item.label_set.name] = item.label_set.classes[code]
    found = []
    for key, meant in served.items():
        if len(meant) > 1:
            entries = {one.entry for one in meant.values()}
            kind = "same-key" if len(entries) == 1 and None not in entries else "collision"
            said = ", ".join(f"{one.name!r} in {name}" for name, one in meant.items())
            message = f"is one key for {len(meant)} label sets: {said}"
            found.append(Finding(kind, key, None, message, tuple(meant)))
    return found


def _classes(prompt_set: PromptSet, label_set: LabelSet | None) -> list[Finding]:
    found = [
        Finding("empty-class", code, None, "has no phrase that speaks for it")
        for code, item in prompt_set.classes.items()
        if not item.present
    ]
    if label_set is None:
        return found
    missing = [code for code in label_set.classes if code not in prompt_set.classes]
    extra = [code for code in prompt_set.classes if code not in label_set.classes]
    found += [Finding("missing-class", code, None, f"of {label_set.name} is missing") for code in missing]
    return found + [
        Finding("unknown-class", code, None, f"is no class of {label_set.name}") for code in extra
    ]


def _phrases(
    prompt_set: PromptSet, index: KnowledgeIndex, progress: Callable[[str, int, int], None] | None
) -> list[Finding]:
    concepts: dict[str, Concept] = find_concepts(prompt_set.as_label_set(), index)
    german = german_names(index)
    finders = {code: FaultFinder(concept, concepts, index, german) for code, concept in concepts.items()}
    found = [
        Finding("no-knowledge", code, None, f"({concept.name}) is not known, so its phrases are not checked")
        for code, concept in concepts.items()
        if concept.entry is None
    ]
    for judgement in ground(prompt_set, index=index, progress=progress):
        if fault := finders[judgement.code].find(judgement):
            kind, message, others = fault
            found.append(Finding(kind, judgement.code, judgement.phrase.text, message, others))
    return found


def shared_phrases(prompt_set: PromptSet) -> list[Finding]:
    """Find what speaks for several classes, in the same words or others of one meaning."""
    buckets: dict[object, list[tuple[str, str]]] = defaultdict(list)
    for code, item in prompt_set.classes.items():
        for text in item.present:
            buckets[read_wording(text).words or text.casefold()].append((code, text))
    found = []
    for bucket in buckets.values():
        for code, text in bucket:
            others = [other for other, said in bucket if other != code and same_meaning(text, said)]
            if others:
                named = tuple(dict.fromkeys(others))
                message = f"speaks for {', '.join(named)} too, so it cannot tell them apart"
                found.append(Finding("shared", code, text, message, named))
    return found


def _repeated(code: str, phrases: Sequence[Phrase]) -> list[Finding]:
    """Find what is said twice; names and synonyms may say one thing in several words."""
    found = []
    for place, phrase in enumerate(phrases):
        twins = [other for other in phrases[:place] if same_meaning(phrase.text, other.text)]
        if any(twin.polarity != phrase.polarity for twin in twins):
            message = "is said to speak for the class and against it"
            found.append(Finding("contradiction", code, phrase.text, message))
            continue
        words = fold_words(phrase.text)
        twins = [
            twin for twin in twins if not _NAMES & {twin.role, phrase.role} or fold_words(twin.text) == words
        ]
        if twins:
            message = f"says the same as {twins[0].text!r}"
            found.append(Finding("near-duplicate", code, phrase.text, message))
    return found


def _long(prompt_set: PromptSet, encoder: TokenCounter) -> list[Finding]:
    found = []
    for code, item in prompt_set.classes.items():
        for phrase in item.prompts:
            if len(phrase.text) + 2 <= encoder.max_tokens:  # a token is a letter or more
                continue
            if (count := encoder.count_tokens(phrase.text)) > encoder.max_tokens:
                message = f"has {count} tokens and {encoder.name} reads {encoder.max_tokens}"
                found.append(Finding("too-long", code, phrase.text, message))
    return found


def _close(prompt_set: PromptSet, embeddings: NDArray[np.float32], closest: float) -> list[Finding]:
    codes, cosines = list(prompt_set.classes), embeddings @ embeddings.T
    return [
        Finding(
            "close-classes",
            codes[i],
            None,
            f"is hardly told from {codes[j]}: the cosine of their embeddings is {cosines[i, j]:.3f}",
            (codes[j],),
        )
        for i, j in combinations(range(len(codes)), 2)
        if cosines[i, j] >= closest
    ]
