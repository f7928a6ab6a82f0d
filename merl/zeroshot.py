"""Zero-shot scoring: class embeddings from prompts, and their cosines with ECG embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from merl.ckepe.prompt_set import Phrase, PromptSet
from merl.errors import PromptError, UsageError, unknown
from merl.model import MERL
from merl.stored_texts import embed_texts

Ensemble = Literal["mean", "joined", "max", "name-weighted"]
#: How the phrases of a class become its score. ``mean``, the default for every task, was settled with the
#: labels of PTB-XL fold 9, for its four tasks together (benchmarks/prompts.md).
ENSEMBLES: Mapping[str, str] = MappingProxyType(
    {
        "mean": "the mean of its phrases' embeddings, as CLIP does (Radford et al., 2021)",
        "joined": "one embedding of all its phrases joined with commas, as MERL does (Liu et al., 2024)",
        "max": "the nearest of its phrases, for each ECG anew",
        "name-weighted": "the mean, in which its names weigh as much as all other phrases together",
    }
)
SCORING_CHOSEN_ON = ("PTB-XL", "val")
_TEMPERATURE = 0.07  # that of the softmax in which MERL was trained, and CLIP at its start


def check_scoring(ensemble: str, absent_weight: float = 0.0, contrast: float = 0.0) -> None:
    """Refuse an unknown ensemble, or a weight outside 0 to 1.

    Raises:
        UsageError: it is one of these.
    """
    if ensemble not in ENSEMBLES:
        raise UsageError(unknown("ensemble", ensemble, ENSEMBLES))
    if not 0 <= absent_weight <= 1:
        raise UsageError(
            f"absent_weight is {absent_weight:g}; give 0 (phrases against a class do not count) to 1"
        )
    if not 0 <= contrast <= 1:
        raise UsageError(f"contrast is {contrast:g}; give 0 (each class by itself) to 1 (as a softmax)")


@dataclass(frozen=True, eq=False)
class EmbeddedPrompts:
    """The phrases of a prompt set, embedded and ready to score ECGs.

    Attributes:
        present: for each class unit-length embeddings of what speaks for it, shape (one or more, embed_dim);
            the nearest counts. All ensembles but ``max`` make one.
        absent: the same of what speaks against it; ``None`` where nothing does, or where it is not to count.
        absent_weight: how much the cosine with what speaks against a class lowers its score.
        contrast: how much of what an ECG has in common with all the classes is taken off its scores.
    """

    present: Sequence[NDArray[np.float32]]
    absent: Sequence[NDArray[np.float32] | None]
    absent_weight: float = 0.0
    contrast: float = 0.0

    def score(self, ecgs: NDArray[np.floating]) -> NDArray[np.floating]:
        """Score ECG embeddings against the classes.

        With a contrast, the soft maximum of an ECG's scores at MERL's temperature, 0.07, is taken off them.
        Its classes keep their order and distances; what changes is how ECGs compare with each other in one
        class. At 1 a score is the logarithm of CLIP's zero-shot probability (Radford et al., 2021), times the
        temperature and but for a constant; at 0 each class is scored by itself.

        Args:
            ecgs: unit-length embeddings, shape (records, embed_dim).

        Returns:
            Shape (records, classes), in the precision of ``ecgs``: cosines in [-1, 1] or, with phrases that
            speak against a class, the cosine less ``absent_weight`` times the cosine with those; less
            ``contrast`` times the soft maximum.
        """
        columns = []
        for rows, against in zip(self.present, self.absent, strict=True):
            column = (ecgs @ rows.T.astype(ecgs.dtype)).max(axis=1)  # (records,)
            if against is not None:
                column = column - self.absent_weight * (ecgs @ against.T.astype(ecgs.dtype)).max(axis=1)
            columns.append(column)
        scores = np.stack(columns, axis=1)
        return scores - self.contrast * _soft_maximum(scores) if self.contrast else scores


@torch.inference_mode()
def embed_prompts(
    model: MERL,
    prompt_set: PromptSet,
    *,
    ensemble: Ensemble = "mean",
    absent_weight: float = 0.0,
    contrast: float = 0.0,
) -> EmbeddedPrompts:
    """Embed the phrases of each class and combine them.

    Args:
        model: the model.
        prompt_set: the prompts.
        ensemble: how phrases are combined, one of ``ENSEMBLES``.
        absent_weight: 0 to 1, how much phrases that speak against a class count; 0 leaves them out.
        contrast: 0 to 1, how much of what an ECG has in common with all the classes is taken off its scores.

    Returns:
        What ECGs are scored with, in the order of ``prompt_set.classes``.

    Raises:
        UsageError: an unknown ensemble, a weight outside 0 to 1, or a contrast with no other class.
        PromptError: a class has no phrase that speaks for it, or a text is longer than the encoder reads.
    """
    check_scoring(ensemble, absent_weight, contrast)
    if contrast and len(prompt_set.classes) < 2:
        raise UsageError(f"{prompt_set.name!r} has one class, and a contrast is with others; leave it at 0")
    groups: list[list[Phrase]] = []
    for label, entry in prompt_set.classes.items():
        groups.append([phrase for phrase in entry.prompts if phrase.polarity == "present"])
        if not groups[-1]:
            raise PromptError(
                f"class {label!r} has no phrase that speaks for it;"
                " give it at least one with polarity present"
            )
    for entry in prompt_set.classes.values():
        against = [phrase for phrase in entry.prompts if phrase.polarity == "absent"]
        groups.append(against if absent_weight else [])
    texts = [_texts(phrases, ensemble) for phrases in groups]
    rows = embed_texts(model, [text for group in texts for text in group])
    parts = torch.split(rows, [len(group) for group in texts])
    combined = [
        _combine(phrases, part, ensemble) if phrases else None
        for phrases, part in zip(groups, parts, strict=True)
    ]
    count = len(prompt_set.classes)
    present = [part for part in combined[:count] if part is not None]
    return EmbeddedPrompts(present, combined[count:], absent_weight, contrast)


def class_embeddings(model: MERL, prompt_set: PromptSet, *, ensemble: Ensemble = "mean") -> Tensor:
    """Embed the phrases that speak for each class and combine them into one class embedding.

    Returns:
        Unit-length embeddings, shape (classes, embed_dim), in the order of ``prompt_set.classes``.

    Raises:
        UsageError: ``max``, which keeps all phrases apart, or an unknown ensemble.
        PromptError: a class has no phrase that speaks for it, or a text is longer than the encoder reads.
    """
    if ensemble == "max":
        raise UsageError("max keeps every phrase apart, so a class has no single embedding; take another")
    embedded = embed_prompts(model, prompt_set, ensemble=ensemble)
    return torch.from_numpy(np.concatenate(embedded.present))


def _soft_maximum(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the mean-exponential maximum of each row at the temperature 0.07, shape (records, 1)."""
    top = scores.max(axis=1, keepdims=True)
    share = np.exp((scores - top) / _TEMPERATURE).mean(axis=1, keepdims=True)
    return np.asarray(top + _TEMPERATURE * np.log(share), dtype=scores.dtype)


