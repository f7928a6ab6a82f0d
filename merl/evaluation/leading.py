"""Which prompt sets of a result are set against which: a baseline, and those that want to beat it."""

from __future__ import annotations

from collections.abc import Mapping


def kind_of(name: str, generator: str | None = None, control: str | None = None) -> str | None:
    """Return what kind of prompt set a row has: ``plain``, ``control`` or as its generator says.

    Args:
        name: of the row.
        generator: the kind of its generator, if that is known.
        control: what the row shows, if it was added as a control.
    """
    if (generator or name) == "plain":
        return "plain"
    return "control" if control is not None else generator


def leading(kinds: Mapping[str, str | None], macro: Mapping[str, float]) -> tuple[str, list[str]]:
    """Tell the baseline from the sets that want to beat it.

    Args:
        kinds: of each prompt set, in the order they were given.
        macro: the macro AUROC of each.

    Returns:
        The baseline: the plain class names, or else the set given first that is no control. The others, best
        first, without controls unless there is nothing else; none for a single set.
    """
    plain = [name for name, kind in kinds.items() if kind == "plain"]
    baseline = next(iter(plain or [name for name, kind in kinds.items() if kind != "control"] or kinds))
    others = [name for name in kinds if name != baseline]
    meant = [name for name in others if kinds[name] != "control"] or others
    return baseline, sorted(meant, key=lambda name: -macro[name])
