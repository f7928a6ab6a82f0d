"""Scores and single ECGs out of an evaluation, as evidence for its report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from merl.evaluation.evidence import ClassExamples, Evidence, Example, Histogram, SetEvidence, Waveform
from merl.evaluation.metrics import Bools, Floats

if TYPE_CHECKING:
    from merl.ckepe.prompt_set import PromptSet
    from merl.datasets.tasks import TaskData
    from merl.records import ECGRecord

EXAMPLES = 3  # ECGs of each kind
BINS = 40
_SECONDS = 10.0  # of an ECG that are kept
_HIGHEST_RATE = 125.0  # hertz; at 25 mm/s a sample is 0.2 mm, the width of the ink


def gather_evidence(
    sets: Sequence[PromptSet], scores: Mapping[str, Floats], records: TaskData, *, examples_by: str
) -> Evidence:
    """Count the scores of every prompt set and read the ECGs that are best to look at.

    Args:
        sets: the prompt sets.
        scores: of each of them, shape (records, classes).
        records: the task's records.
        examples_by: the prompt set whose scores choose the ECGs.

    Returns:
        Evidence without passages and remarks, which are for whoever knows the knowledge.

    Raises:
        RecordError: a record cannot be read.
    """
    examples, shown = _examples(scores, records, examples_by)
    return Evidence(
        prompt_sets={item.name: _set_evidence(item, scores[item.name], records) for item in sets},
        examples_by=examples_by,
        examples=examples,
        ecgs={records.names[i]: _waveform(records.read(i)) for i in sorted(shown)},
    )


def _set_evidence(item: PromptSet, scores: Floats, records: TaskData) -> SetEvidence:
    return SetEvidence(
        generator=item.generator,
        classes={code: item.classes[code] for code in records.classes},
        scores={
            code: histogram(scores[:, c], records.labels[:, c]) for c, code in enumerate(records.classes)
        },
    )


def _examples(
    scores: Mapping[str, Floats], records: TaskData, chosen_by: str
) -> tuple[dict[str, ClassExamples], set[int]]:
    """The examples of every class, and the numbers of all records among them."""
    ranks = {name: _ranks(values) for name, values in scores.items()}
    examples, shown = {}, set[int]()
    for c, code in enumerate(records.classes):
        kinds = choose(scores[chosen_by][:, c], records.labels[:, c])
        made = {
            kind: tuple(_example(i, c, scores, ranks, records) for i in rows) for kind, rows in kinds.items()
        }
        examples[code] = ClassExamples(**made)
        shown |= {i for rows in kinds.values() for i in rows}
    return examples, shown


def histogram(scores: Floats, labels: Bools) -> Histogram:
    """Count the scores of a class, both shape (records,), in bins between the lowest and the highest."""
    low, high = float(scores.min()), float(scores.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts = [np.histogram(scores[side], BINS, (low, high))[0].tolist() for side in (labels, ~labels)]
    return Histogram(low=round(low, 6), high=round(high, 6), positives=counts[0], negatives=counts[1])


def choose(scores: Floats, labels: Bools) -> dict[str, list[int]]:
    """Choose the records to look at: three best and worst of those with the class, three best of the others.

    Args:
        scores: of one class, shape (records,).
        labels: shape (records,).

    Returns:
        Record numbers by kind, the most telling first; no record is both best and worst.
    """
    order = np.argsort(-scores, kind="stable")
    positives, negatives = order[labels[order]], order[~labels[order]]
    best = positives[: min(EXAMPLES, math.ceil(len(positives) / 2))]
    worst = positives[::-1][: min(EXAMPLES, len(positives) - len(best))]
    chosen = {"best": best, "worst": worst, "mistaken": negatives[:EXAMPLES]}
    return {kind: [int(i) for i in rows] for kind, rows in chosen.items()}


def _ranks(scores: Floats) -> NDArray[np.int64]:
    """Rank the records of each class, 1 for the highest score, shape (records, classes)."""
    from scipy.stats import rankdata

    return rankdata(-scores, method="min", axis=0).astype(np.int64)


def _example(
    i: int, c: int, scores: Mapping[str, Floats], ranks: Mapping[str, NDArray[np.int64]], records: TaskData
) -> Example:
    return Example(
        record=records.names[i],
        labels=tuple(code for code, there in zip(records.classes, records.labels[i], strict=True) if there),
        scores={name: round(float(values[i, c]), 6) for name, values in scores.items()},
        ranks={name: int(values[i, c]) for name, values in ranks.items()},
    )


def _waveform(record: ECGRecord) -> Waveform:
    from scipy.signal import resample_poly

    kept = record.signal[:, : math.ceil(_SECONDS * record.sampling_rate)]
    step = math.ceil(record.sampling_rate / _HIGHEST_RATE)
    if step > 1:
        kept = resample_poly(kept, 1, step, axis=1, padtype="line")
    rate = record.sampling_rate / step
    return Waveform.of(replace(record, signal=kept, sampling_rate=rate), whole=record)
