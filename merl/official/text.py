"""The text encoder of a released file, which holds its weights but not its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from merl.checkpoints import WEIGHTS, fill
from merl.errors import CheckpointError


def read_text_encoder(folder: Path, words: Mapping[str, Tensor], dim: int, origin: Path) -> tuple[Any, Any]:
    """Read a text encoder and its tokenizer for weights that came without them.

    Args:
        folder: configuration and tokenizer as transformers saves them, with or without weights.
        words: the weights it must have, by name; if empty, the folder's are taken.
        dim: length that the embeddings must have.
        origin: where ``words`` came from, for the errors.

    Returns:
        The transformer in single precision, and its tokenizer.

    Raises:
        CheckpointError: the folder is no text encoder, or another one than that of ``words``.
    """
    transformer, tokenizer, own = _open(folder)
    words = {key: tensor.float() for key, tensor in words.items() if key != "embeddings.position_ids"}
    if not own and not words:
        raise CheckpointError(f"neither {origin} nor {folder} has the weights of a text encoder")
    if words:
        before = transformer.state_dict() if own else {}
        fill(transformer, words, f"the text encoder of {origin} does not fit {folder}")
        differing = [key for key in before if not torch.equal(words[key], before[key])]
        if differing:
            raise CheckpointError(
                f"the text encoder of {origin} is not the one in {folder} ({len(differing)} weights differ, for"
                f" example {differing[0]}); give the folder of the one it was trained with"
            )
    size, tokens = transformer.config.vocab_size, len(tokenizer)
    if tokens > size:
        raise CheckpointError(
            f"the tokenizer in {folder} has {tokens} tokens and the text encoder {size}; give its own tokenizer"
        )
    if transformer.config.hidden_size != dim:
        raise CheckpointError(
            f"the text encoder in {folder} makes embeddings of {transformer.config.hidden_size} and {origin}"
            f" takes {dim}; give the folder of the one it was trained with"
        )
    return transformer, tokenizer


def _open(folder: Path) -> tuple[Any, Any, bool]:
    """Return the transformer, its tokenizer, and whether the folder has weights of its own."""
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    own = (folder / WEIGHTS).is_file()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if own:
            return (
                AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32),
                tokenizer,
                own,
            )
        return AutoModel.from_config(config, dtype=torch.float32), tokenizer, own
    except (OSError, ValueError) as problem:
        raise CheckpointError(
            f"{folder} is no text encoder ({str(problem).splitlines()[0]}); give a folder with config.json and"
            " tokenizer, as transformers saves them"
        ) from None
