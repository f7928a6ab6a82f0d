"""The verdict of a comparison in a sentence, and nothing in it that chance could have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from merl.evaluation.intervals import holm
from merl.evaluation.leading import kind_of, leading
from merl.evaluation.result import Comparison, Differences, PromptSetResult, Result

LEVEL = 0.05  # what a p value has to be below


@dataclass(frozen=True)
class Tested:
    """A difference with a p value adjusted by Holm's method for ``tests`` comparisons."""

    difference: float
    interval: tuple[float, float]
    p_value: float
    tests: int

    @property
    def beyond(self) -> bool:
        """Whether chance does not explain it."""
        return self.p_value < LEVEL and not self.interval[0] <= 0 <= self.interval[1]

    def reversed(self) -> Tested:
        """The same with the two sides in each other's place."""
        return replace(self, difference=-self.difference, interval=_mirror(self.interval))


@dataclass(frozen=True)
class Verdict:
    """Who is set against whom, and how it ended.

    Attributes:
        baseline: the prompt set to beat; the best one where nothing was compared.
        others: those that want to beat it, best first.
        pair: the best of them against the baseline, its differences that set minus the baseline.
        winner: ``None`` if chance explains the difference, or nothing was compared.
        claim: who wins, as the beginning of a sentence.
        figures: its end: by how much, and how surely.
        further: sentences on the average precision and on single classes.
    """

    baseline: PromptSetResult
    others: list[PromptSetResult]
    pair: Comparison | None
    winner: str | None
    claim: str
    figures: str
    further: tuple[str, ...] = ()


def judge(result: Result) -> Verdict:
    """Say which prompt set wins, by how much and how surely."""
    sets = {item.name: item for item in result.prompt_sets}
    first, names = leading(kinds(result), {name: item.macro_auroc for name, item in sets.items()})
    pairs = {name: pair for name in names if (pair := turned(result, first, name))}
    if not pairs:
        alone = max(result.prompt_sets, key=lambda item: item.macro_auroc)
        claim = f"{alone.name} reaches a macro AUROC of {alone.macro_auroc:.3f}"
        figures = f"95 % interval {_range(alone.interval)}; it was compared with no other prompt set."
        return Verdict(alone, [], None, None, claim, figures)
    best = next(iter(pairs))
    pair = pairs[best]
    tested = adjusted(list(pairs.values()))[0]
    turn = tested.beyond and tested.difference < 0
    shown, gap = (_reverse(pair), tested.reversed()) if turn else (pair, tested)
    return Verdict(
        baseline=sets[first],
        others=[sets[name] for name in pairs],
        pair=pair,
        winner=shown.b if tested.beyond else None,
        claim=f"{shown.b} beats {shown.a}"
        if tested.beyond
        else f"No difference in macro AUROC between {best} and {first} is beyond chance",
        figures=f"macro AUROC {sets[shown.b].macro_auroc:.3f} against {sets[shown.a].macro_auroc:.3f},"
        f" a difference of {signed(gap.difference)} ({_gap(gap)}{_how_many(gap)}).",
        further=(*_precision(pairs), _classes(pair)),
    )


def adjusted(family: Sequence[Differences], *, frequent: bool = False) -> list[Tested]:
    """Adjust the p values of differences that are tested together.

    Args:
        family: the differences.
        frequent: take the means over classes with 10 positives or more.
    """
    gaps = [
        (gap.difference_min10, gap.interval_min10, gap.p_value_min10)
        if frequent
        else (gap.difference, gap.interval, gap.p_value)
        for gap in family
    ]
    known = [(gap, ends, p) for gap, ends, p in gaps if gap is not None and ends and p is not None]
    p_values = holm([p for *_, p in known])
    return [
        Tested(gap, ends, float(p), len(known)) for (gap, ends, _), p in zip(known, p_values, strict=True)
    ]


def _gap(gap: Tested) -> str:
    return f"95 % interval {_range(gap.interval, sign=True)}; {p(gap.p_value)}"


