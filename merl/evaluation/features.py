"""What a linear probe sees of an ECG.

MERL's probe takes the output of the ECG encoder averaged over time, before the projection into the space
that is shared with text, and so does ours unless the embedding in that space is asked for.
"""

from __future__ import annotations

from typing import Literal

from merl.model import MERL

Layer = Literal["encoder", "embedding"]


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


def reads_text(model: MERL) -> bool:
    """Tell whether a model can score prompts, which an ECG encoder alone cannot."""
    return model.config.projection != "none" and model.config.text.place != "absent"
