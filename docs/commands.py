"""A hook of mkdocs: the page of commands is what their ``--help`` says, made when the site is built."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

MARK = "<!-- commands -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put Typer's own documentation of ``merl`` in place of the mark."""
    if MARK not in markdown:
        return markdown
    make = [sys.executable, "-m", "typer", "merl.cli.app", "utils", "docs", "--name", "merl"]
    done = subprocess.run(make, capture_output=True, text=True, check=True)  # noqa: S603 - all of it is ours
    return markdown.replace(MARK, done.stdout.replace("\n#", "\n##").removeprefix("# `merl`"))