def _precision(pairs: dict[str, Comparison]) -> list[str]:
    """A sentence on the best set's average precision, and on others' that are beyond chance."""
    found = {name: gap for name, pair in pairs.items() if (gap := pair.average_precision)}
    every, frequent = adjusted(list(found.values())), adjusted(list(found.values()), frequent=True)
    sentences = []
    for number, name in enumerate(found):
        told = [every[number], *frequent[number : number + 1]]
        if number and not any(one.beyond for one in told):
            continue
        parts = [_better(pairs[name].a, name, gap) for gap in told]
        ten = f"; over classes with 10 positives or more {parts[1]}" if parts[1:] else ""
        sentences.append(f"By average precision {parts[0]}{ten}{_how_many(told[0])}.")
    return sentences


def _better(a: str, b: str, gap: Tested) -> str:
    if not gap.beyond:
        return f"no difference between {b} and {a} is beyond chance ({signed(gap.difference)}, {_gap(gap)})"
    winner, loser = (b, a) if gap.difference > 0 else (a, b)
    forward = gap if gap.difference > 0 else gap.reversed()
    return f"{winner} is better than {loser} ({signed(forward.difference)}, {_gap(forward)})"


def _how_many(gap: Tested) -> str:
    return f", adjusted for {gap.tests} comparisons" if gap.tests > 1 else ""


def kinds(result: Result) -> dict[str, str | None]:
    """What kind of prompt set each is, as its generator says, or its name."""
    made = result.evidence.prompt_sets if result.evidence else {}
    return {
        item.name: kind_of(
            item.name, made[item.name].generator.kind if item.name in made else None, item.control
        )
        for item in result.prompt_sets
    }


def turned(result: Result, baseline: str, other: str) -> Comparison | None:
    """The comparison of two sets with its differences as ``other`` minus ``baseline``, if there is one."""
    for pair in result.comparisons:
        if (pair.a, pair.b) == (baseline, other):
            return pair
        if (pair.a, pair.b) == (other, baseline):
            return _reverse(pair)
    return None


def _reverse(pair: Comparison) -> Comparison:
    precision = pair.average_precision
    turned = {"a": pair.b, "b": pair.a, "average_precision": precision and _negative(precision)}
    return _negative(pair).model_copy(update=turned)


Gaps = TypeVar("Gaps", bound=Differences)


def _negative(gaps: Gaps) -> Gaps:
    per_class = {
        code: gap.model_copy(update={"difference": -gap.difference, "interval": _mirror(gap.interval)})
        for code, gap in gaps.per_class.items()
    }
    ten = gaps.difference_min10
    update = {
        "difference": -gaps.difference,
        "interval": _mirror(gaps.interval),
        "difference_min10": None if ten is None else -ten,
        "interval_min10": gaps.interval_min10 and _mirror(gaps.interval_min10),
        "per_class": per_class,
    }
    return gaps.model_copy(update=update)


def _mirror(interval: tuple[float, float]) -> tuple[float, float]:
    return -interval[1], -interval[0]


def _classes(pair: Comparison) -> str:
    sure = {code: gap for code, gap in pair.per_class.items() if gap.p_holm < LEVEL}
    if not sure:
        return f"In none of the {len(pair.per_class)} classes is the difference beyond chance, by Holm."
    better = [code for code, gap in sure.items() if gap.difference > 0]
    worse = [code for code in sure if code not in better]
    parts = [
        f"{pair.b} is better in {_list(better)}" if better else "",
        f"worse in {_list(worse)}" if worse else "",
    ]
    joined = " and ".join(part for part in parts if part)
    joined = joined if better else f"{pair.b} is {joined}"
    rest = "; the rest could be chance" if len(sure) < len(pair.per_class) else ""
    return f"Of {len(pair.per_class)} classes, {joined} beyond chance, by Holm{rest}."


def _list(codes: list[str]) -> str:
    return codes[0] if len(codes) == 1 else f"{', '.join(codes[:-1])} and {codes[-1]}"


def signed(value: float) -> str:
    """Write a difference with its sign, a true minus included; zero has none."""
    rounded = round(value, 3)
    return f"{rounded:+.3f}".replace("-", "\N{MINUS SIGN}") if rounded else "0.000"


def p(value: float) -> str:
    """Write a p value as an equation."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _range(interval: tuple[float, float], *, sign: bool = False) -> str:
    low, high = (signed(end) if sign else f"{end:.3f}" for end in interval)
    return f"{low} to {high}"
