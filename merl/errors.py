"""The errors a user can cause, each one sentence that says what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MerlError(Exception):
    """The work failed; the message says why and what to do. The command line exits with 1."""

    exit_code = 1


class UsageError(MerlError):
    """The request itself is wrong (an unknown name, a bad option). The command line exits with 2."""

    exit_code = 2


class RecordError(MerlError):
    """An ECG recording cannot be read, or does not meet what is asked of it."""


class DataError(MerlError):
    """A data set folder or one of its tables is missing or damaged."""


class NoDataError(DataError):
    """There is nothing, or not clearly one thing, of what is asked for: no such data set, fold or class."""


class PromptError(MerlError):
    """A prompt set or label set is malformed or does not fit its use."""


class KnowledgeError(MerlError):
    """A knowledge entry, source or index is malformed or does not match."""


class LLMError(MerlError):
    """A language model could not be reached or answered unusably.

    Attributes:
        kind: what the user has to see to: ``key``, ``quota``, ``busy``, ``model``, ``network``, ``server``,
            ``request``, ``content``, ``cost`` or ``offline``.
    """

    def __init__(self, message: str, kind: str = "content") -> None:
        super().__init__(message)
        self.kind = kind


class CheckpointError(MerlError):
    """A checkpoint is missing, damaged or does not match what it is loaded into."""


class ConfigError(UsageError):
    """A configuration file has unknown keys or values."""


def wrong_use(problem: MerlError) -> MerlError:
    """Mark an error as the request's own, a file named that is not there; the command line exits with 2."""
    problem.exit_code = UsageError.exit_code
    return problem


def check_address(url: str | None) -> None:
    """Refuse the address of a server that is none, before it is asked again and again.

    Raises:
        UsageError: it does not begin with ``http://`` or ``https://``.
    """
    if url is not None and not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no address; write it with https:// or http:// in front")


def unknown(kind: str, given: str, allowed: Iterable[str], listing: str = "") -> str:
    """Phrase the error for an unknown name: what was given, near matches, where the full list is.

    >>> unknown("encoder", "resnt18", ["resnet18", "vit_tiny"], "merl models")
    "unknown encoder 'resnt18'; did you mean 'resnet18'? (merl models lists them)"
    """
    names = sorted(allowed)
    if not names:
        return f"unknown {kind} {given!r}; there is none"
    folded = {name.casefold(): name for name in names}
    near = [folded[key] for key in difflib.get_close_matches(given.casefold(), folded, n=3, cutoff=0.6)]
    if near:
        hint = f"; did you mean {' or '.join(repr(name) for name in near)}?"
    else:
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        hint = f"; allowed are {shown}"
    return f"unknown {kind} {given!r}{hint}" + (f" ({listing} lists them)" if listing else "")
