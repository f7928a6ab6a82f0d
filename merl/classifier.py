"""The zero-shot classifier in the manner of scikit-learn, which takes a second to import."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from merl.calibrated import CalibratedMixin, Recordings
from merl.calibration import Scoring
from merl.ckepe.prompt_set import PromptSet, prompt_set_sha256
from merl.embedding import embed_records
from merl.errors import UsageError, unknown
from merl.model import MERL
from merl.records import ECGRecord
from merl.zeroshot import EmbeddedPrompts, Ensemble, embed_prompts


class ZeroShotClassifier(CalibratedMixin, ClassifierMixin, BaseEstimator):
    """Score ECGs against the prompts of each class, in the manner of a scikit-learn classifier.

    The scores are cosines, not probabilities; ``predict_proba`` is there once they have been calibrated.
    Where scikit-learn takes a table it takes records, or an array of millivolts, shape (records, leads,
    samples), in the model's leads, sampling rate and length. A record may have several classes or none, so
    that two classes, too, have two columns of scores; scikit-learn's ``roc_auc`` scorer wants one column of
    them and refuses: with two classes give it a row of zeros and ones a record instead of codes.

    Args:
        model: a MERL model, from ``merl.load_model``.
        prompts: the prompt set.
        ensemble: how the phrases of a class are combined, one of ``ENSEMBLES``.
        absent_weight: 0 to 1, how much phrases that speak against a class count; by default they do not.
        contrast: 0 to 1, how much of what an ECG has in common with all the classes is taken off its scores;
            by default nothing. The order of a record's classes stays; records compare better with each other.

    Attributes:
        classes_: the labels, in the order of the scores' columns.
    """

    def __init__(
        self,
        model: MERL,
        prompts: PromptSet,
        *,
        ensemble: Ensemble = "mean",
        absent_weight: float = 0.0,
        contrast: float = 0.0,
    ) -> None:
        self.model = model
        self.prompts = prompts
        self.ensemble = ensemble
        self.absent_weight = absent_weight
        self.contrast = contrast

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The labels, in the order of the scores' columns."""
        return np.array(list(self.prompts.classes))

    @property
    def scoring(self) -> Scoring:
        """What the scores depend on, to which a calibration is bound."""
        return Scoring(
            checkpoint_sha256=self.model.sha256,
            prompts_sha256=prompt_set_sha256(self.prompts),
            ensemble=self.ensemble,
            absent_weight=self.absent_weight,
            contrast=self.contrast,
        )

    def fit(self, X: object = None, y: object = None) -> ZeroShotClassifier:  # noqa: N803
        """Do nothing: there are no labels to learn from. Returns itself."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> ZeroShotClassifier:
        return type(self)(**self.get_params(deep=False))  # by default the network would be copied

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        tags.target_tags.required = tags.requires_fit = False
        tags.classifier_tags.poor_score = True  # on rows of numbers that are no ECGs
        return tags

    def decision_function(self, X: Recordings) -> NDArray[np.floating]:  # noqa: N803
        """Return the cosine between each record and each class.

        Args:
            X: records, or an array of shape (records, leads, samples) in millivolts.

        Returns:
            Cosines in [-1, 1], shape (records, classes); less the weighted cosine with what speaks against
            the class, or what the record shares with all, with an ``absent_weight`` or ``contrast``.

        Raises:
            UsageError: a single record, an array of another shape, or an unknown way of scoring.
            RecordError: a record does not meet the model's contract.
            PromptError: a class has no phrase that speaks for it.
        """
        records = self._records(X)
        embedded = self._embedded()  # first: a faulty prompt should not cost the records' encoding
        return embedded.score(embed_records(self.model, records))

    def predict(self, X: Recordings) -> NDArray[np.str_]:  # noqa: N803
        """Return the class with the highest score for each record, shape (records,)."""
        best: NDArray[np.str_] = self.classes_[self.decision_function(X).argmax(1)]
        return best

    def score(self, X: Recordings, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:  # noqa: N803
        """Return the share of records whose highest score is that of the class given, 0 to 1.

        Args:
            X: records, or an array of shape (records, leads, samples) in millivolts.
            y: one class code for each record.
            sample_weight: how much each record counts.

        Raises:
            UsageError: ``y`` holds something else than class codes, or a record has several.
        """
        labels = np.asarray(y)
        if labels.ndim != 1:
            raise UsageError(
                f"labels have shape {labels.shape}; score takes one class code a record, and for several"
                " there are scorers of decision_function such as scoring='roc_auc'"
            )
        if strangers := set(labels.tolist()) - set(self.prompts.classes):
            raise UsageError(unknown("class", str(min(strangers, key=str)), self.prompts.classes))
        return float(super().score(X, labels, sample_weight))

    def _records(self, X: Recordings) -> list[ECGRecord]:  # noqa: N803
        return self.model.spec.as_records(X)

    def _embedded(self) -> EmbeddedPrompts:
        given = (self.model, self.prompts, self.ensemble, self.absent_weight, self.contrast)
        made = getattr(self, "_made", None)  # set_params may change each
        if made is None or any(one is not other for one, other in zip(made[0], given, strict=True)):
            embedded = embed_prompts(
                self.model,
                self.prompts,
                ensemble=self.ensemble,
                absent_weight=self.absent_weight,
                contrast=self.contrast,
            )
            made = self._made = (given, embedded)
        return made[1]
