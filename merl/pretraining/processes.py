"""A pool of processes that read records."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from merl.errors import MerlError

_MOST = 61  # that Windows can wait for


@contextmanager
def processes(count: int, kept: str) -> Iterator[ProcessPoolExecutor]:
    """Start processes that drop what is waiting when the block ends.

    Args:
        count: of them, of which no more than 61 are started.
        kept: what the error says of the work that was done.

    Raises:
        MerlError: one of them died.
    """
    # Forked processes may hang where threads run, and torch has some.
    pool = ProcessPoolExecutor(
        min(count, _MOST),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
    )
    try:
        yield pool
    except BrokenProcessPool:
        raise MerlError(
            f"one of the {count} reading processes died, for want of memory or because the calling script has"
            f' no `if __name__ == "__main__":`; {kept}'
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C, which reaches this process too, to its parent, and end when that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
