"""Ways of scoring the same records side by side, each averaged over the seeds it was run with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from merl.errors import DataError
from merl.evaluation.comparison import Figure, Measured, comparisons, measure, prompt_set_result
from merl.evaluation.metrics import Floats, macro
from merl.evaluation.result import ClassResult, Comparison, Share

if TYPE_CHECKING:
    from merl.datasets.task_data import TaskData

LABELS_USED = "a probe learns from them; merl's pretraining never does, it reads waveforms and report text"


class Facts(BaseModel):
    """A part of a result: frozen, without unknown keys, infinities or nan."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MethodResult(Facts):
    """One way of scoring; with several seeds every figure is the mean over them.

    Attributes:
        interval: 95 %, by patients of the scored split; it does not hold the spread over seeds.
        macro_auroc_min10: over classes with at least 10 positives; ``None`` if there are none.
        by_seed: the macro AUROC of each seed; a single one where nothing is drawn.
        deviation: standard deviation over seeds; ``None`` for a single one.
        strengths: the inverse penalty chosen with each seed, where one is.
    """

    name: str
    macro_auroc: Share
    interval: tuple[Share, Share]
    macro_auroc_min10: Share | None
    interval_min10: tuple[Share, Share] | None
    by_seed: tuple[Share, ...]
    deviation: float | None
    strengths: tuple[float, ...] = ()
    per_class: dict[str, ClassResult]


Compared = tuple[list[MethodResult], list[Comparison], tuple[str, ...]]
Scores = Mapping[str, Sequence[Floats]]  # of each method, the scores of each seed, (records, classes)


def compare_methods(
    scores: Scores,
    data: TaskData,
    class_names: Mapping[str, str],
    *,
    strengths: Mapping[str, Sequence[float]] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Compared:
    """Measure every method on the same resampled patients and classes.

    Args:
        scores: of each method one array a seed, (records, classes); nan in a column that it could not learn,
            which is then left out of every method's figures.
        data: the scored records.
        class_names: names by code of the classes that the columns are of, some or all of the data's.
        strengths: penalties to record beside a method.
        resamples: bootstrap resamples.
        seed: of the resampling.

    Returns:
        Each method's figures, the paired differences of every two, and the codes that were left out.

    Raises:
        DataError: no class is left, or none of them has both a positive and a negative.
    """
    codes = np.array(list(class_names))
    labels = data.labels[:, [data.classes.index(code) for code in class_names]]
    kept = ~np.any([np.isnan(one).any(axis=0) for some in scores.values() for one in some], axis=0)
    if not kept.any():
        raise DataError("no class has both a positive and a negative among the labels that are learnt from")
    named = {f"{name}\n{i}": one[:, kept] for name, some in scores.items() for i, one in enumerate(some)}
    single = measure(
        named,
        labels[:, kept],
        data.patients,
        list(codes[kept]),
        resamples=resamples,
        seed=seed,
        drawn_from=data.split_patients,
    )
    groups = {name: [f"{name}\n{i}" for i in range(len(some))] for name, some in scores.items()}
    averaged = _averaged(single, groups)
    methods = []
    for name, members in groups.items():
        by_seed = [macro(single.auroc.sets[member], single.positives) for member in members]
        figures = prompt_set_result(averaged, name, sha256="", class_names=class_names)
        methods.append(
            MethodResult(
                name=name,
                macro_auroc=figures.macro_auroc,
                interval=figures.interval,
                macro_auroc_min10=figures.macro_auroc_min10,
                interval_min10=figures.interval_min10,
                by_seed=tuple(by_seed),
                deviation=float(np.std(by_seed, ddof=1)) if len(by_seed) > 1 else None,
                strengths=tuple((strengths or {}).get(name, ())),
                per_class=figures.per_class,
            )
        )
    return methods, comparisons(averaged), tuple(map(str, codes[~kept]))


def _averaged(measured: Measured, groups: Mapping[str, Sequence[str]]) -> Measured:
    """Average figures and draws over the members of each group; all share their resamples."""
    return replace(
        measured,
        auroc=_mean_of(measured.auroc, groups),
        average_precision=_mean_of(measured.average_precision, groups),
    )


def _mean_of(figure: Figure, groups: Mapping[str, Sequence[str]]) -> Figure:
    def means(parts: Mapping[str, Floats]) -> dict[str, Floats]:
        return {name: np.mean([parts[one] for one in members], axis=0) for name, members in groups.items()}

    return replace(figure, sets=means(figure.sets), draws=means(figure.draws))
