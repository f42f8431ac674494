"""How does a process that lives long stay small?  It gives back what it no longer needs."""

import ctypes
import gc
import sys
from contextlib import suppress


def give_back() -> None:
    """Collect what is held by nobody but itself, and return the free memory to the system.

    What was compiled knows who compiled it, and the reverse.  And compiling takes and frees so many
    small pieces, in so many threads, that the C library would keep most of them for ever.
    """
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)
