"""Probabilities in the manner of scikit-learn: ``predict_proba`` is there once scores are calibrated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if

from merl.calibration import Calibration, Floats, Scoring, calibrate_classes
from merl.errors import UsageError
from merl.records import ECGRecord

#: Records, or millivolts of shape (records, leads, samples) in the model's leads, sampling rate and length.
Recordings = Sequence[ECGRecord] | NDArray[np.floating]


def _is_calibrated(classifier: CalibratedMixin) -> bool:
    return hasattr(classifier, "calibration_")


class CalibratedMixin(ABC):
    """Probabilities for a classifier whose scores can be calibrated.

    Attributes:
        calibration_: once there is one.
    """

    calibration_: Calibration

    @property
    @abstractmethod
    def classes_(self) -> NDArray[np.str_]:
        """The labels, in the order of the scores' columns."""

    @property
    @abstractmethod
    def scoring(self) -> Scoring:
        """What the scores depend on, to which a calibration is bound."""

    @abstractmethod
    def _records(self, X: Recordings) -> list[ECGRecord]:  # noqa: N803
        """Return records also where an array is given."""

    @abstractmethod
    def decision_function(self, X: Recordings) -> NDArray[np.floating]:  # noqa: N803
        """Return scores, shape (records, classes)."""

    def calibrate(self, X: Recordings, y: ArrayLike) -> Self:  # noqa: N803
        """Calibrate on labelled records, which should be of other patients than those it is to serve.

        Args:
            X: records, or an array of shape (records, leads, samples) in millivolts.
            y: whether each class applies to each record, 0 or 1, shape (records, classes), in the order of
                ``classes_``.

        Raises:
            UsageError: ``y`` is of another shape or kind, or the model was never saved.
            RecordError: a record does not meet the model's contract.
        """
        labels = np.asarray(y)
        if labels.shape != (len(X), len(self.classes_)) or not np.isin(labels, (0, 1)).all() or not len(X):
            raise UsageError(
                f"labels have shape {labels.shape}; give 0 or 1 for each of {len(X)} records and"
                f" {len(self.classes_)} classes"
            )
        self.scoring.require_hash()
        fitted = calibrate_classes(self.decision_function(X), labels.astype(bool))
        self.calibration_ = Calibration(
            **self.scoring.model_dump(),
            n_records=len(X),
            per_class=dict(zip(self.classes_.tolist(), fitted, strict=True)),
        )
        return self

    def load_calibration(self, path: str | Path) -> Self:
        """Take a calibration from a file: one that was saved, or a result of ``merl evaluate --json``.

        Raises:
            DataError: the file is missing, damaged, or holds no calibration.
            UsageError: it was made for another checkpoint, prompt set or way of scoring.
        """
        found = Calibration.load(path, self.scoring.prompts_sha256)
        found.require(self.scoring)
        self.calibration_ = found
        return self

    @available_if(_is_calibrated)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def predict_proba(self, X: Recordings) -> Floats:  # noqa: N803
        """Return the probability that each class applies; there is none before a calibration.

        Args:
            X: records, or an array of shape (records, leads, samples) in millivolts. Where the calibration
                was made with some leads only, no others are looked at.

        Returns:
            Shape (records, classes), 0 to 1. A record may have several classes: rows need not sum to 1.

        Raises:
            UsageError: the calibration is of another checkpoint, prompt set or way of scoring.
            RecordError: a record does not meet the model's contract.
        """
        self.calibration_.require(self.scoring)
        records = self._records(X)
        if leads := self.calibration_.leads:
            records = [record.select(leads) for record in records]
        return self.calibration_.probabilities(self.decision_function(records), self.classes_.tolist())
