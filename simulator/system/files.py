"""How are files written so that none is ever half there, and no two write the same ones?"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulator.mistakes import Mistake

PARTIAL = ".partial"
"""The end of the name of what is not whole yet."""
LOCK = ".lock"


class Unwritable(Exception):
    """Results cannot be written: the disk is full, say; shown as one line, exit code 3."""


def replace(target: Path, write: Callable[[Path], Any]) -> None:
    """Write beside the target, then put it in its place: never half a file.

    Each process beside it in a file of its own: of several the last one stands.  What has its name
    has reached the disk before, so that the power may go off at any moment.
    """
    beside = target.with_name(f"{target.name}.{os.getpid()}{PARTIAL}")
    try:
        write(beside)
        put(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def put(whole: Path, target: Path) -> None:
    """Give a file that is whole its name, for good."""
    _to_the_disk(whole)
    os.replace(whole, target)
    _to_the_disk(target.parent)


def _to_the_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear_partial(directory: Path) -> None:
    """Remove what a killed process had half written."""
    for path in directory.rglob(f"*{PARTIAL}"):
        path.unlink(missing_ok=True)


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Nobody else writes in there meanwhile; the lock ends with its process, however that ends."""
    with (directory / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = "another straggle is writing there; wait for it, or name another directory"
            raise Mistake(f"{directory}: {told}") from None
        try:
            yield
        finally:
            (directory / LOCK).unlink(missing_ok=True)
