"""How does a run survive being killed?  It writes down now and then where it is.

A checkpoint is plain arrays: the state of the update rule, the points at which gradients are still
to be taken, and the rows of the record.  The schedule is not in it, since it can be simulated once
more.  Two files take turns, so that one is whole even if the other is not.
"""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from simulator.mistakes import Mistake
from simulator.system.files import replace
from simulator.training.lanes import Lane
from simulator.training.observer import Observer
from simulator.training.record import Memory, Run

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
        self._next = 0

    def found(self) -> dict[int, Memory]:
        """What can be read and belongs to this run, by the step at which it was taken."""
        found = {}
        for at, file in enumerate(self._files):
            if memory := self._read(file):
                found[int(memory[STEPS])] = memory
                if int(memory[STEPS]) == max(found):
                    self._next = 1 - at
        return found

    def save(self, memory: Memory) -> None:
        """Write in place of the older one; a run does not end because this cannot be done."""
        file = self._files[self._next]
        arrays = {**memory, DIGEST: np.array(_digest(memory, self._hash))}
        try:
            file.parent.mkdir(exist_ok=True)
            replace(file, lambda path: _write(path, arrays))
        except OSError as error:
            told = f"{error.strerror or error}; the run goes on without"
            self._complain(f"{file}: a checkpoint cannot be written: {told}")
        else:
            self._next = 1 - self._next

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


class Checkpoints(Observer):
    """Has every run write down where it is, now and then, and when it is interrupted."""

    def __init__(self, keepers: Sequence[Keeper], runs: Sequence[Run]) -> None:
        self._keepers = {id(run): keeper for run, keeper in zip(runs, keepers, strict=True)}
        self._every = every_seconds()
        self._due = time.monotonic() + self._every

    def rest(self, lanes: Sequence[Lane]) -> None:
        if time.monotonic() >= self._due:
            began = time.monotonic()
            for lane in lanes:
                self._save(lane)
            now = time.monotonic()
            self._due = now + max(self._every, (now - began) / SHARE)

    def interrupted(self, lane: Lane) -> None:
        self._save(lane)

    def _save(self, lane: Lane) -> None:
        memories = lane.memories()
        for run in lane.living:
            own = memories[lane.row(run)]
            record = run.memory(int(own["steps"]))
            memory = {f"lane/{name}": values for name, values in own.items()}
            memory |= {f"record/{name}": values for name, values in record.items()}
            self._keepers[id(run)].save(memory)


def go_on(lanes: Sequence[Lane], memories: Sequence[Memory]) -> int:
    """Take every run, in the order of the lanes, back to its memory; how many steps are done."""
    rest = list(memories)
    for lane in lanes:
        runs = lane.living
        own, rest = rest[: len(runs)], rest[len(runs) :]
        lane.remember([_part(memory, "lane/") for memory in own])
        for run, memory in zip(runs, own, strict=True):
            run.remember(_part(memory, "record/"))
    return int(memories[0][STEPS])


def _part(memory: Memory, name: str) -> Memory:
    """What is kept under this name."""
    return {key.removeprefix(name): memory[key] for key in memory if key.startswith(name)}


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
