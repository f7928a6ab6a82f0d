"""How fast a server is asked: at most so often a minute, and not at all while it wants to be left alone."""

from __future__ import annotations

import random
import threading
import time

from merl.errors import LLMError

LONGEST_WAIT = 120.0  # seconds; a server that wants more is left alone until the user comes back


class Pace:
    """Spaces the requests of all threads.

    Args:
        per_minute: requests started in a minute at most; None for no limit.
        first_wait: seconds before the first repetition; doubled each time, with up to half as much at random.
    """

    def __init__(self, per_minute: float | None = None, first_wait: float = 1.0) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._first_wait = first_wait
        self._lock = threading.Lock()
        self._next = 0.0
        self._closed = threading.Event()

    def wait(self) -> None:
        """Wait for this request's turn.

        Raises:
            LLMError: the run was stopped meanwhile.
        """
        while not self._closed.is_set():
            with self._lock:
                now = time.monotonic()
                if now >= self._next:
                    self._next = now + self._gap
                    return
                left = self._next - now
            self._closed.wait(left)
        raise LLMError("stopped", "stopped")

    def pause(self, seconds: float) -> None:
        """Let nobody ask for so long, since the server is overrun or gone."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def back_off(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row, in seconds."""
        wait: float = self._first_wait * 2 ** (failures - 1)
        return min(wait * random.uniform(1, 1.5), LONGEST_WAIT)

    def close(self) -> None:
        """Wake everybody who waits, and let nobody wait again."""
        self._closed.set()
