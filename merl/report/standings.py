"""Where the prompt sets stand: their macro figures, and differences that are tested together.

p values are adjusted by Holm's method within a family: the prompt sets set against one baseline, or the
controls set against one. The verdict takes its p value of the same family, so that page and sentence agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from merl.evaluation.metrics import MIN_POSITIVES
from merl.evaluation.result import Comparison, Differences, PromptSetResult, Result
from merl.report.verdict import Tested, Verdict, adjusted, kinds, turned

_OTHERS = "cdef"  # colours of sets that are in neither side of the verdict's pair
_EVERY, _FREQUENT = ("All classes", 0), (f"{MIN_POSITIVES}+ positives", MIN_POSITIVES)
#: A title, then for each column a figure and its interval in the result, over which classes, and how many
#: positives these have at least.
_FIGURES: dict[str, tuple[Any, ...]] = {
    "auroc": (
        "Macro AUROC",
        ("macro_auroc", "interval", *_EVERY),
        ("macro_auroc_min10", "interval_min10", *_FREQUENT),
    ),
    "precision": (
        "Macro average precision",
        ("macro_average_precision", "average_precision_interval", *_EVERY),
        ("macro_average_precision_min10", "average_precision_interval_min10", *_FREQUENT),
    ),
}


@dataclass(frozen=True)
class SetRow:
    """A prompt set with its colour and its difference."""

    item: PromptSetResult
    colour: str
    control: bool
    pair: Comparison | None  # against the baseline, or where that was not compared, what it was compared with

    def threshold(self, code: str) -> float | None:
        """The score from which on a record is said to have a class, if the validation fold gave one."""
        fitted = self.item.calibration.per_class.get(code) if self.item.calibration else None
        return fitted.threshold if fitted else None


@dataclass(frozen=True)
class Standing:
    """A mean over classes, and its difference from that of the set that the row is compared with."""

    value: float | None
    interval: tuple[float, float] | None
    gap: Tested | None


@dataclass(frozen=True)
class Table:
    """One macro figure of every prompt set.

    Attributes:
        key: tells it from other tables of the page.
        title: what the figure is.
        heads: of its columns: over which classes, and what chance reaches.
        rows: each prompt set with a standing for each column, controls last.
        low: the least value that its ranges show; 1 is the highest.
        families: how many differences of prompt sets and of controls are tested together.
    """

    key: str
    title: str
    heads: list[tuple[str, float]]
    rows: list[tuple[SetRow, list[Standing]]]
    low: float
    families: tuple[int, int]


def set_rows(result: Result, verdict: Verdict) -> list[SetRow]:
    """The prompt sets, the baseline first and controls last, each with its colour and difference."""
    known, first = kinds(result), verdict.baseline.name
    colours = _colours([name for name, kind in known.items() if kind != "control"], verdict)
    rows = [
        SetRow(
            item=item,
            colour=colours.get(item.name, "soft"),
            control=known[item.name] == "control",
            pair=None if item.name == first else _pair(result, first, item.name),
        )
        for item in result.prompt_sets
    ]
    return sorted(rows, key=lambda row: (row.control, row.item.name != first))


def tables(result: Result, rows: Sequence[SetRow]) -> list[Table]:
    """Return the table of the AUROC and, where it was computed, that of the average precision."""
    there = ["auroc"] if rows[0].item.macro_average_precision is None else list(_FIGURES)
    return [_table(key, result, rows) for key in there]


def _table(key: str, result: Result, rows: Sequence[SetRow]) -> Table:
    title, *columns = _FIGURES[key]
    columns = [column for column in columns if getattr(rows[0].item, column[0]) is not None]
    pairs = [row.pair if key == "auroc" or not row.pair else row.pair.average_precision for row in rows]
    families = [(row.control, row.pair.a) if row.pair else None for row in rows]
    gaps = [_together(pairs, families, frequent=least > 0) for *_, least in columns]
    standings = [
        [
            Standing(getattr(row.item, value), getattr(row.item, interval), gaps[place][i])
            for place, (value, interval, *_) in enumerate(columns)
        ]
        for i, row in enumerate(rows)
    ]
    lows = [first.interval[0] for first, *_ in standings if first.interval]
    return Table(
        key=key,
        title=title,
        heads=[(over, 0.5 if key == "auroc" else _share(result, least)) for *_, over, least in columns],
        rows=list(zip(rows, standings, strict=True)),
        low=min(0.5, *lows) if key == "auroc" else 0.0,
        families=(families.count((False, rows[0].item.name)), sum(row.control for row in rows if row.pair)),
    )


def _together(
    pairs: Sequence[Differences | None], families: Sequence[object], *, frequent: bool
) -> list[Tested | None]:
    """Adjust the differences of each family together."""
    found: list[Tested | None] = [None] * len(pairs)
    for one_family in dict.fromkeys(families):
        family = {i: pair for i, pair in enumerate(pairs) if pair and families[i] == one_family}
        tested = adjusted(list(family.values()), frequent=frequent)
        for i, one in zip(family, tested, strict=True):
            found[i] = one
    return found


def _share(result: Result, least: int) -> float:
    """The share of positives, which is what chance reaches in average precision, in the mean over classes."""
    classes = result.prompt_sets[0].per_class.values()
    shares = [
        item.positives / result.n_records
        for item in classes
        if item.auroc is not None and item.positives >= least
    ]
    return sum(shares) / max(1, len(shares))


def _pair(result: Result, first: str, name: str) -> Comparison | None:
    """The difference of a set from the baseline, or from whatever it was compared with."""
    others = [pair.b if pair.a == name else pair.a for pair in result.comparisons if name in (pair.a, pair.b)]
    return next((pair for other in (first, *others) if (pair := turned(result, other, name))), None)


def _colours(names: Sequence[str], verdict: Verdict) -> dict[str, str]:
    """A colour for each set that is no control: ``a`` the baseline, ``b`` what wants to beat it."""
    led = {verdict.baseline.name: "a"} | ({verdict.pair.b: "b"} if verdict.pair else {})
    others = [name for name in names if name not in led]
    return led | {name: _OTHERS[place % len(_OTHERS)] for place, name in enumerate(others)}
