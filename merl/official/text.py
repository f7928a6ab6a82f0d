"""The text encoder of a released file, which holds its weights but not its tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from merl.checkpoints import WEIGHTS, fill
from merl.errors import CheckpointError
from merl.files import sha256
from merl.model import TextIdentity
from merl.official.weights import TEXT, OfficialWeights


def write_text_encoder(folder: Path, weights: OfficialWeights, out: Path, origin: Path) -> TextIdentity:
    """Save a released file's text encoder with the tokenizer it came without.

    Args:
        folder: configuration and tokenizer as transformers saves them, with or without weights.
        weights: the file's.
        out: the folder to write.
        origin: the file's path, for the errors.

    Returns:
        What the checkpoint's configuration says of it.

    Raises:
        CheckpointError: the folder is no text encoder, or another one than the file's.
    """
    transformer, tokenizer, own = _open(folder)
    words = {key: tensor.float() for key, tensor in weights.words.items()}
    if not words:
        raise CheckpointError(f"{origin} holds no text encoder (lm_model); import it without --text")
    if own:
        found = transformer.state_dict()
        differing = [key for key in words if not torch.equal(words[key], found.get(key, words[key]))]
        if differing:
            raise CheckpointError(
                f"the text encoder of {origin} is not the one in {folder} ({len(differing)} weights differ,"
                f" for example {differing[0]}); give the folder of the one it was trained with"
            )
    fill(transformer, words, f"the text encoder of {origin} does not fit {folder}")
    size, tokens = transformer.config.vocab_size, len(tokenizer)
    if tokens > size:
        raise CheckpointError(
            f"the tokenizer in {folder} has {tokens} tokens and the text encoder {size};"
            " give its own tokenizer"
        )
    dim = transformer.config.hidden_size
    if dim != weights.text_dim:
        raise CheckpointError(
            f"the text encoder in {folder} makes embeddings of {dim} and {origin} takes"
            f" {weights.text_dim}; give the folder of the one it was trained with"
        )
    transformer.save_pretrained(out)
    tokenizer.save_pretrained(out)
    known = {"name": folder.resolve().name, "sha256": sha256(out / WEIGHTS), "dim": dim, "place": "folder"}
    return TEXT.model_copy(update=known)


def _open(folder: Path) -> tuple[Any, Any, bool]:
    """Return the transformer, its tokenizer, and whether the folder has weights of its own."""
    from transformers import AutoConfig, AutoModel, AutoTokenizer, logging

    own = (folder / WEIGHTS).is_file()
    logging.disable_progress_bar()
    single = torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if own:
            transformer = AutoModel.from_pretrained(folder, local_files_only=True, dtype=single)
        else:
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
            transformer = AutoModel.from_config(config, dtype=single)
    except (OSError, ValueError) as problem:
        raise CheckpointError(
            f"{folder} is no text encoder ({str(problem).splitlines()[0]}); give a folder with config.json"
            " and tokenizer, as transformers saves them"
        ) from None
    return transformer, tokenizer, own
