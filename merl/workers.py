"""A few threads that each encode a batch alone.

Threads that share a batch wait for each other after every layer. On a machine where other programs run that
takes ten times as long as a thread for each batch, and on an idle one it is no faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

_MOST = 4  # each holds a batch and what the encoder makes of it


@contextmanager
def workers() -> Iterator[tuple[ThreadPoolExecutor, int]]:
    """Share torch's threads out among a few workers; torch keeps the number for itself as it was.

    Yields:
        The pool, which drops what is waiting when the block ends, and how many work in it.
    """
    import torch

    threads = torch.get_num_threads()
    count = min(threads, _MOST)
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(threads // count,))
    try:
        yield pool, count
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
