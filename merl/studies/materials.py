"""What the rows of a study share: the pairs to train on, the classes, the records to score."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from merl.datasets.published import Split
from merl.datasets.tasks import TaskData
from merl.errors import ConfigError
from merl.knowledge.entries import load_entries
from merl.pretraining.pairs import Progress
from merl.pretraining.sources import open_source
from merl.reports import sentences
from merl.studies.config import Cell, Classifier, Evaluation, StudyConfig
from merl.studies.records import FixedPairs, chosen, read_pairs
from merl.studies.result import Classes
from merl.studies.truth import Concepts, Truth, find_concepts, load_truth, task_of
from merl.studies.withholding import Withheld, Withholding


@dataclass
class Materials:
    """Data sets and classes of a study; each is read when first asked for, and once.

    Attributes:
        config: the study.
        data: the folder that holds the data sets.
        progress: called with (done, of, what).

    Raises:
        ConfigError: the study names concepts or folds that are not there.
        UsageError: an unknown task or prompt set.
        DataError: a data set is missing or damaged.
    """

    config: StudyConfig
    data: Path
    progress: Progress | None

    @cached_property
    def whole(self) -> FixedPairs:
        """All pairs of the training folds, their reports whole."""
        folds, rate = self.config.pretraining.folds, self.config.pretraining.spec.sampling_rate
        source = open_source(self.data, folds=folds or None, sampling_rate=rate)
        if source.folds != folds:
            raise ConfigError(f"{source.name} has folds and the study names none; set pretraining.folds")
        return read_pairs(source)

    def pairs(self, cell: Cell) -> FixedPairs:
        """Return the pairs that a cell is trained on."""
        drawn = self.whole.draw(cell.share, self.config.pretraining.seed)
        return drawn.withhold(self.withholding) if cell.texts == "withheld" and self.withholding else drawn

    @property
    def accounts(self) -> dict[str, Withheld]:
        """What was withheld, by share of the records."""
        cells = [cell for cell in self.config.cells if cell.texts == "withheld"]
        found = {f"{cell.share:g}": self.pairs(cell).withheld for cell in cells}
        return {share: account for share, account in found.items() if account}

    @cached_property
    def withholding(self) -> Withholding | None:
        """The unseen classes and their names; ``None`` where nothing is unseen."""
        return Withholding(self.config.unseen, load_entries()) if self.config.unseen else None

    @cached_property
    def concepts(self) -> Concepts | None:
        """The classes of evaluations by concept; those of the first one set what may be seen."""
        by_concept = [task_of(item).name for item in self.config.evaluations if item.statements]
        if self.withholding is None or not by_concept:
            return None
        left = self.whole.withhold(self.withholding).found
        said = [frozenset(sentences(pair.report)) for pair in left]
        return find_concepts(self.config.unseen, self.withholding, by_concept[0], load_entries(), said)

    @property
    def classes(self) -> Classes | None:
        """The classes by concept, for the result."""
        if (found := self.concepts) is None:
            return None
        return Classes(
            seen={code: found.names[code] for code in found.seen},
            unseen={code: found.names[code] for code in found.unseen},
            neither=dict(found.neither),
        )

    @cached_property
    def truths(self) -> dict[str, Truth]:
        """The records and true classes of every evaluation, by its name."""
        return {item.name: self._truth(item, item.split) for item in self.config.evaluations}

    def told(self, classifier: Classifier) -> TaskData:
        """Return the labelled records that a classifier is given.

        Raises:
            ConfigError: they are among those it is scored on.
        """
        named = (item for item in self.config.evaluations if item.name == classifier.labels_of)
        evaluation = next(named)
        if evaluation.split in {"train", "all"}:
            raise ConfigError(
                f"the evaluation {evaluation.name!r} holds the training records of a classifier of its"
                " labels; take split val or test"
            )
        data = self._truth(evaluation, "train").data
        return chosen(data, classifier.share, classifier.limit, self.config.pretraining.seed)

    def _truth(self, evaluation: Evaluation, split: Split) -> Truth:
        rate = 100 if self.config.pretraining.spec.sampling_rate <= 100 else 500
        return load_truth(evaluation, self.data, split, rate, self.concepts)
