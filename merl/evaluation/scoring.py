"""Records and rows in, scores out: what every figure of an evaluation is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from merl.errors import DataError, NoDataError, RecordError
from merl.evaluation.controls import Row, untrained_encoder
from merl.evaluation.embeddings import record_embeddings
from merl.evaluation.held_out import ScoredFold
from merl.evaluation.metrics import Floats

if TYPE_CHECKING:
    from merl.datasets.tasks import TaskData
    from merl.zeroshot import EmbeddedPrompts

Progress = Callable[[int, int, str], None]
_NAMED = 5  # reasons


@dataclass(frozen=True, eq=False)
class Seen:
    """A task's records as a checkpoint sees them.

    Attributes:
        records: those that can be used.
        ecgs: their embeddings, shape (records, embed_dim).
        untrained: what an untrained encoder makes of them; ``None`` where no row asks for it.
    """

    records: TaskData
    ecgs: Floats
    untrained: Floats | None = None

    def score(self, row: Row, prompts: EmbeddedPrompts) -> ScoredFold:
        """Score every record against every class; columns are in the task's order of classes."""
        ecgs = self.untrained if row.untrained and self.untrained is not None else self.ecgs
        records = self.records
        columns = [list(row.prompt_set.classes).index(code) for code in records.classes]
        return ScoredFold(
            scores={row.name: np.asarray(prompts.score(ecgs)[:, columns], np.float64)},
            labels=records.labels,
            patients=records.patients,
            classes=records.classes,
            dataset=records.dataset,
            split=records.split,
            leads=records.leads,
        )


def see(
    models: Sequence[Any],
    loaded: Sequence[TaskData],
    *,
    untrained: bool,
    allow_missing: bool,
    progress: Progress | None = None,
) -> list[Seen]:
    """Embed a task's records by every model; what one of them cannot use is left out for all, if allowed.

    Args:
        models: at least one.
        loaded: the task as each of them reads it, the same records in the same order.
        untrained: embed them by an untrained encoder of each architecture too.
        allow_missing: leave out records that cannot be used.
        progress: called with the records encoded, the records to encode, and by what.

    Raises:
        RecordError: records cannot be used; all are counted, the first are named.
        NoDataError: none can be used.
    """
    embedded, faulty = [], dict[int, str]()
    for model, records in zip(models, loaded, strict=True):
        encoders = [model, untrained_encoder(model)] if untrained else [model]
        rows = [record_embeddings(one, records, progress=_named(progress, one.name)) for one in encoders]
        number = {name: i for i, name in enumerate(records.names)}
        faulty |= {number[name]: why for one in rows for name, why in one.faults.items()}
        embedded.append([one.rows for one in rows])
    if len(faulty) == len(loaded[0]):  # whatever is allowed: such data is nothing for such a model
        raise NoDataError(_faults(loaded[0], faulty, remedy=""))
    if faulty and not allow_missing:
        remedy = ". Get them again, or leave them out with allow_missing (--allow-missing)"
        raise RecordError(_faults(loaded[0], faulty, remedy=remedy))
    kept = np.array([i not in faulty for i in range(len(loaded[0]))])
    return [
        Seen(
            records.without({records.names[i] for i in faulty}) if faulty else records,
            *(one[kept].astype(np.float64) for one in rows),
        )
        for records, rows in zip(loaded, embedded, strict=True)
    ]


def check_same(models: Sequence[Any], loaded: Sequence[TaskData]) -> None:
    """Refuse to compare models that do not read the same records.

    Raises:
        DataError: they do not, since not every record is there at the rate that each of them needs.
    """
    first = loaded[0]
    for model, other in zip(models, loaded, strict=True):
        same = np.array_equal(first.patients, other.patients) and np.array_equal(first.labels, other.labels)
        if not same:
            raise DataError(
                f"{models[0].name} and {model.name} need {first.dataset} at different rates, and not the same"
                " records are there at both; complete the download, or evaluate them one by one"
            )


def _named(progress: Progress | None, name: str) -> Callable[[int, int], None] | None:
    return progress and (lambda done, total: progress(done, total, f"embedding ECGs by {name}"))


def _faults(records: TaskData, faulty: Mapping[int, str], *, remedy: str) -> str:
    """Say which records cannot be used and why, the same reason once."""
    alike: dict[str, list[str]] = {}
    for i in sorted(faulty):
        reason = faulty[i].partition(";")[0]  # without its own remedy
        alike.setdefault(reason.replace(records.names[i], ""), []).append(reason)
    said = [
        first + (f" (and {len(others)} more alike)" if others else "")
        for first, *others in list(alike.values())[:_NAMED]
    ]
    rest = sum(len(reasons) for reasons in list(alike.values())[_NAMED:])
    more = f"; and {rest} more" if rest else ""
    return (
        f"{len(faulty)} of {len(records)} records of {records.task} cannot be used: {'; '.join(said)}{more}"
        f"{remedy}"
    )