def _texts(phrases: Sequence[Phrase], ensemble: Ensemble) -> list[str]:
    texts = [phrase.text for phrase in phrases]
    return [", ".join(texts).lower()] if texts and ensemble == "joined" else texts


def _combine(phrases: Sequence[Phrase], rows: Tensor, ensemble: Ensemble) -> NDArray[np.float32]:
    """Combine the embeddings of a class's texts, (texts, embed_dim) -> (one or more, embed_dim)."""
    if ensemble == "max":
        return rows.numpy()
    named = torch.tensor([phrase.role == "name" for phrase in phrases])
    if ensemble == "name-weighted" and named.any() and not named.all():
        mean = rows[named].mean(0) + rows[~named].mean(0)
    else:
        mean = rows.mean(0)
    return F.normalize(mean, dim=-1)[None].numpy()


def phrase_cosines(
    model: MERL, prompt_set: PromptSet, ecgs: NDArray[np.floating]
) -> list[NDArray[np.floating]]:
    """Compare ECGs with every phrase that speaks for a class.

    Under the ensemble ``mean`` a class's score is the mean of these, divided by the same number for each ECG.

    Args:
        model: the model.
        prompt_set: the prompts.
        ecgs: unit-length embeddings, shape (records, embed_dim).

    Returns:
        Cosines for each class, shape (records, phrases), in the order of ``present`` of its prompts.
    """
    texts = [entry.present for entry in prompt_set.classes.values()]
    rows = embed_texts(model, [text for group in texts for text in group]).numpy()
    cosines = ecgs @ rows.T.astype(ecgs.dtype)  # (records, all phrases)
    return np.split(cosines, np.cumsum([len(group) for group in texts])[:-1], axis=1)
