"""The folder an index is kept in: vectors, passages, entries, and a manifest with the hash of each."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from merl.errors import KnowledgeError, wrong_use
from merl.files import sha256, validate

BUILD_AGAIN = "delete the folder and build it again with `merl kb build`"
_FILES = ("index.faiss", "passages.jsonl", "entries.jsonl")


class Manifest(BaseModel):
    """What an index folder holds and what it was made with.

    Attributes:
        embedder: name of the text encoder; its weights are known by ``embedder_sha256``.
        dim: length of a vector.
        corpus_sha256: hash of the entries the passages were cut from.
        passages: how many there are; row i of the vectors is line i of the passages.
        files: SHA-256 of every other file of the folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["merl/index/v1"] = Field("merl/index/v1", alias="schema")
    embedder: str
    embedder_sha256: str
    dim: int
    metric: Literal["inner product of unit vectors"] = "inner product of unit vectors"
    corpus_sha256: str
    passages: int
    files: dict[str, str]


def write_folder(
    target: Path,
    vectors: Any,
    lines: Mapping[str, Sequence[BaseModel]],
    *,
    embedder: tuple[str, str],
    corpus_sha256: str,
) -> None:
    """Write an index into a temporary folder beside ``target``, then put it in its place.

    Args:
        target: an empty or new folder, or an index to be replaced.
        vectors: the FAISS index, one row a passage.
        lines: the contents of ``passages.jsonl`` and ``entries.jsonl``.
        embedder: its name and the hash of its weights.
        corpus_sha256: hash of the entries.

    Raises:
        KnowledgeError: the target holds something that is not an index.
    """
    import faiss

    check_target(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        faiss.write_index(vectors, str(part / "index.faiss"))
        for name, items in lines.items():
            text = "".join(item.model_dump_json() + "\n" for item in items)
            (part / name).write_text(text, encoding="utf-8")
        manifest = Manifest(
            embedder=embedder[0],
            embedder_sha256=embedder[1],
            dim=vectors.d,
            corpus_sha256=corpus_sha256,
            passages=vectors.ntotal,
            files={name: sha256(part / name) for name in _FILES},
        )
        text = manifest.model_dump_json(indent=2, by_alias=True)
        (part / "manifest.json").write_text(text, encoding="utf-8")
        part.chmod(0o755)  # mkdtemp makes private folders
        replace_folder(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_target(target: Path) -> None:
    """Refuse to replace what is not an index.

    Raises:
        KnowledgeError: the target is a file, or a folder that holds something else.
    """
    empty = target.is_dir() and not any(target.iterdir())
    if target.exists() and not empty and schema_of(target) not in {"merl/index/v1", "merl/corpus/v1"}:
        raise KnowledgeError(f"{target} is not an index; name a new or empty folder")


def is_corpus(folder: Path) -> bool:
    """Tell whether a folder's manifest says that it holds an index of many sources."""
    return schema_of(folder) == "merl/corpus/v1"


def schema_of(folder: Path) -> str | None:
    """Return what a folder's manifest says it is; None where there is no manifest that can be read."""
    try:
        data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # what is wrong with it is said where it is read
    return data.get("schema") if isinstance(data, dict) else None


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest and compare every file with it.

    Raises:
        KnowledgeError: the folder is no index, or a file is missing or was changed.
    """
    path = folder / "manifest.json"
    manifest = validate(Manifest, read_json(path), path, KnowledgeError)
    for name in _FILES:
        if not (folder / name).is_file() or sha256(folder / name) != manifest.files.get(name):
            raise KnowledgeError(f"{folder / name} is missing or not what its manifest says; {BUILD_AGAIN}")
    return manifest


def read_json(path: Path) -> Any:
    """Read a folder's ``manifest.json``.

    Raises:
        KnowledgeError: there is none, so the folder is some other, or it is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        why = f"{path.parent} is no index: it has no manifest.json; give a folder that `merl kb build` wrote"
        raise wrong_use(KnowledgeError(why)) from None
    except (OSError, ValueError, RecursionError) as problem:
        raise KnowledgeError(f"cannot read {path}: {problem}; {BUILD_AGAIN}") from None


def read_vectors(folder: Path, manifest: Manifest) -> Any:
    """Read the FAISS index of a folder.

    Raises:
        KnowledgeError: its size is not the manifest's.
    """
    import faiss

    vectors = faiss.read_index(str(folder / "index.faiss"))
    if (vectors.d, vectors.ntotal) != (manifest.dim, manifest.passages):
        raise KnowledgeError(f"the vectors in {folder} do not fit its manifest; {BUILD_AGAIN}")
    return vectors


def replace_folder(part: Path, target: Path) -> None:
    """Put a finished folder in place; two processes that build the same index may both get here."""
    if target.exists():
        old = part.with_suffix(".old")
        target.rename(old)
        part.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        part.rename(target)
