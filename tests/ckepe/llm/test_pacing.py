import threading
import time

import pytest

from merl.ckepe.llm.pacing import LONGEST_WAIT, Pace
from merl.errors import LLMError


def test_requests_are_spaced_whoever_makes_them():
    pace, times = Pace(per_minute=600), []

    def work():
        for _ in range(2):
            pace.wait()
            times.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(2)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(times) - began >= 0.3  # three gaps of 0.1 s


def test_a_pause_holds_for_everybody_and_a_shorter_one_does_not_end_it():
    pace = Pace()
    pace.pause(0.3)
    pace.pause(0.01)
    began = time.monotonic()
    thread = threading.Thread(target=pace.wait)
    thread.start()
    thread.join()
    assert time.monotonic() - began >= 0.28


def test_the_wait_doubles_up_to_a_limit():
    pace = Pace(first_wait=2)
    for failures, least in ((1, 2), (2, 4), (3, 8)):
        assert least <= pace.back_off(failures) <= least * 1.5
    assert pace.back_off(20) == LONGEST_WAIT


def test_closing_wakes_who_waits():
    pace, stopped = Pace(), []
    pace.pause(1000)

    def work():
        with pytest.raises(LLMError, match="stopped") as raised:
            pace.wait()
        stopped.append(raised.value)

    thread = threading.Thread(target=work)
    thread.start()
    pace.close()
    thread.join(timeout=10)
    assert stopped
