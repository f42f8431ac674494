"""The evidence on one run: its rows of every file as arrays, and its scenario."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from algorithms.vocabulary import Aggregation
from simulator.cluster import Cluster, Vector
from simulator.cluster.law import Floats, Integers
from simulator.results.columns import Columns, length
from simulator.scenario.scenario import Scenario
from simulator.schedule import Outcome

OUTCOMES: tuple[str, ...] = get_args(Outcome)
Flags = NDArray[np.bool_]
COUNTS = ("started", "used", "recalled", "dropped", "lost", "unfinished")
SECONDS = ("busy", "communicating", "down", "idle", "wasted")
RELATIVE = 1e-9  # tolerance where the last bit is not promised


@dataclass(frozen=True)
class Tickets:
    """One entry per started gradient; ``row`` is its place in the file."""

    row: Integers
    worker: Integers
    version: Integers
    index: Integers
    start: Floats
    finish: Floats
    outcome: Integers  # its number in ``OUTCOMES``
    step: Integers  # of its first use; 0 if there is none
    weight: Floats
    length: Integers  # environment steps; 1 where time is not charged by them

    @classmethod
    def read(cls, rows: Columns) -> "Tickets":
        """Convert rows that ``files.check_tickets`` accepts."""
        columns = {name: rows[name].astype(np.int64) for name in ("worker", "version", "index")}
        columns["row"] = np.arange(length(rows))
        columns["step"] = np.nan_to_num(rows["used_in_step"]).astype(np.int64)
        columns["length"] = np.nan_to_num(rows["environment_steps"], nan=1.0).astype(np.int64)
        columns["outcome"] = numbers_of(rows["outcome"])
        seconds = {name: rows[name].astype(np.float64) for name in ("start", "finish", "weight")}
        keys = columns["index"], columns["version"], seconds["start"], columns["worker"]
        order = np.lexsort(keys)
        everything: dict[str, Any] = {**columns, **seconds}
        return cls(**{name: values[order] for name, values in everything.items()})

    def __len__(self) -> int:
        return len(self.worker)

    def where(self, *outcomes: str) -> Flags:
        return np.asarray(np.isin(self.outcome, [OUTCOMES.index(name) for name in outcomes]))

    def name(self, at: int) -> str:
        numbers = f"version {self.version[at]}, index {self.index[at]}"
        return f"row {self.row[at]} (worker {self.worker[at]}, {numbers})"

    @cached_property
    def later(self) -> Flags:
        """Whether the entry before has the same worker."""
        same = np.zeros(len(self), bool)
        same[1:] = self.worker[1:] == self.worker[:-1]
        return same

    @cached_property
    def number(self) -> Integers:
        """k: the number of computations that the worker started before."""
        return rank(self.later)

    @cached_property
    def first(self) -> Flags:
        """Whether it is its worker's first ticket at this version."""
        return np.asarray(~(self.later & (self.version == before(self.version))))


def numbers_of(outcomes: NDArray[Any]) -> Integers:
    """The number of each outcome; -1 for an unknown one."""
    numbers = {name: at for at, name in enumerate(OUTCOMES)}
    return np.array([numbers.get(outcome, -1) for outcome in outcomes.tolist()], np.int64)


def rank(later: Flags) -> Integers:
    """The number of each entry in its run of entries, each ``later`` than the one before."""
    at = np.arange(len(later))
    return at - np.maximum.accumulate(np.where(later, 0, at)) if len(later) else at


def before(values: NDArray[Any]) -> NDArray[Any]:
    """Each entry's predecessor; the first entry is its own."""
    return np.concatenate([values[:1], values[:-1]])


@dataclass(frozen=True)
class Evidence:
    """One run in its files; a column is an array, by its name."""

    label: str
    seed: int
    scenario: Scenario
    cluster: Cluster
    aggregation: Aggregation
    vector: Vector
    schedule_only: bool
    row: Mapping[str, Any]
    steps: Mapping[str, np.ndarray]
    workers: Mapping[str, np.ndarray]
    tickets: Tickets | None

    @property
    def closed(self) -> int:
        return len(self.times) - 1

    @property
    def times(self) -> Floats:
        """The time of each step; 0 for step 0, the start."""
        return self.steps["time"]

    @cached_property
    def end(self) -> float:
        return float(self.row["simulated_seconds"])

    @property
    def timing(self) -> int:
        return self.scenario.timing_seed(self.seed)

    @property
    def paused(self) -> bool:
        return bool(self.cluster.outages) and self.cluster.outages.work == "continued"

    @property
    def counted(self) -> bool:
        """Whether the run ended at a step, and not at a second."""
        stop, row = self.scenario.stop, self.row
        if row["end"] != "stop":
            return bool(row["end"] != "stalled")
        used = int(self.steps["gradients"][-1])
        enough = stop.gradients is not None and used >= stop.gradients
        return enough or (stop.steps is not None and self.closed >= stop.steps)

    def close(self, own: Floats, other: Floats) -> Flags:
        """Which seconds of this run are equal up to rounding."""
        return np.asarray(np.abs(own - other) <= RELATIVE * max(self.end, 1.0))

    def known(self) -> Tickets:
        """The tickets, for a check that runs only with them."""
        assert self.tickets is not None
        return self.tickets
