"""A pool of processes that read records."""

from __future__ import annotations

import multiprocessing
import signal
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
    # Ctrl-C reaches them too, and is for this process to see to.
    pool = ProcessPoolExecutor(
        min(count, _MOST),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
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
