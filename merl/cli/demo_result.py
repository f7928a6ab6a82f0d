"""The comparison that ``merl demo`` makes, as a result to print and report like any other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from merl.ckepe.prompt_set import PromptSet
    from merl.evaluation.result import Result
    from merl.records import ECGRecord

_RESAMPLES = 500


def compare(
    model: Any,
    sets: Sequence[PromptSet],
    records: Sequence[ECGRecord],
    embeddings: NDArray[np.float32],
    *,
    labels: NDArray[np.bool_],
    patients: NDArray[np.int64],
    dataset: str,
) -> Result:
    """Score records that are at hand under prompt sets, with evidence.

    Args:
        model: the model.
        sets: the prompt sets, of the same classes in the same order; the last is looked at closely.
        records: what was scored.
        embeddings: of the records, shape (records, embed_dim).
        labels: shape (records, classes).
        patients: shape (records,).
        dataset: where the records come from, in words.
    """
    import numpy as np

    from merl.ckepe.prompt_set import prompt_set_sha256
    from merl.datasets.tasks import TaskData
    from merl.evaluation.comparison import comparisons, measure, prompt_set_result
    from merl.evaluation.examples import gather_evidence
    from merl.evaluation.provenance import checkpoint_facts, versions
    from merl.evaluation.result import Bootstrap, Result
    from merl.zeroshot import embed_prompts

    classes = tuple(sets[0].classes)
    ecgs = embeddings.astype(np.float64)
    scores = {item.name: np.asarray(embed_prompts(model, item).score(ecgs), np.float64) for item in sets}
    measured = measure(scores, labels, patients, classes, resamples=_RESAMPLES)
    data = TaskData(
        task="demo",
        dataset=dataset,
        split="val",
        classes=classes,
        labels=labels,
        patients=patients,
        split_patients=np.unique(patients),
        names=tuple(f"{number:03d} {record.name}" for number, record in enumerate(records)),
        paths=tuple(Path(record.name) for record in records),
        rows=np.arange(len(records)),
        reader=lambda _, row: records[row],
    )
    names = {code: item.name for code, item in sets[0].classes.items()}
    return Result(
        task=data.task,
        dataset=dataset,
        split=data.split,
        n_records=len(records),
        n_patients=len(data.split_patients),
        prompt_sets=[
            prompt_set_result(measured, item.name, sha256=prompt_set_sha256(item), class_names=names)
            for item in sets
        ],
        comparisons=comparisons(measured),
        checkpoint=checkpoint_facts(model, dataset),
        bootstrap=Bootstrap(resamples=_RESAMPLES),
        seeds={"bootstrap": 0},
        versions=versions(),
        evidence=gather_evidence(sets, scores, data, examples_by=sets[-1].name),
    )
