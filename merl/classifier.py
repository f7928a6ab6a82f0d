"""The zero-shot classifier in the manner of scikit-learn, which takes a second to import."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from merl.ckepe.prompt_set import PromptSet
from merl.errors import UsageError
from merl.model import MERL
from merl.records import ECGRecord
from merl.zeroshot import EmbeddedPrompts, Ensemble, embed_prompts, embed_records


class ZeroShotClassifier(ClassifierMixin, BaseEstimator):
    """Score ECGs against the prompts of each class, in the manner of a scikit-learn classifier.

    The scores are cosines, not probabilities; there is no ``predict_proba``, for nothing has been calibrated.

    Args:
        model: a MERL model, from ``merl.load_model``.
        prompts: the prompt set.
        ensemble: how the phrases of a class are combined, one of ``ENSEMBLES``.
        absent_weight: 0 to 1, how much phrases that speak against a class count; by default they do not.

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
    ) -> None:
        self.model = model
        self.prompts = prompts
        self.ensemble = ensemble
        self.absent_weight = absent_weight

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The labels, in the order of the scores' columns."""
        return np.array(list(self.prompts.classes))

    def fit(self, X: object = None, y: object = None) -> ZeroShotClassifier:  # noqa: N803
        """Do nothing: there are no labels to learn from. Returns itself."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> ZeroShotClassifier:
        return type(self)(**self.get_params(deep=False))  # by default the network would be copied

    def decision_function(self, X: Sequence[ECGRecord]) -> NDArray[np.floating]:  # noqa: N803
        """Return the cosine between each record and each class.

        Args:
            X: records.

        Returns:
            Cosines in [-1, 1], shape (records, classes); with an ``absent_weight``, less the weighted cosine
            with what speaks against the class.

        Raises:
            UsageError: a single record instead of a list, or an unknown way of scoring.
            RecordError: a record does not meet the model's contract.
            PromptError: a class has no phrase that speaks for it.
        """
        if isinstance(X, ECGRecord):
            raise UsageError("decision_function takes a list of records; write [record]")
        embedded = self._embedded()  # first: a faulty prompt should not cost the records' encoding
        return embedded.score(embed_records(self.model, X))

    def predict(self, X: Sequence[ECGRecord]) -> NDArray[np.str_]:  # noqa: N803
        """Return the class with the highest score for each record, shape (records,)."""
        return self.classes_[self.decision_function(X).argmax(1)]

    def _embedded(self) -> EmbeddedPrompts:
        given = (self.model, self.prompts, self.ensemble, self.absent_weight)  # set_params may change each
        made = getattr(self, "_made", None)
        if made is None or any(one is not other for one, other in zip(made[0], given, strict=True)):
            embedded = embed_prompts(
                self.model, self.prompts, ensemble=self.ensemble, absent_weight=self.absent_weight
            )
            made = self._made = (given, embedded)
        return made[1]
