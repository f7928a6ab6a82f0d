import os
import subprocess
import sys
import time

import pytest

from merl.errors import MerlError
from merl.pretraining.processes import processes

ONE = """
import os, time
from merl.pretraining.processes import processes

if __name__ == "__main__":
    with processes(2, "") as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


def is_there(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_work_is_done_in_other_processes():
    with processes(2, "") as pool:
        assert pool.submit(os.getpid).result() != os.getpid()


def test_a_process_that_dies_is_named():
    with (
        pytest.raises(MerlError, match=r"one of the 1 reading processes died.*; all is lost"),
        processes(1, "all is lost") as pool,
    ):
        pool.submit(os._exit, 3).result()


def test_processes_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "one.py"
    script.write_text(ONE)
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate(timeout=30)  # ends only when nobody holds its output
    until = time.monotonic() + 10
    while is_there(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_there(child)
