"""What a validation fold makes of cosines: a probability and a threshold for each class.

Cosines are scores. On labelled records of a validation fold a logistic curve per class turns them into the
probability that the class applies (Platt, Probabilistic outputs for support vector machines, in Advances in
Large Margin Classifiers, MIT Press 1999), and the threshold with the highest F1 is kept. Two numbers a class
are asked of a fold whose rare classes have ten positives; isotonic regression would take as many as there
are positives. A calibration is plain JSON and belongs to one checkpoint, prompt set and way of scoring.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from merl.errors import DataError, UsageError
from merl.files import validate, write_text

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ClassCalibration(_Strict):
    """One class: its probability is ``1 / (1 + exp(-(slope * score + intercept)))``.

    Attributes:
        slope: at least 0, so that the order of the records stays; 0 where the scores tell nothing.
        threshold: a record is said to have the class from this score on; ``None`` where the validation fold
            has no positive or no negative to choose one by.
        positives: records with the class on the validation fold.
    """

    slope: Annotated[float, Field(ge=0)]
    intercept: float
    threshold: float | None
    positives: int


class Scoring(_Strict):
    """What a score depends on besides the record: a calibration holds for nothing else.

    Attributes:
        checkpoint_sha256: of the model's weights; ``None`` for a model that was never saved.
        prompts_sha256: of the prompt set's content.
        ensemble: how the phrases of a class become its score.
        absent_weight: how much phrases against a class count.
        contrast: how much of what an ECG has in common with all the classes is taken off.
    """

    checkpoint_sha256: str | None
    prompts_sha256: str
    ensemble: str
    absent_weight: float
    contrast: float = 0.0

    def require_hash(self) -> None:
        """Refuse a model that was never saved.

        Raises:
            UsageError: it has no hash that a calibration could be bound to.
        """
        if self.checkpoint_sha256 is None:
            raise UsageError(
                "a calibration is bound to a checkpoint's hash; save the model and load it first"
            )


class Calibration(Scoring):
    """The classes' calibrations, what they belong to, and what they were fitted on.

    Attributes:
        n_records: of the validation fold.
        dataset: whose; ``None`` for records of the user's own.
        split: which of its splits.
        leads: the only leads the model saw; ``None`` if it saw all that the records have.
        per_class: by code, in the order of the prompt set.
    """

    n_records: int
    dataset: str | None = None
    split: str | None = None
    leads: tuple[str, ...] | None = None
    per_class: dict[str, ClassCalibration]

    def probabilities(self, scores: NDArray[np.floating], classes: Sequence[str]) -> Floats:
        """Return the probability that each class applies, 0 to 1, from scores of shape (records, classes).

        Raises:
            UsageError: it is for other classes.
        """
        if missing := [code for code in classes if code not in self.per_class]:
            raise UsageError(f"the calibration lacks the class {missing[0]!r}; calibrate anew")
        return probabilities([self.per_class[code] for code in classes], scores)

    def require(self, scoring: Scoring) -> None:
        """Refuse to serve scores that come from elsewhere.

        Raises:
            UsageError: the checkpoint, the prompt set or the way of scoring is another, or has no hash.
        """
        if scoring.checkpoint_sha256 is None or self.checkpoint_sha256 is None:
            raise UsageError(
                "a calibration is bound to a checkpoint's hash; save the model and load it first"
            )
        names = {
            "checkpoint_sha256": "checkpoint",
            "prompts_sha256": "prompt set",
            "ensemble": "ensemble",
            "absent_weight": "absent_weight",
            "contrast": "contrast",
        }
        for field, what in names.items():
            own, other = (str(getattr(item, field))[:12] for item in (self, scoring))
            if own != other:
                raise UsageError(
                    f"the calibration was made for another {what} ({own}, here {other});"
                    " calibrate anew, or take what it was made for"
                )

    def save(self, path: str | Path) -> None:
        """Write it as JSON, atomically."""
        write_text(path, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, path: str | Path, prompts_sha256: str) -> Calibration:
        """Read a calibration, also out of the result that ``merl evaluate --json`` writes.

        Args:
            path: the file.
            prompts_sha256: of a result, the prompt set whose calibration is wanted.

        Raises:
            DataError: the file is missing, damaged, or holds no calibration.
            UsageError: it is a result without that prompt set.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise DataError(f"cannot read the calibration {path}: {problem}") from None
        if isinstance(data, dict) and isinstance(data.get("prompt_sets"), list):
            data = _of_result(data["prompt_sets"], path, prompts_sha256)
        return validate(cls, data, path, DataError)


def probabilities(classes: list[ClassCalibration], scores: NDArray[np.floating]) -> Floats:
    """Return the probability of each class, shape (records, classes), from scores of that shape."""
    from scipy.special import expit

    slopes = np.array([item.slope for item in classes])
    intercepts = np.array([item.intercept for item in classes])
    return np.asarray(expit(slopes * scores + intercepts), np.float64)


def calibrate_classes(scores: NDArray[np.floating], labels: Bools) -> list[ClassCalibration]:
    """Fit every class on its own.

    Args:
        scores: shape (records, classes).
        labels: shape (records, classes).

    Raises:
        DataError: a score is not finite.
    """
    if not np.isfinite(scores).all():
        row = int(np.argwhere(~np.isfinite(scores))[0, 0])
        raise DataError(f"the scores of record {row} are not finite; check the record and the checkpoint")
    columns = range(labels.shape[1])
    return [_calibrate(np.asarray(scores[:, c], np.float64), labels[:, c]) for c in columns]


def _calibrate(scores: Floats, labels: Bools) -> ClassCalibration:
    positives, records = int(labels.sum()), len(labels)
    # Platt's targets stand one record of each side off 0 and 1: no curve is infinitely steep, and a class
    # that was never seen gets the rate that none in so many records speaks for
    targets = np.where(labels, (positives + 1) / (positives + 2), 1 / (records - positives + 2))
    slope, intercept = _logistic(scores, targets)
    one_sided = positives in (0, records)
    return ClassCalibration(
        slope=slope,
        intercept=intercept,
        threshold=None if one_sided else _best_threshold(scores, labels),
        positives=positives,
    )


def _logistic(scores: Floats, targets: Floats) -> tuple[float, float]:
    """Fit ``targets`` between 0 and 1 by a logistic curve that does not fall."""
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression

    level, spread = float(scores.mean()), float(scores.std())
    if spread > 0:
        scaled = np.tile((scores - level) / spread, 2)[:, None]
        sides = np.repeat([1, 0], len(scores))
        weights = np.concatenate([targets, 1 - targets])
        fitted = LogisticRegression(C=np.inf, solver="newton-cholesky").fit(scaled, sides, weights)
        slope, intercept = float(fitted.coef_[0, 0]) / spread, float(fitted.intercept_[0])
        if slope > 0:
            return slope, intercept - slope * level
    return 0.0, float(logit(targets.mean()))


def _best_threshold(scores: Floats, labels: Bools) -> float:
    """Return the threshold with the highest F1, half-way to the next score below."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    best = int(f1[:-1].argmax())
    return float((thresholds[best] + thresholds[max(best - 1, 0)]) / 2)


def _of_result(prompt_sets: list[dict[str, object]], path: str | Path, prompts_sha256: str) -> object:
    for item in prompt_sets:
        if item.get("sha256") == prompts_sha256:
            if not item.get("calibration"):
                raise DataError(f"the result {path} holds no calibration; `validation` in it says why")
            return item["calibration"]
    names = ", ".join(str(item.get("name")) for item in prompt_sets)
    raise UsageError(f"the result {path} is of other prompts ({names}); give one made with these")
