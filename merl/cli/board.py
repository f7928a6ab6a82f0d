"""Progress of a run class by class, on stderr; nothing where stderr is no terminal."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST_SHOWN = 8  # classes under way


class Board:
    """A bar with what is going on with each class under way; finished classes are lines above it.

    Args:
        total: number of classes.
        by_class: show classes; the knowledge alone is too quick for that.
    """

    def __init__(self, total: int, *, by_class: bool) -> None:
        from rich.live import Live

        from merl.cli.bars import bar
        from merl.cli.console import progress_console

        self._console = progress_console()
        self._bar = bar(self._console)
        self._task = self._bar.add_task("generating prompts", total=total)
        self._by_class = by_class
        self._states: dict[str, str] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._show, console=self._console, transient=True)

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def watch(self, code: str, what: str) -> None:
        """Show what is going on with a class; called from any thread."""
        with self._lock:
            self._states[code] = what

    def progress(self, code: str, done: int, total: int) -> None:
        """Count a finished class and leave its last state as a line."""
        with self._lock:
            state = self._states.pop(code, "done")
        if self._live:
            self._bar.update(self._task, completed=done, total=total)
            if self._by_class:
                self._live.console.print(f"{code}: {state}", style="dim")

    def _show(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        with self._lock:
            under_way = list(self._states.items())
        lines = [Text(f"  {code}: {state}", overflow="ellipsis", no_wrap=True) for code, state in under_way]
        if len(lines) > _MOST_SHOWN:
            lines = [*lines[:_MOST_SHOWN], Text(f"  and {len(under_way) - _MOST_SHOWN} more")]
        return Group(self._bar, *lines)
