"""How a cell is made: prompts are embedded, then ECGs, then both are scored and measured.

What is scored and measured is small work for one thread: on a busy machine threads that share it spend ten
times as long waiting for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from merl.calibration import Scoring
from merl.ckepe.prompt_set import prompt_set_sha256
from merl.errors import DataError, NoDataError
from merl.evaluation.cells import Cell, cell_key
from merl.evaluation.comparison import measure, prompt_set_result
from merl.evaluation.controls import Row
from merl.evaluation.embeddings import data_hash, model_hash
from merl.evaluation.evidence import Evidence
from merl.evaluation.examples import gather_evidence
from merl.evaluation.held_out import ScoredFold, judge, validation_of
from merl.evaluation.leading import kind_of, leading
from merl.evaluation.provenance import code_sha256, versions
from merl.evaluation.request import Request
from merl.evaluation.result import PromptSetResult, Validation
from merl.evaluation.scoring import Progress, Seen, check_same, see

if TYPE_CHECKING:
    from merl.datasets.tasks import TaskData
    from merl.zeroshot import EmbeddedPrompts, Ensemble

_ALL_NOTE = "the split all holds the validation fold, so it cannot judge what is fitted there"


@dataclass(frozen=True, eq=False)
class Loaded:
    """A task as one checkpoint reads it, before any ECG is read.

    Attributes:
        records: of the split that is asked for.
        fold: of the validation split, the very object ``records`` if it is that; ``None`` if there is none.
        no_fold: why there is none.
    """

    model: Any
    records: TaskData
    fold: TaskData | None
    no_fold: str = ""


def load(request: Request, task: str, model: Any) -> Loaded:
    """Load a task's records and those of its validation fold.

    Raises:
        UsageError: an unknown task or split.
        DataError: the data set is missing or damaged.
    """
    records = request.load(task, model)
    if request.split == "val":
        return Loaded(model, records, records)
    if request.split == "all":
        return Loaded(model, records, None, _ALL_NOTE)
    try:
        return Loaded(model, records, request.load(task, model, "val"))
    except DataError as problem:
        return Loaded(model, records, None, str(problem))


class CellMaker:
    """Makes the cells of one task; no ECG is read before one is needed.

    Args:
        request: what holds for all of them.
        rows: what is scored.
        loaded: the task as each checkpoint reads it.
        progress: called with the records encoded, the records to encode, and by what.

    Raises:
        DataError: the checkpoints do not read the same records.
    """

    def __init__(
        self, request: Request, rows: Sequence[Row], loaded: Sequence[Loaded], progress: Progress | None
    ) -> None:
        self._request, self._rows, self._loaded, self._progress = request, rows, loaded, progress
        self._models = [one.model for one in loaded]
        self._prompts: dict[tuple[int, Ensemble], dict[str, EmbeddedPrompts]] = {}
        check_same(self._models, [one.records for one in loaded])

    def key(self, number: int, row: Row, ensemble: Ensemble) -> str | None:
        """Hash all that a cell depends on; ``None`` for a checkpoint that was never saved."""
        one, request = self._loaded[number], self._request
        if not one.model.sha256:
            return None
        left_out_by = sorted(str(model.sha256) for model in self._models) if request.allow_missing else None
        return cell_key(
            {
                "model": model_hash(one.model),
                "row": [row.name, row.control, prompt_set_sha256(row.prompt_set), row.untrained],
                "scoring": [ensemble, request.absent_weight, request.contrast],
                "records": self._hashes[number],
                "left out by": left_out_by,
                "bootstrap": [request.bootstrap, request.seed],
                "software": [versions(), code_sha256()],
            }
        )

    @cached_property
    def _hashes(self) -> list[list[str]]:
        return [
            [data_hash(one.records), one.no_fold if one.fold is None else data_hash(one.fold)]
            for one in self._loaded
        ]

    def make(self, number: int, row: Row, ensemble: Ensemble) -> Cell:
        """Score and measure one row.

        Raises:
            PromptError: a class has no phrase that speaks for it, or a text is too long.
            RecordError: records cannot be used.
            DataError: no class can be scored.
        """
        prompts = self._embedded(number, ensemble)[row.name]
        seen, folds = self._seen[number], self._folds
        with threadpool_limits(1):
            scored, fold = seen.score(row, prompts), None
            if isinstance(folds, str):
                validation = Validation(note=folds)
            else:
                fold = scored if folds[number] is seen else folds[number].score(row, prompts)
                validation = validation_of(fold, scored)
            measured = measure(
                scored.scores,
                scored.labels,
                scored.patients,
                scored.classes,
                resamples=self._request.bootstrap,
                seed=self._request.seed,
                drawn_from=seen.records.split_patients,
            )
            judged = self._judged(number, row, ensemble, scored, fold if validation.held_out else None)
        result = prompt_set_result(
            measured,
            row.name,
            sha256=prompt_set_sha256(row.prompt_set),
            class_names={code: entry.name for code, entry in row.prompt_set.classes.items()},
            control=row.control,
            **judged,
        )
        return Cell(result, measured, len(np.unique(scored.patients)), validation)

    def evidence(self, number: int, ensemble: Ensemble, results: Sequence[PromptSetResult]) -> Evidence:
        """Gather what a report shows beside the figures of the prompt sets given, and of the class names.

        Raises:
            RecordError: a record cannot be read.
        """
        kinds = {
            row.name: kind_of(row.name, row.prompt_set.generator.kind, row.control) for row in self._rows
        }
        baseline, others = leading(kinds, {item.name: item.macro_auroc for item in results})
        seen = self._seen[number]
        shown = [row for row in self._rows if row.control is None or kinds[row.name] == "plain"]
        prompts = self._embedded(number, ensemble)
        scores = {row.name: seen.score(row, prompts[row.name]).scores[row.name] for row in shown}
        sets = [row.prompt_set for row in shown]
        return gather_evidence(sets, scores, seen.records, examples_by=next(iter(others), baseline))

    def _embedded(self, number: int, ensemble: Ensemble) -> dict[str, EmbeddedPrompts]:
        """Embed the prompts of every row at once: a fault in one should not cost the ECGs' encoding."""
        from merl.zeroshot import embed_prompts

        if (number, ensemble) not in self._prompts:
            self._prompts[number, ensemble] = {
                row.name: embed_prompts(
                    self._models[number],
                    row.prompt_set,
                    ensemble=ensemble,
                    absent_weight=self._request.absent_weight,
                    contrast=self._request.contrast,
                )
                for row in self._rows
            }
        return self._prompts[number, ensemble]

    def _judged(
        self, number: int, row: Row, ensemble: Ensemble, scored: ScoredFold, fold: ScoredFold | None
    ) -> dict[str, Any]:
        request = self._request
        bound = Scoring(
            checkpoint_sha256=self._models[number].sha256,
            prompts_sha256=prompt_set_sha256(row.prompt_set),
            ensemble=ensemble,
            absent_weight=request.absent_weight,
            contrast=request.contrast,
        )
        return judge(row.name, scored, fold, bound, resamples=request.bootstrap, seed=request.seed)

    @cached_property
    def _seen(self) -> list[Seen]:
        return self._see([one.records for one in self._loaded])

    @cached_property
    def _folds(self) -> list[Seen] | str:
        """The validation fold as each checkpoint sees it, or why there is none."""
        if self._request.split == "val":
            return self._seen
        folds = [one.fold for one in self._loaded if one.fold is not None]
        if len(folds) < len(self._loaded):
            return next(one.no_fold for one in self._loaded if one.fold is None)
        try:
            return self._see(folds)
        except NoDataError as problem:
            return str(problem)

    def _see(self, loaded: Sequence[TaskData]) -> list[Seen]:
        return see(
            self._models,
            loaded,
            untrained=any(row.untrained for row in self._rows),
            allow_missing=self._request.allow_missing,
            progress=self._progress,
        )
