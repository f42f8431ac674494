"""How does a run survive being killed?  It writes down now and then where it is.

A checkpoint is plain arrays: the state of the update rule, the points at which gradients are still
to be taken, and the rows of the record.  The schedule is not in it, since it can be simulated once
more.  Two files take turns, so that one is whole even if the other is not.
"""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.mistakes import Mistake
from simulator.system.files import replace

Memory: TypeAlias = Mapping[str, NDArray[Any]]
"""Everything that is needed to go on, by name."""

EVERY_SECONDS = 10.0
SHARE = 0.05
"""At most so much of the time goes into writing."""
DIGEST = "digest"
STEPS = "record/steps"


class Keeper:
    """The checkpoints of one run."""

    def __init__(
        self,
        directory: Path,
        run: str,
        scenario_hash: str,
        complain: Callable[[str], object] = lambda text: None,
    ) -> None:
        self._files = [directory / f"{run}.{letter}.npz" for letter in "ab"]
        self._hash, self._complain = scenario_hash, complain
        self._every = every_seconds()
        self._next, self._due = 0, time.monotonic() + self._every

    def newest(self) -> Memory | None:
        """Where the run was last, of what can be read and belongs to it; None: at its start."""
        found = {at: memory for at in range(2) if (memory := self._read(self._files[at]))}
        if not found:
            return None
        newest = max(found, key=lambda at: int(found[at][STEPS]))
        self._next = 1 - newest
        return found[newest]

    @property
    def due(self) -> bool:
        return time.monotonic() >= self._due

    def save(self, memory: Memory) -> None:
        """Write in place of the older one; a run does not end because this cannot be done."""
        began, file = time.monotonic(), self._files[self._next]
        arrays = {**memory, DIGEST: np.array(_digest(memory, self._hash))}
        try:
            file.parent.mkdir(exist_ok=True)
            replace(file, lambda path: _write(path, arrays))
        except OSError as error:
            told = f"{error.strerror or error}; the run goes on without"
            self._complain(f"{file}: a checkpoint cannot be written: {told}")
        else:
            self._next = 1 - self._next
        now = time.monotonic()
        self._due = now + max(self._every, (now - began) / SHARE)

    def clear(self) -> None:
        """The run has ended."""
        for file in self._files:
            file.unlink(missing_ok=True)
        if self._files[0].parent.is_dir() and not any(self._files[0].parent.iterdir()):
            self._files[0].parent.rmdir()

    def _read(self, file: Path) -> Memory | None:
        if not file.exists():
            return None
        try:
            with np.load(file, allow_pickle=False) as arrays:
                memory = {name: arrays[name] for name in arrays.files}
            if str(memory.pop(DIGEST)) != _digest(memory, self._hash):
                raise ValueError("it is not what was written for this run")
        except Exception as error:  # what a damaged file makes its readers raise is without end
            reason = "it is cut short, or holds something else"
            if isinstance(error, OSError) and error.strerror:
                reason = error.strerror
            self._complain(f"{file}: this checkpoint is damaged and left aside: {reason}")
            return None
        return memory


def every_seconds() -> float:
    """Real seconds between checkpoints: ``$STRAGGLE_CHECKPOINT_SECONDS``, or a few."""
    told = os.environ.get("STRAGGLE_CHECKPOINT_SECONDS")
    if not told:
        return EVERY_SECONDS
    try:
        seconds = float(told)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise Mistake(f"STRAGGLE_CHECKPOINT_SECONDS = {told!r}: must be a number, 0 or more")
    return seconds


def _digest(memory: Memory, scenario_hash: str) -> str:
    """Of all that a run remembers, and of whose memory it is."""
    digest = hashlib.sha256(scenario_hash.encode())
    for name in sorted(memory):
        values = memory[name]
        digest.update(f"{name} {values.dtype.str} {values.shape} ".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _write(path: Path, arrays: Memory) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
