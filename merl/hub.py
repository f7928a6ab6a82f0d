"""Checkpoints on the Hugging Face hub: fetched by id, and pushed with their model card.

Only the files of a checkpoint are fetched, never a pickle. Where they are kept, the endpoint, the token and
working offline are huggingface_hub's own matters (``HF_HOME``, ``HF_ENDPOINT``, ``HF_TOKEN``,
``HF_HUB_OFFLINE``).
"""

from __future__ import annotations

import re
from pathlib import Path

from merl.errors import CheckpointError, UsageError

_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_FILES = ["config.json", "model.safetensors", "README.md", "text/*.json", "text/*.txt", "text/*.safetensors"]


def is_hub_id(name: str) -> bool:
    """Tell whether a name reads like ``owner/model`` and is not meant as a path in a folder that is here."""
    return bool(_ID.fullmatch(name)) and not Path(name).parent.is_dir()


def fetch(repo_id: str, revision: str | None = None) -> Path:
    """Fetch a checkpoint, or find it in the cache of earlier fetches.

    Args:
        repo_id: ``owner/model``.
        revision: a branch, tag or commit; the main branch by default.

    Returns:
        The folder it lies in.

    Raises:
        CheckpointError: the hub does not have it or cannot be reached.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repo_id, revision=revision, allow_patterns=_FILES))
    except (OSError, ValueError) as problem:  # huggingface_hub's own errors are OSErrors
        at = f" at revision {revision}" if revision else ""
        raise CheckpointError(
            f"there is no folder {repo_id}, and the Hugging Face hub did not give a model of that id{at}:"
            f" {_first_line(problem)}"
        ) from None


def upload(
    folder: Path, repo_id: str, *, private: bool = False, token: str | None = None, message: str
) -> str:
    """Write a checkpoint folder to the hub; the repository is made if it is missing.

    Args:
        folder: the checkpoint.
        repo_id: ``owner/model``.
        private: whether a new repository is private.
        token: of the owner; the one of ``hf auth login`` by default.
        message: what the commit says.

    Returns:
        The address of the commit.

    Raises:
        UsageError: the id is not ``owner/model``.
        CheckpointError: the hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HTTPError  # of its HTTP client, for a hub that cannot be reached

    if not _ID.fullmatch(repo_id):
        raise UsageError(f"{repo_id!r} is no id of the Hugging Face hub; write owner/model")
    api = HfApi(token=token)
    try:
        api.create_repo(repo_id, private=private, exist_ok=True)
        done = api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=message)
    except (OSError, ValueError, HTTPError) as problem:
        raise CheckpointError(
            f"the Hugging Face hub did not take {repo_id}: {_first_line(problem)}"
        ) from None
    return str(done.commit_url)


def _first_line(problem: Exception) -> str:
    return next((line.strip() for line in str(problem).splitlines() if line.strip()), type(problem).__name__)
