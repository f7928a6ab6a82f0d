"""The command line: ``merl``.

Results go to stdout, progress to stderr; exit codes: 0 done, 1 the work failed, 2 wrong use.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        _run(None if arguments is None else list(arguments))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)


def _run(arguments: list[str] | None) -> None:
    from merl.cli.app import app
    from merl.cli.console import StoppedError
    from merl.errors import MerlError

    try:
        app(args=arguments, prog_name="merl")
    except MerlError as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as problem:  # a folder that may not be written to, a full disk
        print(f"error: {problem.filename or 'the system'}: {problem.strerror or problem}", file=sys.stderr)
        sys.exit(1)
    except StoppedError as stopped:
        print(f"stopped; {stopped}", file=sys.stderr)
        sys.exit(130)
    except SystemExit as ended:
        if ended.code == 130:  # typer has made it of a Ctrl-C
            print("stopped", file=sys.stderr)
        raise
