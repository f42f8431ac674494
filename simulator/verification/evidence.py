"""What is known of one run?  Its rows of every file, and the scenario that it is a run of."""

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

STEPS, WORKERS, TICKETS = "steps.parquet", "workers.parquet", "tickets.parquet"
COUNTS = ("started", "used", "recalled", "dropped", "lost", "unfinished")
SECONDS = ("busy", "communicating", "down", "idle", "wasted")
"""What the accounts of a worker count, and where its seconds went."""
RELATIVE = 1e-9
"""How far apart two ways to the same number may be, where the last bit is not promised."""


@dataclass(frozen=True)
class Evidence:
    """One run as its files tell it: a column is an array, by its name."""

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
        """Server steps."""
        return len(self.times) - 1

    @property
    def times(self) -> Floats:
        """When each version came to be: that of step 0 is 0."""
        return self.steps["time"]

    @cached_property
    def end(self) -> float:
        """The run's simulated seconds."""
        return float(self.row["simulated_seconds"])

    @property
    def timing(self) -> int:
        """The seed of the times."""
        return self.scenario.timing_seed(self.seed)

    @property
    def paused(self) -> bool:
        """Whether workers stand still in outages, and go on after them."""
        return bool(self.cluster.outages) and self.cluster.outages.work == "continued"

    @property
    def counted(self) -> bool:
        """Whether it ended at a number of steps, and not at a moment."""
        stop, row = self.scenario.stop, self.row
        if row["end"] != "stop":
            return bool(row["end"] != "stalled")
        used = int(self.steps["gradients"][-1])
        enough = stop.gradients is not None and used >= stop.gradients
        return enough or (stop.steps is not None and self.closed >= stop.steps)

    def close(self, mine: Floats, theirs: Floats) -> Flags:
        """Seconds of this run that are equal up to rounding."""
        return np.asarray(np.abs(mine - theirs) <= RELATIVE * max(self.end, 1.0))

    def known(self) -> Tickets:
        """The tickets, for a check that needs them."""
        assert self.tickets is not None
        return self.tickets
