"""How does a killed run continue?  From its last checkpoint.

A checkpoint is plain arrays: the state of the update rule, the points at which gradients are still
to be taken, and the rows of the record.  It needs no schedule, which can be simulated again.  Two
files take turns, so that one is whole even if the other is not.
"""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.mistakes import Mistake
from simulator.scenario.scenario import Scenario
from simulator.system.files import replace, save_arrays
from simulator.training.lanes import Lane
from simulator.training.live import Log
from simulator.training.observer import Observer
from simulator.training.record import Memory, Run
from simulator.training.schedules import numbers_of

EVERY_SECONDS = 10.0
SHARE = 0.05
"""The largest share of the time for writing."""
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
        """The whole checkpoints of this run, by step."""
        memories = {}
        for at, file in enumerate(self._files):
            if memory := self._read(file):
                memories[int(memory[STEPS])] = memory
                if int(memory[STEPS]) == max(memories):
                    self._next = 1 - at
        return memories

    def save(self, memory: Memory) -> None:
        """Replace the older checkpoint; the run goes on if this fails."""
        file = self._files[self._next]
        arrays = {**memory, DIGEST: np.array(_digest(memory, self._hash))}
        try:
            file.parent.mkdir(exist_ok=True)
            replace(file, lambda path: save_arrays(path, arrays))
        except OSError as error:
            problem = f"{error.strerror or error}; the run goes on without"
            self._complain(f"{file}: a checkpoint cannot be written: {problem}")
        else:
            self._next = 1 - self._next

    def clear(self) -> None:
        """Remove the checkpoints of a run that has ended."""
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
                raise ValueError("of another run, or changed")
        except Exception as error:  # damaged files make their readers raise anything
            reason = "it is cut short, or holds something else"
            if isinstance(error, OSError) and error.strerror:
                reason = error.strerror
            self._complain(f"{file}: this checkpoint is damaged and left aside: {reason}")
            return None
        return memory


class Checkpoints(Observer):
    """Writes checkpoints of all runs, now and then and at interruptions."""

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
        if lane.is_marked:
            self._save(lane)

    def _save(self, lane: Lane) -> None:
        memories = lane.memories()
        for run in lane.living:
            own = memories[lane.row(run)]
            record = run.memory(int(own["steps"]))
            memory = {f"lane/{name}": values for name, values in own.items()}
            memory |= {f"record/{name}": values for name, values in record.items()}
            self._keepers[id(run)].save(memory)


class Member(NamedTuple):
    """One run: a scenario of one method and one seed, and the keeper of its checkpoints."""

    scenario: Scenario
    keeper: Keeper | None = None
    log: Log | None = None
    """Gets the evaluated steps while the run trains."""

    @property
    def label(self) -> str:
        return next(iter(self.scenario.methods))

    @property
    def seed(self) -> int:
        return self.scenario.seeds[0]


def trainings(members: Sequence[Member]) -> list[tuple[list[int], list[Memory]]]:
    """The members that train side by side, because they go on from the same step."""
    numbers = [numbers_of(each.scenario, each.label) for each in members]
    # Steps of about the same length lead to episodes of about the same length.
    order = sorted(range(len(members)), key=lambda at: (*numbers[at].values(), members[at].seed))
    if len(order) > 1 and members[0].scenario.cluster.per == "environment-step":
        # The schedule depends on the gradients, so no runs share one.
        return [([at], memories) for at in order for _, memories in trainings([members[at]])]
    found = {at: keeper.found() for at in order if (keeper := members[at].keeper)}
    left = {at: memories for at, memories in found.items() if memories}
    fresh = [at for at in order if at not in left]
    parts: list[tuple[list[int], list[Memory]]] = [(fresh, [])] if fresh else []
    while left:
        # The latest step that most of the rest have.
        steps = [step for memories in left.values() for step in memories]
        best = max(steps, key=lambda step: (steps.count(step), step))
        part = [at for at in order if best in left.get(at, ())]
        parts.append((part, [left[at][best] for at in part]))
        left = {at: memories for at, memories in left.items() if at not in part}
    return parts


def restore(lanes: Sequence[Lane], memories: Sequence[Memory]) -> int:
    """Restore every run, in the order of the lanes, from its memory; returns the steps done."""
    rest = list(memories)
    for lane in lanes:
        runs = lane.living
        own, rest = rest[: len(runs)], rest[len(runs) :]
        lane.remember([_part(memory, "lane/") for memory in own])
        for run, memory in zip(runs, own, strict=True):
            run.remember(_part(memory, "record/"))
    return int(memories[0][STEPS])


def _part(memory: Memory, name: str) -> Memory:
    return {key.removeprefix(name): memory[key] for key in memory if key.startswith(name)}


def every_seconds() -> float:
    """Real seconds between checkpoints: ``$STRAGGLE_CHECKPOINT_SECONDS``, or a few."""
    text = os.environ.get("STRAGGLE_CHECKPOINT_SECONDS")
    if not text:
        return EVERY_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise Mistake(f"STRAGGLE_CHECKPOINT_SECONDS = {text!r}: must be a number, 0 or more")
    return seconds


def _digest(memory: Memory, scenario_hash: str) -> str:
    digest = hashlib.sha256(scenario_hash.encode())
    for name in sorted(memory):
        values = memory[name]
        digest.update(f"{name} {values.dtype.str} {values.shape} ".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
