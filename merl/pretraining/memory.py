"""Memory that a training step frees stays with the process for the next step."""

from __future__ import annotations

import ctypes
import platform

_MMAP_MAX, _TRIM_THRESHOLD = -4, -1  # glibc, malloc.h


def keep_freed_memory() -> bool:
    """Tell the C library to keep freed memory instead of giving it back to the kernel.

    glibc gives every block of more than 32 MB back as soon as it is freed. A step frees and takes hundreds of
    them, and the kernel zeroes each page anew: at 12 x 5000 and 128 records that took more time than the
    convolutions. It holds for the whole process and cannot be taken back, so it is for programs, not for the
    library, to decide.

    Returns:
        Whether it was done; other C libraries than glibc are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
