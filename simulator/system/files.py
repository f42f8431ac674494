"""How are files written so that each is whole, and two processes never write the same ones?"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.mistakes import Mistake

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTIAL = ".partial"
"""The ending of unfinished files."""
LOCK = ".lock"


class Unwritable(Exception):
    """Results cannot be written: the disk is full, say; shown as one line, exit code 3."""


def replace(target: Path, write: Callable[[Path], Any]) -> None:
    """Write a file beside the target, then rename it: the target is never half a file.

    Each process writes a file of its own, and the last rename wins.  The file reaches the disk
    before its name does, so a power failure does no harm.
    """
    beside = target.with_name(f"{target.name}.{os.getpid()}{PARTIAL}")
    try:
        write(beside)
        put(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def put(whole: Path, target: Path) -> None:
    """Give a whole file its name, durably."""
    _to_the_disk(whole)
    os.replace(whole, target)
    _to_the_disk(target.parent)


def _to_the_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save_arrays(path: Path, arrays: "Mapping[str, NDArray[Any]]") -> None:
    """Write a .npz file, whatever the ending of the path."""
    import numpy as np

    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def clear_partial(directory: Path) -> None:
    """Remove the unfinished files of killed processes."""
    for path in directory.rglob(f"*{PARTIAL}"):
        path.unlink(missing_ok=True)


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Lock a directory against other processes; the lock ends with this process at the latest."""
    with (directory / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = "another straggle is writing there; wait for it, or name another directory"
            raise Mistake(f"{directory}: {problem}") from None
        try:
            yield
        finally:
            (directory / LOCK).unlink(missing_ok=True)
