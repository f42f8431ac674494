"""The evidence on one run: its rows of every file, and its scenario."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from algorithms.vocabulary import Aggregation
from simulator.cluster import Cluster, Vector
from simulator.cluster.law import Floats
from simulator.scenario.scenario import Scenario
from simulator.verification.tickets import Flags, Tickets

COUNTS = ("started", "used", "recalled", "dropped", "lost", "unfinished")
SECONDS = ("busy", "communicating", "down", "idle", "wasted")
RELATIVE = 1e-9  # tolerance where the last bit is not promised


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
