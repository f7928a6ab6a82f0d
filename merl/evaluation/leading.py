"""Which prompt sets of a result are set against which: a baseline, and those that want to beat it."""

from __future__ import annotations

from collections.abc import Mapping

#: Controls by the names that ``merl prompts controls`` gives them, where nothing else tells.
_CONTROLS = frozenset({"template", "mets", "shuffled", "random-words", "no-retrieval"})


def kind_of(name: str, kind: str | None = None) -> str | None:
    """Return what kind of prompt set it is, as its generator says or else as its name does."""
    return kind or ("plain" if name == "plain" else "control" if name in _CONTROLS else None)


def leading(kinds: Mapping[str, str | None], macro: Mapping[str, float]) -> tuple[str, list[str]]:
    """Tell the baseline from the sets that want to beat it.

    Args:
        kinds: of each prompt set, in the order they were given.
        macro: the macro AUROC of each.

    Returns:
        The baseline: the plain names, or else the set given first that is no control. The others, best first,
        without controls unless there is nothing else; none for a single set.
    """
    plain = [name for name, kind in kinds.items() if kind == "plain"]
    baseline = next(iter(plain or [name for name, kind in kinds.items() if kind != "control"] or kinds))
    others = [name for name in kinds if name != baseline]
    meant = [name for name in others if kinds[name] != "control"] or others
    return baseline, sorted(meant, key=lambda name: -macro[name])
