"""Which knowledge entry a class means: declared, found by its exact name, or the nearest without conflict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from merl.errors import PromptError, unknown
from merl.knowledge.embedders import Vectors, embed_queries
from merl.knowledge.entries import Entry
from merl.knowledge.index import KnowledgeIndex
from merl.knowledge.lookup import normalise
from merl.knowledge.passages import passage_id
from merl.knowledge.wording import addition, conflict
from merl.label_sets import LabelClass, LabelSet

#: Least cosine between a class name and a name or synonym of an entry for a match that is not exact.
DENSE_THRESHOLD = 0.75
#: The same where the class's code is one of the entry's too; a code alone decides nothing, codes collide.
AGREED_THRESHOLD = 0.5
_ORDINARY = frozenset({"normal", "abnormal", "other", "unknown"})


@dataclass(frozen=True)
class Concept:
    """A class of a label set and what is known of it.

    Attributes:
        code: the class's code.
        name: its name as the label set writes it.
        entry: the knowledge entry it means; None where nothing is known.
        name_source: the passage its name rests on.
    """

    code: str
    name: str
    entry: Entry | None = None
    name_source: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name the class goes by; abbreviations of fewer than three letters mean too many things."""
        if not self.entry:
            return (self.name,)
        short = [text for text in self.entry.abbreviations if len(text) >= 3]
        return tuple(dict.fromkeys((self.name, self.entry.name, *self.entry.synonyms, *short)))

    @property
    def telling_names(self) -> tuple[str, ...]:
        """The names without the ordinary words of every report, such as that of a class called "Normal"."""
        return tuple(name for name in self.names if name.lower() not in _ORDINARY)


def find_concepts(
    label_set: LabelSet, index: KnowledgeIndex, unclear: dict[str, str] | None = None
) -> dict[str, Concept]:
    """Find what every class of a label set means, in the label set's order.

    Args:
        label_set: the classes.
        index: the knowledge.
        unclear: where given, takes classes that cannot be told, by code, with the reason; they mean nothing
            then.

    Raises:
        PromptError: a declared entry does not exist or a name has several meanings, without ``unclear``.
    """
    found: dict[str, Entry | None] = {}
    missing: dict[str, LabelClass] = {}
    for code, item in label_set.classes.items():
        try:
            found[code] = _declared(code, item, index) or _exact(code, item, index)
        except PromptError as problem:
            if unclear is None:
                raise
            found[code], unclear[code] = None, str(problem)
        else:
            if found[code] is None:
                missing[code] = item
    if missing:  # embedded together, which is faster
        vectors = embed_queries(index.embedder, [item.name for item in missing.values()])
        for row, (code, item) in enumerate(missing.items()):
            found[code] = _nearest(code, item, vectors[row : row + 1], index)
    return {code: _concept(code, item, found[code], index) for code, item in label_set.classes.items()}


def children(concept: Concept, concepts: Mapping[str, Concept], index: KnowledgeIndex) -> list[Entry]:
    """Return the kinds of a concept that neither belong to nor take in another class of the label set."""
    kinds = index.children(concept.entry.id) if concept.entry else []
    if concept.entry is None or not kinds:
        return []
    own = {concept.entry.id, *_ancestors(concept.entry, index)}
    others = {other.entry.id: other.entry for other in concepts.values() if other.entry}
    siblings = others.keys() - own
    broader = {above for sibling in siblings for above in _ancestors(others[sibling], index)}
    return [
        kind
        for kind in kinds
        if kind.id not in broader and not siblings & {kind.id, *_ancestors(kind, index)}
    ]


def sibling_names(concept: Concept, concepts: Mapping[str, Concept]) -> dict[str, tuple[str, ...]]:
    """Return the names by which a phrase would speak of another class, by that class's code."""
    return {code: other.telling_names for code, other in concepts.items() if other is not concept}


def _concept(code: str, item: LabelClass, entry: Entry | None, index: KnowledgeIndex) -> Concept:
    if entry is None:
        return Concept(code, item.name)
    same = normalise(item.name)
    named = (
        p.id for p in index.passages(entry.id) if p.kind in {"name", "synonym"} and normalise(p.text) == same
    )
    return Concept(code, item.name, entry, next(named, passage_id(entry.id, "name")))


def _declared(code: str, item: LabelClass, index: KnowledgeIndex) -> Entry | None:
    if item.entry is not None and item.entry not in index.entries:
        problem = unknown("knowledge entry", item.entry, index.entries)
        raise PromptError(f"class {code!r}: {problem}")
    return index.entries[item.entry] if item.entry else None


def _exact(code: str, item: LabelClass, index: KnowledgeIndex) -> Entry | None:
    found = [entry for entry, _ in index.names.by_name(item.name)] or index.names.by_code(item.name)
    if len(found) > 1:  # the code may tell the meanings of a name apart
        found = [entry for entry in found if entry in index.names.by_code(code)] or found
    if len(found) > 1:
        meanings = " or ".join(f"{entry.id} ({entry.name})" for entry in found)
        raise PromptError(
            f"class {code!r}: {item.name!r} may mean {meanings};"
            " give its full name, or its `entry` in the label set"
        )
    return found[0] if found else None


def _nearest(code: str, item: LabelClass, vector: Vectors, index: KnowledgeIndex) -> Entry | None:
    """Take the nearest name that says neither the opposite of the class name, nor more, nor less than it.

    Nearness alone confuses opposites: "QT interval extension" lies nearest to "shortened QT interval". What
    is true of any old infarction need not be true of an inferior one.
    """
    ranked = index.nearest(vector, frozenset({"name", "synonym"}))
    coded = [entry.id for entry in index.names.by_code(code)]
    for passage, score in ranked:
        if passage.entry in coded and score >= AGREED_THRESHOLD and not conflict(item.name, passage.text):
            return index.entries[passage.entry]
    for passage, score in ranked:
        if score < DENSE_THRESHOLD:
            break
        entry = index.entries[passage.entry]
        names = (passage.text, entry.name)
        differs = any(conflict(item.name, text) or addition(item.name, text) for text in names)
        if not differs and not all(addition(text, item.name) for text in names):
            return entry
    return None


def _ancestors(entry: Entry, index: KnowledgeIndex) -> set[str]:
    found: set[str] = set()
    open_ids = list(entry.is_a)
    while open_ids:
        parent = open_ids.pop()
        if parent not in found and parent in index.entries:
            found.add(parent)
            open_ids += index.entries[parent].is_a
    return found
