"""Zero-shot scoring: class embeddings from prompts, ECG embeddings from records, cosines between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import Tensor

from merl.ckepe.prompt_set import PromptSet
from merl.errors import PromptError, UsageError
from merl.model import MERL, cpu_has_bf16
from merl.records import ECGRecord

#: How much a phrase of each role weighs in its class's embedding: all alike, as CLIP and CuPL do. Compared
#: with five other settings, with labels, on PTB-XL fold 9 for its four tasks together
#: (benchmarks/role_weights.py); with the shipped model they differ by at most 0.2 points of macro AUROC.
ROLE_WEIGHTS: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(("name", "synonym", "subtype", "finding", "criterion"), 1.0)
)
ROLE_WEIGHTS_CHOSEN_ON = ("PTB-XL", "val")


@torch.inference_mode()
def class_embeddings(
    model: MERL, prompt_set: PromptSet, *, role_weights: Mapping[str, float] = ROLE_WEIGHTS
) -> Tensor:
    """Embed the present phrases of each class and combine them into one class embedding.

    The embeddings of a class's phrases are added, each weighted by its role: prompt ensembling as CLIP does
    it (Radford et al., 2021).

    Args:
        model: the model.
        prompt_set: the prompts.
        role_weights: the weight of each role.

    Returns:
        Unit-length embeddings, shape (classes, embed_dim), in the order of ``prompt_set.classes``.

    Raises:
        PromptError: a class has no phrase that speaks for it, or one is longer than the text encoder reads.
    """
    spoken = []
    for label, entry in prompt_set.classes.items():
        spoken.append([phrase for phrase in entry.prompts if phrase.polarity == "present"])
        if not spoken[-1]:
            raise PromptError(
                f"class {label!r} has no phrase that speaks for it;"
                " give it at least one with polarity present"
            )
    embeddings = model.encode_text([phrase.text for phrases in spoken for phrase in phrases], normalize=True)
    rows = []
    for phrases, group in zip(spoken, embeddings.split([len(phrases) for phrases in spoken]), strict=True):
        weights = torch.tensor([role_weights[phrase.role] for phrase in phrases], dtype=group.dtype)
        rows.append(weights @ group)  # (embed_dim,)
    return F.normalize(torch.stack(rows), dim=-1)


@torch.inference_mode()
def embed_records(
    model: MERL,
    records: Iterable[ECGRecord],
    *,
    batch_size: int = 64,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.float32]:
    """Embed records one batch at a time; a record longer than the model's window is the mean of its windows.

    Args:
        model: the model.
        records: any number of records, also a generator: only one batch is held.
        batch_size: records read together and windows encoded together.
        progress: called with the number of records done.

    Returns:
        Unit-length embeddings, shape (records, embed_dim).

    Raises:
        RecordError: a record does not meet the model's contract.
    """
    rows: list[NDArray[np.float32]] = []
    for batch in _batches(records, batch_size):
        windows = [model.spec.windows(record) for record in batch]
        signals = torch.from_numpy(np.concatenate(windows))  # (windows, leads, samples)
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
            encoded = torch.cat([model.encode_ecg(part) for part in signals.split(batch_size)])
        parts = F.normalize(encoded.float(), dim=-1).split([len(item) for item in windows])
        rows.extend(F.normalize(part.mean(0), dim=-1).numpy() for part in parts)
        if progress:
            progress(len(rows))
    return np.stack(rows) if rows else np.zeros((0, model.config.embed_dim), np.float32)


def _batches(records: Iterable[ECGRecord], size: int) -> Iterator[list[ECGRecord]]:
    batch: list[ECGRecord] = []
    for record in records:
        batch.append(record)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class ZeroShotClassifier(ClassifierMixin, BaseEstimator):
    """Score ECGs against the prompts of each class, in the manner of a scikit-learn classifier.

    The scores are cosines, not probabilities; there is no ``predict_proba``, for nothing has been calibrated.

    Args:
        model: a MERL model, from ``merl.load_model``.
        prompts: the prompt set.

    Attributes:
        classes_: the labels, in the order of the scores' columns.
    """

    def __init__(self, model: MERL, prompts: PromptSet) -> None:
        self.model = model
        self.prompts = prompts

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
        return type(self)(self.model, self.prompts)  # by default the network would be copied

    def decision_function(self, X: Sequence[ECGRecord]) -> NDArray[np.float32]:  # noqa: N803
        """Return the cosine between each record and each class.

        Args:
            X: records.

        Returns:
            Cosines in [-1, 1], shape (records, classes).

        Raises:
            UsageError: a single record instead of a list.
            RecordError: a record does not meet the model's contract.
            PromptError: a class has no phrase that speaks for it.
        """
        if isinstance(X, ECGRecord):
            raise UsageError("decision_function takes a list of records; write [record]")
        classes = self._embeddings().numpy()  # first: a faulty prompt should not cost the records' encoding
        return embed_records(self.model, X) @ classes.T

    def predict(self, X: Sequence[ECGRecord]) -> NDArray[np.str_]:  # noqa: N803
        """Return the class with the highest cosine for each record, shape (records,)."""
        return self.classes_[self.decision_function(X).argmax(1)]

    def _embeddings(self) -> Tensor:
        made = getattr(self, "_made", None)
        # set_params may change both
        if made is None or made[0] is not self.model or made[1] is not self.prompts:
            made = self._made = (self.model, self.prompts, class_embeddings(self.model, self.prompts))
        return made[2]
