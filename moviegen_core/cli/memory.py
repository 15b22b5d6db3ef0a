"""Memory that one step frees is kept for the next one.

glibc gives freed blocks back to the system as soon as it can; a sampler that needs the same blocks at each of
its steps then pays for fresh pages each time.
"""

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""glibc's numbers of the two settings (malloc.h)."""
KEPT_BYTES = 256 * 2**20
LARGEST_KEPT_BLOCK = 32 * 2**20
"""The most that glibc allows."""


def keep_freed_memory() -> bool:
    """Ask the C library to reuse freed memory; returns whether it is one that can be asked."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # not glibc
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST_KEPT_BLOCK) and mallopt(TRIM_THRESHOLD, KEPT_BYTES))
