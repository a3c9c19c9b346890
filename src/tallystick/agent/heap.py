"""`share_heap`: one heap for all threads of the agent."""

import contextlib
import ctypes

_M_ARENA_MAX = -8  # of malloc.h of the GNU C library


def share_heap() -> None:
    """Have threads that begin from now on take their memory from one heap, and not each from one of its own.

    Notes
    -----
    What a thread frees stays in the heap that it is of. The agent's threads hand on what they make, and one at a time
    runs in Python anyhow, so several heaps only cost: 3 MB, once each has had its most.
    """
    with contextlib.suppress(AttributeError, OSError):  # other C libraries have no such heaps
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
