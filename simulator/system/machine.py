"""How much memory and how many cores may this process use?"""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from simulator.mistakes import Mistake

MEMINFO = Path("/proc/meminfo")
CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)
"""Files with the limit and the use of memory: of control groups of versions 2 and 1."""


def available_bytes() -> float:
    """The least of all limits; infinite if none is known."""
    return min(_limits(), default=float("inf"))


def _limits() -> Iterator[float]:
    free = _of_meminfo()
    yield free if free is not None else _of_sysconf()
    for granted, taken in CGROUPS:
        limit, used = _number(granted), _number(taken)
        if limit is not None and used is not None:
            yield max(0.0, limit - used)


def _of_meminfo() -> float | None:
    """Linux: memory that is available without swapping."""
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        return None
    fields = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return float(fields[0][1]) * 1024 if fields else None


def _of_sysconf() -> float:
    """Elsewhere: all memory, since the free part is not known."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _number(path: Path) -> float | None:
    """The number in a file; None without a file, or for the text ``max``."""
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return None


class Share(Protocol):
    """A number of cores that another process may change at any time."""

    value: int


_share: Share | None = None


def grant(share: Share) -> None:
    """Limit this process to the cores of ``share`` from now on."""
    global _share
    _share = share


def cores() -> int:
    """The cores of this process: those granted, ``$STRAGGLE_CORES``, or all of the machine."""
    if _share is not None:
        return _share.value
    if text := os.environ.get("STRAGGLE_CORES"):
        if not (text.isdecimal() and int(text) > 0):
            raise Mistake(f"STRAGGLE_CORES = {text!r}: must be a whole number, 1 or more")
        return int(text)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def release_memory() -> None:
    """Collect garbage, and return free memory to the system.

    Compiled functions and their owners form reference cycles.  Compiling also frees many small
    pieces, in many threads, most of which the C library would never return.
    """
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)
