"""What a linear probe sees of an ECG.

MERL's probe takes the output of the ECG encoder averaged over time, before the projection into the space
that is shared with text, and so does ours unless the embedding in that space is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from merl.evaluation.embeddings import record_embeddings
from merl.evaluation.linear import Labelled
from merl.evaluation.metrics import Floats
from merl.model import MERL

if TYPE_CHECKING:
    from merl.ckepe.prompt_set import PromptSet
    from merl.datasets.tasks import TaskData

Layer = Literal["encoder", "embedding"]
Report = Callable[[int, int, str], None]


def at_layer(model: MERL, layer: Layer) -> MERL:
    """Return a model whose ``encode_ecg`` gives the features of a layer; it shares the model's weights.

    Args:
        model: any model.
        layer: ``encoder`` for features averaged over time, shape (batch, width of the encoder), or
            ``embedding`` for what is compared with text, shape (batch, embed_dim).
    """
    if layer == "embedding" or model.config.projection == "none":
        return model
    headless = {"projection": "none", "embed_dim": model.ecg_encoder.width, "heads": 1}
    alone = MERL(model.config.model_copy(update=headless), sha256=model.sha256)
    alone.ecg_encoder = model.ecg_encoder
    return alone.eval()


def random_model(model: MERL, seed: int) -> MERL:
    """Return a model of the same architecture with the random weights that training would begin with."""
    text = model.config.text.model_copy(update={"trained_layers": 0})  # of no use to ECGs, and slow to load
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = MERL(model.config.model_copy(update={"text": text}))
    digest = hashlib.sha256()
    for name, tensor in made.state_dict().items():
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    made.sha256 = digest.hexdigest()
    return made.eval().requires_grad_(False)


def labelled(model: MERL, data: TaskData, report: Report) -> Labelled:
    """Encode a split, or find it in the cache, and put its labels beside the features."""
    what = f"encoding {data.dataset}, {data.split}"
    features = record_embeddings(model, data, progress=lambda done, total: report(done, total, what))
    return Labelled(features, data.labels, data.patients)


def reads_text(model: MERL) -> bool:
    """Tell whether a model can score prompts, which an ECG encoder alone cannot."""
    return model.config.projection != "none" and model.config.text.place != "absent"


def prompt_scores(model: MERL, prompt_set: PromptSet, data: TaskData, report: Report) -> Floats:
    """Score a split against prompts in the default way, shape (records, classes) in the order of ``data``."""
    from merl.zeroshot import embed_prompts

    embedded = embed_prompts(model, prompt_set)
    columns = [list(prompt_set.classes).index(code) for code in data.classes]
    ecgs = labelled(model, data, report).features.astype(np.float64)
    return np.asarray(embedded.score(ecgs)[:, columns], np.float64)
