"""The overlap of two label sets, from what the knowledge base says their classes are kinds of."""

from __future__ import annotations

from collections.abc import Mapping

from merl.knowledge.entries import Entry
from merl.label_sets import LabelClass, LabelSet
from merl.overlap import ClassOverlap, Overlap

_IDENTIFYING = {"scp": "SCP-ECG", "snomed": "SNOMED CT", "aha": "AHA"}  # ICD-10 and Minnesota lump concepts


def find_overlap(source: LabelSet, target: LabelSet, entries: Mapping[str, Entry]) -> Overlap:
    """Say for each class of the target which classes of the source stand for it.

    That is the class of the same concept (the same entry, or one that shares a code of SCP-ECG, SNOMED CT or
    the AHA); if there is none, all classes that are kinds of it; if there is none, the nearest classes that
    it is itself a kind of.
    """
    known = {code: entry for code, item in source.classes.items() if (entry := _entry(item, entries))}
    return Overlap(
        source=source.name,
        target=target.name,
        classes={
            code: _stand_ins(_entry(item, entries), known, entries, source.name)
            for code, item in target.classes.items()
        },
    )


def _entry(item: LabelClass, entries: Mapping[str, Entry]) -> Entry | None:
    """Return the entry a class means: declared, or the only one of its SNOMED CT code."""
    if item.entry:
        return entries.get(item.entry)
    coded = [entry for entry in entries.values() if item.snomed and item.snomed in entry.codes.snomed]
    return coded[0] if len(coded) == 1 else None


def _stand_ins(
    entry: Entry | None, known: Mapping[str, Entry], entries: Mapping[str, Entry], source: str
) -> ClassOverlap:
    if entry is None:
        return ClassOverlap(sources=(), reason="no knowledge entry says what it is")
    same = tuple(code for code, other in known.items() if other.id == entry.id or _shared(entry, other))
    if same:
        shared = _shared(entry, known[same[0]])
        reason = f"the same concept, {_called(entry)}" + (f" ({shared})" if shared else "")
        return ClassOverlap(sources=same, reason=reason)
    kinds = tuple(code for code, other in known.items() if entry.id in _above(other, entries))
    if kinds:
        verb = "is a kind" if len(kinds) == 1 else "are kinds"
        return ClassOverlap(sources=kinds, reason=f"{', '.join(kinds)} {verb} of {_called(entry)}")
    distance = _above(entry, entries)
    broader = {code: distance[other.id] for code, other in known.items() if other.id in distance}
    if not broader:
        reason = f"no class of {source} is {_called(entry)}, a kind of it or what it is a kind of"
        return ClassOverlap(sources=(), reason=reason)
    nearest = tuple(code for code, steps in broader.items() if steps == min(broader.values()))
    reason = f"{_called(entry)} is a kind of {' and '.join(_called(known[code]) for code in nearest)}"
    return ClassOverlap(sources=nearest, take="lowest" if len(nearest) > 1 else "highest", reason=reason)


def _above(entry: Entry, entries: Mapping[str, Entry]) -> dict[str, int]:
    """Return the entries that one is a kind of, with the number of steps to each."""
    found: dict[str, int] = {}
    level, steps = set(entry.is_a), 1
    while level := level - found.keys():
        found |= dict.fromkeys(level, steps)
        level, steps = {above for one in level if one in entries for above in entries[one].is_a}, steps + 1
    return found


def _shared(one: Entry, other: Entry) -> str:
    """Name a code that two entries share in a vocabulary that tells concepts apart, or return nothing."""
    for vocabulary, name in _IDENTIFYING.items():
        theirs = getattr(other.codes, vocabulary)
        if common := [code for code in getattr(one.codes, vocabulary) if code in theirs]:
            return f"{name} {common[0]}"
    return ""


def _called(entry: Entry) -> str:
    return f"{entry.name} [{entry.id}]"
