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

OwnIndex = Annotated[
    Path | None,
    typer.Option("--index", metavar="DIR", help="Knowledge of `merl kb build` in place of the shipped one."),
]


class Report(Protocol):
    """Told of progress: how much is done, of how much, and of what."""

    def __call__(self, done: int, total: int, what: str = ...) -> None:
        """Show it."""


def out() -> Console:
    """The console for results, where brackets in names and paths are no markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False)


def note(text: str) -> None:
    """Say something beside the results, on stderr."""
    print(text, file=sys.stderr)


def print_json(value: Any) -> None:
    """Print JSON to stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """Show a progress bar on stderr with the time that remains; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int, what: str = what) -> None:
            bar.update(task, completed=done, total=total, description=what)

        yield report
