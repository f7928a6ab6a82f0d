"""A pool of processes that read records."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from merl.errors import MerlError


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes that drop what is waiting when the block ends.

    Raises:
        MerlError: one of them died.
    """
    # Forked processes may hang where threads run, and torch has some.
    # Ctrl-C reaches them too, and is for this process to see to.
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        yield pool
    except BrokenProcessPool:
        raise MerlError(
            f"one of the {count} reading processes died, perhaps for want of memory; what is finished is"
            " kept, call again with fewer workers to go on"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
