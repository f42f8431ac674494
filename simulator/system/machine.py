"""How much memory is left on this machine, and how many cores are ours?"""

import os
from collections.abc import Iterator
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
"""What is granted and what is taken of it: by control groups of versions 2 and 1."""


def available_bytes() -> float:
    """The least that anything says; infinite where nothing says anything."""
    return min(_told(), default=float("inf"))


def _told() -> Iterator[float]:
    free = _of_meminfo()
    yield free if free is not None else _of_sysconf()
    for granted, taken in CGROUPS:
        limit, used = _number(granted), _number(taken)
        if limit is not None and used is not None:
            yield max(0.0, limit - used)


def _of_meminfo() -> float | None:
    """Linux: what programs can have without anything being written to disk for it."""
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return float(found[0][1]) * 1024 if found else None


def _of_sysconf() -> float:
    """Elsewhere: all the memory there is, for what is free of it cannot be asked."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _number(path: Path) -> float | None:
    """The number in a file; None if there is none, or it says ``max``."""
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return None


class Share(Protocol):
    """A number of cores that another process may change at any time."""

    value: int


_share: Share | None = None


def grant(share: Share) -> None:
    """From now on this process may use as many cores as ``share`` says."""
    global _share
    _share = share


def cores() -> int:
    """How many this process may use: what it was granted, ``$STRAGGLE_CORES``, or all there are."""
    if _share is not None:
        return _share.value
    if told := os.environ.get("STRAGGLE_CORES"):
        if not (told.isdecimal() and int(told) > 0):
            raise Mistake(f"STRAGGLE_CORES = {told!r}: must be a whole number, 1 or more")
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
