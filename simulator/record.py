"""What is kept of a run?  A row per server step, and how it ended."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simulator.schedule import Accounts, Step

if TYPE_CHECKING:
    from jax import Array

End = Literal["target", "stop", "stalled", "failed", "interrupted"]
"""Why a run ended: at its target, where it was told to, or against its will."""


@dataclass
class Run:
    """One method on one seed, filled as it goes: what is there is true at any moment."""

    method: str
    seed: int
    metrics: tuple[str, ...]
    closed: "list[tuple[Step, Array | int]]" = field(default_factory=list)
    """Every server step, with the environment steps its gradients took."""
    looks: dict[int, dict[str, float]] = field(default_factory=dict)
    """The metrics by number of closed steps; 0 is the initial point."""
    point: "Array | None" = None
    """The newest iterate."""
    accounts: Accounts | None = None
    end: End = "stop"
    message: str = ""
    reached: float | None = None
    """Simulated seconds at which the target was reached."""
    evaluated: int = 0
    """Gradients computed: as many as used, but for the last group of a run cut at its target."""
    real_seconds: float = 0.0

    def close(self, step: Step, environment_steps: "Array | int", point: "Array") -> None:
        self.closed.append((step, environment_steps))
        self.point = point

    def look(self, metrics: "Mapping[str, Array]") -> dict[str, float]:
        """Record the metrics at the newest iterate."""
        values = {name: float(value) for name, value in metrics.items()}
        self.looks[len(self.closed)] = values
        return values

    @property
    def steps(self) -> list[Step]:
        return [step for step, _ in self.closed]

    @property
    def last(self) -> Step | None:
        """The newest server step."""
        return self.closed[-1][0] if self.closed else None

    @property
    def time(self) -> float:
        """Simulated seconds at the newest step."""
        return self.last.time if self.last else 0.0

    def parameters(self) -> np.ndarray:
        return np.asarray(self.point)

    def columns(self) -> dict[str, Any]:
        """One row per server step, the first for the initial point at time 0."""
        steps, rows = self.steps, len(self.closed) + 1
        taken = np.array([0, *(int(many) for _, many in self.closed)], np.int64)
        look = [self.looks.get(number, {}) for number in range(rows)]
        return {
            "method": [self.method] * rows,
            "seed": np.full(rows, self.seed, np.int64),
            "step": np.arange(rows, dtype=np.int64),
            "time": np.array([0.0, *(step.time for step in steps)]),
            "tickets": np.array([0, *(len(step.tickets) for step in steps)], np.int64),
            "gradients": np.array([0, *(step.used for step in steps)], np.int64),
            "environment_steps": np.cumsum(taken),
            "max_delay": np.array([0, *(s.version - s.dispatched for s in steps)], np.int64),
            **{name: np.array([at.get(name, math.nan) for at in look]) for name in self.metrics},
        }
