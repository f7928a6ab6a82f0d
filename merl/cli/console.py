"""What commands share: the console for results, and progress on stderr that stays quiet when piped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from merl.knowledge.index import KnowledgeIndex

OwnIndex = Annotated[
    Path | None,
    typer.Option("--index", metavar="DIR", help="Knowledge of `merl kb build` in place of the shipped one."),
]


def load_index(folder: Path | None) -> KnowledgeIndex | None:
    """Load the knowledge of ``--index``, if it was given."""
    if folder is None:
        return None
    from merl.knowledge.index import KnowledgeIndex

    return KnowledgeIndex.load(folder)


def refuse_without(context: typer.Context, needed: str, *options: str) -> None:
    """Refuse options that were given and would be ignored without another.

    Args:
        context: of the running command.
        needed: the other, as it is written.
        options: their parameters.

    Raises:
        UsageError: one was given.
    """
    from merl.errors import UsageError

    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in options and source and source.name == "COMMANDLINE":
            raise UsageError(f"{option.opts[0]} needs {needed}; give both or neither")


class Report(Protocol):
    """Told of progress: how much is done, of how much, and of what."""

    def __call__(self, done: int, total: int, what: str = ...) -> None:
        """Show it."""


class StoppedError(Exception):
    """Ctrl-C was pressed; the message says how to go on."""


@contextmanager
def stoppable(how_to_go_on: str) -> Iterator[None]:
    """Let Ctrl-C end a command with the sentence that says how to go on; to decorate the command with.

    Raises:
        StoppedError: it was pressed.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError(how_to_go_on) from None


def be_quiet(*, quiet: bool) -> None:
    """Show neither progress nor notes from now on, or show them again."""
    _Shown.notes = not quiet


class _Shown:
    notes = True


def out() -> Console:
    """The console for results, where brackets in names and paths are no markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False)


def note(text: str) -> None:
    """Say something beside the results, on stderr; nothing under ``--quiet``."""
    if _Shown.notes:
        print(text, file=sys.stderr)


def progress_console() -> Console:
    """The console of bars, on stderr; it writes nothing under ``--quiet``."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, quiet=not _Shown.notes)


def print_json(value: Any) -> None:
    """Print JSON to stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """Show a bar on stderr with rate and remaining time; nothing where that is no terminal."""
    from merl.cli.bars import bar

    with bar(progress_console(), transient=True) as shown:
        task = shown.add_task(what, total=None)

        def report(done: int, total: int, what: str = what) -> None:
            shown.update(task, completed=done, total=total, description=what)

        yield report
