"""The verdict of a comparison in a sentence, and nothing in it that chance could have said."""

from __future__ import annotations

from dataclasses import dataclass

from merl.evaluation.intervals import holm
from merl.evaluation.leading import kind_of, leading
from merl.evaluation.result import Comparison, Gap, PromptSetResult, Result

LEVEL = 0.05  # what a p value has to be below


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
        classes: a second sentence, on single classes.
    """

    baseline: PromptSetResult
    others: list[PromptSetResult]
    pair: Comparison | None
    winner: str | None
    claim: str
    figures: str
    classes: str = ""


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
    p_value = float(holm([one.p_value for one in pairs.values()])[0])
    beyond = p_value < LEVEL and not pair.interval[0] <= 0 <= pair.interval[1]
    shown = pair if pair.difference >= 0 or not beyond else _reverse(pair)
    return Verdict(
        baseline=sets[first],
        others=[sets[name] for name in pairs],
        pair=pair,
        winner=shown.b if beyond else None,
        claim=f"{shown.b} beats {shown.a}"
        if beyond
        else f"No difference between {best} and {first} is beyond chance",
        figures=f"macro AUROC {sets[shown.b].macro_auroc:.3f} against {sets[shown.a].macro_auroc:.3f},"
        f" a difference of {signed(shown.difference)} (95 % interval {_range(shown.interval, sign=True)};"
        f" {p(p_value)}{f', adjusted for {len(pairs)} comparisons' if len(pairs) > 1 else ''}).",
        classes=_classes(pair),
    )


def kinds(result: Result) -> dict[str, str | None]:
    """What kind of prompt set each is, as its generator says, or its name."""
    made = result.evidence.prompt_sets if result.evidence else {}
    return {
        item.name: kind_of(item.name, made[item.name].generator.kind if item.name in made else None)
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
    per_class = {
        code: gap.model_copy(update={"difference": -gap.difference, "interval": _mirror(gap.interval)})
        for code, gap in pair.per_class.items()
    }
    update = {
        "a": pair.b,
        "b": pair.a,
        "difference": -pair.difference,
        "interval": _mirror(pair.interval),
        "difference_min10": None if pair.difference_min10 is None else -pair.difference_min10,
        "interval_min10": None if pair.interval_min10 is None else _mirror(pair.interval_min10),
        "per_class": per_class,
        "average_precision": None,
    }
    return pair.model_copy(update=update)


def _mirror(interval: tuple[Gap, Gap]) -> tuple[Gap, Gap]:
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
    return f"Of {len(pair.per_class)} classes, {joined} beyond chance, by Holm; the rest could be chance."


def _list(codes: list[str]) -> str:
    return codes[0] if len(codes) == 1 else f"{', '.join(codes[:-1])} and {codes[-1]}"


def signed(value: float) -> str:
    """Write a difference with its sign, a true minus included."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def p(value: float) -> str:
    """Write a p value as an equation."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _range(interval: tuple[float, float], *, sign: bool = False) -> str:
    low, high = (signed(end) if sign else f"{end:.3f}" for end in interval)
    return f"{low} to {high}"
