import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys, numpy
if sys.argv[1] == "kept":
    from merl.pretraining.memory import keep_freed_memory
    assert keep_freed_memory()
for time in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    numpy.ones(64 * 2**20, numpy.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_a_block_taken_a_second_time_is_not_fetched_from_the_kernel_again():
    def faults(kept):
        ran = subprocess.run([sys.executable, "-c", FAULTS, kept], capture_output=True, text=True, check=True)
        return int(ran.stdout)

    assert faults("given back") > 20 * faults("kept") + 20  # 64 MB are up to 16,384 pages
