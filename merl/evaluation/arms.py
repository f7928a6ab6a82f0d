"""The arms of a matrix: which two differ in one thing, on each task and in the mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from merl.evaluation.averaging import Averaged
from merl.evaluation.comparison import Measured, joined
from merl.evaluation.controls import Row
from merl.evaluation.intervals import Interval, holm
from merl.evaluation.matrix_result import Arm, ArmComparison, ArmDifference, Kind, MatrixResult, Mean
from merl.evaluation.result import Comparison, Result

Tested = tuple[float, Interval, float]


@dataclass(frozen=True, eq=False)
class Column:
    """One task of a matrix.

    Attributes:
        task: its name.
        dataset: its data set.
        results: by checkpoint and ensemble.
        arms: by the name under which they were measured.
        measured: every arm, on the same resampled patients.
    """

    task: str
    dataset: str
    results: Sequence[Result]
    arms: Mapping[str, Arm]
    measured: Measured

    @classmethod
    def of(cls, results: Sequence[Result], measured: Sequence[Measured], rows: Sequence[Row]) -> Column:
        """Put the runs of a task side by side; ``rows`` are those of each."""
        arms: dict[str, Arm] = {}
        parts: dict[str, tuple[Measured, str]] = {}
        for result, run in zip(results, measured, strict=True):
            for row in rows:
                arm = Arm(
                    checkpoint=result.checkpoint.name,
                    ensemble=result.ensemble,
                    prompt_set=row.name,
                    control=row.control,
                )
                arms[_name(arm)] = arm
                parts[_name(arm)] = (run, row.name)
        return cls(results[0].task, results[0].dataset, results, arms, joined(parts))

    @property
    def alone(self) -> Averaged:
        """The task as a mean of its own."""
        return Averaged([self.measured], [self.dataset])


def means_of(columns: Sequence[Column], seed: int) -> list[Mean]:
    """Average every arm over some tasks."""
    if not columns:
        return []
    averaged = _averaged(columns, seed)
    found = []
    for name, arm in _shared(columns).items():
        (mean, interval), (mean10, interval10) = (
            averaged.mean(name, frequent=frequent) for frequent in (False, True)
        )
        found.append(
            Mean(
                **arm.model_dump(),
                macro_auroc=mean,
                interval=interval,
                macro_auroc_min10=mean10,
                interval_min10=interval10,
            )
        )
    return found


def compare_arms(columns: Sequence[Column], averaged: Sequence[Column], seed: int) -> list[ArmComparison]:
    """Compare every two arms that differ in one thing: on each task and, if any, in the mean over tasks."""
    mean = _averaged(averaged, seed) if averaged else None
    found = []
    for kind, pairs in _pairs(list(_shared(columns).values())).items():
        names = [(_name(a), _name(b)) for a, b in pairs]
        by_task = [column.alone.difference(a, b) for a, b in names for column in columns]
        per_task = _adjusted(by_task)
        means, means10 = (
            _adjusted([mean.difference(a, b, frequent=frequent) for a, b in names]) if mean else None
            for frequent in (False, True)
        )
        for i, (a, b) in enumerate(pairs):
            gaps = per_task[i * len(columns) : (i + 1) * len(columns)]
            found.append(
                ArmComparison(
                    kind=kind,
                    a=a,
                    b=b,
                    per_task={column.task: gap for column, gap in zip(columns, gaps, strict=True)},
                    mean=means[i] if means else None,
                    mean_min10=means10[i] if means10 else None,
                )
            )
    return found


def as_matrix(result: Result) -> MatrixResult:
    """Put the result of one task in the form of a matrix, without differences by class."""
    of = {"checkpoint": result.checkpoint.name, "ensemble": result.ensemble}
    arms = {item.name: Arm(**of, prompt_set=item.name, control=item.control) for item in result.prompt_sets}
    kinds: dict[Kind, list[Comparison]] = {"prompt sets": [], "controls": []}
    for pair in result.comparisons:
        kinds["prompt sets" if arms[pair.a].control is None else "controls"].append(pair)
    compared = []
    for kind, pairs in kinds.items():
        gaps = _adjusted([(pair.difference, pair.interval, pair.p_value) for pair in pairs])
        compared += [
            ArmComparison(kind=kind, a=arms[pair.a], b=arms[pair.b], per_task={result.task: gap})
            for pair, gap in zip(pairs, gaps, strict=True)
        ]
    return MatrixResult(results=[result], averaged=[], means=[], comparisons=compared)


def _shared(columns: Sequence[Column]) -> dict[str, Arm]:
    """Return the arms that every task has; a label set of one class has no shuffled classes."""
    first, *others = columns
    return {name: arm for name, arm in first.arms.items() if all(name in one.arms for one in others)}


def _pairs(arms: Sequence[Arm]) -> dict[Kind, list[tuple[Arm, Arm]]]:
    """Tell which arms to compare, by what they differ in, in the order given."""
    given = [arm for arm in arms if arm.control is None]
    found: dict[Kind, list[tuple[Arm, Arm]]] = {
        "prompt sets": list(_differing(given, "prompt_set")),
        "checkpoints": list(_differing(given, "checkpoint")),
        "ensembles": list(_differing(given, "ensemble")),
    }
    tested = given[-1].prompt_set
    found["controls"] = [
        (control, arm)
        for arm in given
        if arm.prompt_set == tested
        for control in arms
        if control.control is not None
        and (control.checkpoint, control.ensemble) == (arm.checkpoint, arm.ensemble)
    ]
    return {kind: pairs for kind, pairs in found.items() if pairs}


def _differing(arms: Sequence[Arm], part: str) -> Iterator[tuple[Arm, Arm]]:
    for a, b in combinations(arms, 2):
        if a.model_dump(exclude={part}) == b.model_dump(exclude={part}):
            yield a, b


def _adjusted(tests: Sequence[Tested]) -> list[ArmDifference]:
    """Write down tests of one family."""
    return [
        ArmDifference(difference=gap, interval=interval, p_value=p_value, p_holm=float(p_holm))
        for (gap, interval, p_value), p_holm in zip(tests, holm([test[2] for test in tests]), strict=True)
    ]


def _averaged(columns: Sequence[Column], seed: int) -> Averaged:
    return Averaged([column.measured for column in columns], [column.dataset for column in columns], seed)


def _name(arm: Arm) -> str:
    return f"{arm.checkpoint} / {arm.ensemble} / {arm.prompt_set}"
