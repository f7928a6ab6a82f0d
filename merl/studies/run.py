"""Run a study: every cell pretrained, scored and kept, so that a run that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from merl.checkpoints import WEIGHTS, load_model, save_checkpoint
from merl.errors import DataError
from merl.evaluation.metrics import Floats
from merl.evaluation.provenance import versions
from merl.files import validate, write_text
from merl.model import MERL, TrainingData
from merl.pretraining.config import PretrainConfig
from merl.pretraining.pairs import Progress
from merl.pretraining.run import LOG, STATE, build_model, pretrain
from merl.studies.classifier import Network, Windows, fit, kept_or_fitted, logits
from merl.studies.config import LABELS, SCRATCH, Cell, Classifier, StudyConfig
from merl.studies.materials import Materials
from merl.studies.records import make_ready
from merl.studies.result import Row, Score, StudyResult
from merl.studies.scoring import ZERO_SHOT, in_the_columns_of, judge, zero_shot_scores

log = logging.getLogger(__name__)

CELLS, PAIRS, ROW, MODEL, START = "cells", "pairs", "row.json", "model", "start"
NETWORK = "network.safetensors"


def run_study(config: StudyConfig, data: Path, out: Path, *, progress: Progress | None = None) -> StudyResult:
    """Train and score every cell and classifier of a study.

    Called again with the same ``out`` it goes on: finished rows are kept, and a pretraining that was stopped
    continues where it last saved; a classifier begins anew. Studies may share ``out``, and then the cells
    that they have in common.

    Args:
        config: the study.
        data: the folder that holds the data sets.
        out: for prepared pairs, checkpoints and rows; ``NAME.json`` is the result.
        progress: called with (done, of, what).

    Raises:
        ConfigError: the configuration names what does not exist.
        UsageError: an unknown task or prompt set.
        DataError: a data set is missing or damaged, or an unseen class is left in a training text.
        MerlError: a training failed.
    """
    materials = Materials(config, data, progress)
    rows = _Rows(materials, out)
    rows.check()
    result = StudyResult(
        name=config.name,
        config=config.model_dump(mode="json", by_alias=True),
        rows=[*map(rows.cell, config.cells), *map(rows.classifier, config.classifiers)],
        withheld=materials.accounts,
        classes=materials.classes,
        versions=versions(),
    )
    write_text(out / f"{config.name}.json", result.model_dump_json(by_alias=True, indent=2) + "\n")
    return result


@dataclass
class _Rows:
    """The rows of a study, each made unless it is there."""

    materials: Materials
    out: Path

    @property
    def config(self) -> StudyConfig:
        return self.materials.config

    @property
    def progress(self) -> Progress | None:
        return self.materials.progress

    def check(self) -> None:
        """Read all labels before anything is trained: what cannot be scored is said at once."""
        for name, truth in self.materials.truths.items():
            log.info("%s: %d records, %d classes", name, len(truth.data), len(truth.data.classes))
        for classifier in self.config.classifiers.values():
            self.materials.told(classifier)
        for cell in self.config.cells:
            build_model(self.config.pretraining_of(cell))

    def cell(self, cell: Cell) -> Row:
        """Pretrain and score one cell, or return its row if that has been done."""
        plan = self.config.pretraining_of(cell)
        pairs = make_ready(self.materials.pairs(cell), plan.spec, self.out / PAIRS, self.progress)
        identity = [plan.model_dump_json(), pairs.manifest.pairs_sha256, cell.start]
        if cell.start == LABELS:
            identity.append(self._starting.model_dump_json())
        folder = self._folder(f"{cell.encoder}-{cell.share:g}-{cell.texts}", identity)
        if row := self._kept(folder):
            return row
        model = self._trained(cell, plan, pairs.folder, folder)
        truths = self.materials.truths.items()
        scores = {name: zero_shot_scores(model, truth, self.progress) for name, truth in truths}
        axes = {"encoder": cell.encoder, "text": Path(cell.text).name, "share": f"{cell.share:g}"}
        return self._keep(
            folder,
            Row(
                method=ZERO_SHOT,
                axes=axes | {"start": cell.start, "texts": cell.texts},
                n_training=len(pairs),
                epochs=plan.total_epochs,
                seconds=_seconds(folder / MODEL),
                sha256=model.sha256,
                scores=self._judge(ZERO_SHOT, scores),
            ),
        )

    def classifier(self, name: str) -> Row:
        """Train and score one classifier, or return its row if that has been done."""
        config, spec = self.config.classifiers[name], self.config.pretraining.spec
        told = self.materials.told(config)
        facts = [config.model_dump_json(), spec.model_dump_json(), str(self.config.pretraining.seed)]
        folder = self._folder("classifier", [*facts, *told.names, *told.classes])
        if row := self._kept(folder):
            return row
        network = kept_or_fitted(
            folder / NETWORK,
            Network(config.encoder, spec, len(told.classes)),
            lambda: self._fit(config, config.encoder),
        )
        by_concept = self.materials.truths[config.labels_of].by_concept
        scores = {}
        for evaluation, truth in self.materials.truths.items():
            if evaluation == config.labels_of or (by_concept and truth.by_concept):
                found = logits(network, Windows(truth.data, spec, self.progress))
                scores[evaluation] = in_the_columns_of(truth, told.classes, found)
        axes = {"encoder": config.encoder, "text": "none", "share": f"{config.share:g}"}
        return self._keep(
            folder,
            Row(
                method=name,
                axes=axes | {"start": SCRATCH, "texts": "none"},
                n_training=len(told),
                epochs=config.epochs,
                seconds=None,
                sha256=None,
                scores=self._judge(name, scores),
            ),
        )

    @property
    def _starting(self) -> Classifier:
        return self.config.classifiers[str(self.config.start)]

    def _trained(self, cell: Cell, plan: PretrainConfig, pairs: Path, folder: Path) -> MERL:
        """Return the model of a cell: a finished one, or pretrained now from where that was stopped."""
        model = folder / MODEL
        if (model / WEIGHTS).is_file() and not (model / STATE).exists():
            return load_model(model)
        start: str | Path | None = None if cell.start == SCRATCH else cell.start
        if cell.start == LABELS:
            start = folder / START
            if not (start / "config.json").is_file():  # written last
                save_checkpoint(self._begun_with_labels(cell, plan), start, half=False)
        return pretrain(plan, pairs, model, init=start, progress=self.progress)

    def _begun_with_labels(self, cell: Cell, plan: PretrainConfig) -> MERL:
        """Return a model whose ECG encoder comes from a classifier; all else is as at random."""
        told, whole = self.materials.told(self._starting), self.materials.whole
        network = self._fit(self._starting, cell.encoder)
        model = build_model(plan)
        model.ecg_encoder.load_state_dict(network.ecg_encoder.state_dict())
        seen = TrainingData(
            dataset=f"labels of {told.task}",
            folds=whole.folds,
            records=len(told),
            licence=whole.licence,
            attribution=whole.attribution,
        )
        update = {"name": f"{cell.encoder}-{LABELS}", "training": seen}
        model.config = model.config.model_copy(update=update)
        return model

    def _fit(self, config: Classifier, encoder: str) -> Network:
        told, plan = self.materials.told(config), self.config.pretraining
        windows = Windows(told, plan.spec, self.progress)
        given = (config, plan.spec, windows, told.labels)
        return fit(*given, encoder=encoder, seed=plan.seed, progress=self.progress)

    def _judge(self, method: str, scores: dict[str, Floats]) -> list[Score]:
        resamples, seed = self.config.bootstrap, self.config.pretraining.seed
        found: list[Score] = []
        for name, values in scores.items():
            truth = self.materials.truths[name]
            found += judge(name, method, values, truth, resamples=resamples, seed=seed)
        return found

    def _folder(self, words: str, identity: list[str]) -> Path:
        digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()
        return self.out / CELLS / f"{words}-{digest[:12]}"

    @cached_property
    def _protocol(self) -> str:
        """Hash what the scores of a row depend on beside its model."""
        parts: list[Any] = [self.config.bootstrap, self.config.pretraining.seed]
        parts += [item.model_dump() for item in self.config.evaluations]
        for truth in self.materials.truths.values():
            labels = hashlib.sha256(np.packbits(truth.data.labels).tobytes()).hexdigest()
            parts += [truth.prompts.model_dump_json(), dict(truth.groups), truth.data.names, labels]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _kept(self, folder: Path) -> Row | None:
        """Return the row that is there, unless it was scored otherwise."""
        path = folder / ROW
        if not path.is_file():
            return None
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            same = kept["protocol"] == self._protocol
        except (ValueError, LookupError, TypeError):
            raise DataError(f"{path} is damaged; delete it to score its model again") from None
        return validate(Row, kept["row"], path, DataError) if same else None

    def _keep(self, folder: Path, row: Row) -> Row:
        kept = {"protocol": self._protocol, "row": row.model_dump(mode="json")}
        write_text(folder / ROW, json.dumps(kept, indent=2) + "\n")
        return row


def _seconds(folder: Path) -> float:
    lines = (folder / LOG).read_text(encoding="utf-8").splitlines()
    return float(sum(json.loads(line)["seconds"] for line in lines))
