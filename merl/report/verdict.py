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
        baseline: the prompt set to beat.
        others: those that want to, best first; empty for a single set.
        pair: the best of them against the baseline, its differences turned to be ``other`` minus baseline.
        p_value: of that pair, by Holm for the number of ``others``.
        winner: ``None`` if chance explains the difference.
        sentence: all of that for people.
        classes: a second sentence, on single classes.
    """

    baseline: PromptSetResult
    others: list[PromptSetResult]
    pair: Comparison | None
    p_value: float | None
    winner: str | None
    sentence: str
    classes: str


def judge(result: Result) -> Verdict:
    """Say which prompt set wins, by how much and how surely."""
    sets = {item.name: item for item in result.prompt_sets}
    macro = {name: item.macro_auroc for name, item in sets.items()}
    first, names = leading(kinds(result), macro)
    pairs = {name: turned(result, first, name) for name in names}
    known = {name: pair for name, pair in pairs.items() if pair is not None}
    if not known:
        alone = max(result.prompt_sets, key=lambda item: item.macro_auroc)
        said = (
            f"{alone.name} reaches a macro AUROC of {alone.macro_auroc:.3f}"
            f" (95 % interval {_range(alone.interval)}). It was compared with no other prompt set."
        )
        return Verdict(alone, [], None, None, None, said, "")
    adjusted = dict(zip(known, holm([pair.p_value for pair in known.values()]), strict=True))
    best = next(iter(known))
    pair, p_value = known[best], float(adjusted[best])
    beyond = p_value < LEVEL and not pair.interval[0] <= 0 <= pair.interval[1]
    winner = (best if pair.difference > 0 else first) if beyond else None
    return Verdict(
        baseline=sets[first],
        others=[sets[name] for name in known],
        pair=pair,
        p_value=p_value,
        winner=winner,
        sentence=_sentence(sets[first], sets[best], pair, p_value, winner, len(known)),
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


def _sentence(
    baseline: PromptSetResult,
    best: PromptSetResult,
    pair: Comparison,
    p_value: float,
    winner: str | None,
    contenders: int,
) -> str:
    adjusted = f", adjusted for {contenders} comparisons" if contenders > 1 else ""
    if winner is None:
        return (
            f"No difference between {best.name} and {baseline.name} is beyond chance: macro AUROC"
            f" {best.macro_auroc:.3f} against {baseline.macro_auroc:.3f}, a difference of"
            f" {signed(pair.difference)} (95 % interval {_range(pair.interval, sign=True)};"
            f" {p(p_value)}{adjusted})."
        )
    won, lost = (best, baseline) if winner == best.name else (baseline, best)
    interval = pair.interval if won is best else _mirror(pair.interval)
    return (
        f"{won.name} beats {lost.name}: macro AUROC {won.macro_auroc:.3f} against {lost.macro_auroc:.3f},"
        f" a difference of {signed(abs(pair.difference))} (95 % interval {_range(interval, sign=True)};"
        f" {p(p_value)}{adjusted})."
    )


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
