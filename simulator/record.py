"""What is kept of a run?  A row per server step, and how it ended."""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from algorithms.tickets import Ticket
from simulator.schedule import Accounts, Step

if TYPE_CHECKING:
    from jax import Array

End = Literal["target", "stop", "stalled", "failed", "interrupted"]
"""Why a run ended: at its target, where it was told to, or against its will."""


def _floats() -> "array[float]":
    return array("d")


def _integers() -> "array[int]":
    return array("q")


@dataclass
class Run:
    """One method on one seed, filled as it goes: what is there is true at any moment."""

    method: str
    seed: int
    metrics: tuple[str, ...] = ()
    times: "array[float]" = field(default_factory=_floats)
    """Of every server step: when it closed, its gradients, those used so far, and its delay."""
    tickets: "array[int]" = field(default_factory=_integers)
    used: "array[int]" = field(default_factory=_integers)
    delays: "array[int]" = field(default_factory=_integers)
    environment_steps: "list[Array | int]" = field(default_factory=list)
    """What the gradients of each server step took; empty where nothing was computed."""
    looks: dict[int, dict[str, float]] = field(default_factory=dict)
    """The metrics by number of closed steps; 0 is the initial point."""
    point: "Array | None" = None
    """The newest iterate."""
    lengths: dict[Ticket, int] | None = None
    """How long each episode was that was started, where time is charged by its length."""
    accounts: Accounts | None = None
    end: End = "stop"
    message: str = ""
    reached: float | None = None
    """Simulated seconds at which the target was reached."""
    evaluated: int = 0
    """Gradients computed: as many as used, but for the last group of a run cut at its target."""
    real_seconds: float = 0.0

    def close(self, step: Step) -> None:
        """One more server step."""
        self.times.append(step.time)
        self.tickets.append(len(step.tickets))
        self.used.append(step.used)
        self.delays.append(step.version - step.dispatched)
        if step.accounts is not None:
            self.accounts = step.accounts

    def move(self, environment_steps: "Array | int", point: "Array") -> None:
        """What its gradients took, and where they led."""
        self.environment_steps.append(environment_steps)
        self.point = point

    def look(self, metrics: "Mapping[str, Array]") -> dict[str, float]:
        """Record the metrics at the newest iterate."""
        values = {name: float(value) for name, value in metrics.items()}
        self.looks[self.steps] = values
        return values

    @property
    def steps(self) -> int:
        """How many server steps have closed."""
        return len(self.times)

    @property
    def time(self) -> float:
        """Simulated seconds at the newest step."""
        return self.times[-1] if self.times else 0.0

    @property
    def gradients(self) -> int:
        """How many were used."""
        return self.used[-1] if self.used else 0

    def parameters(self) -> np.ndarray:
        return np.asarray(self.point)

    def columns(self) -> dict[str, Any]:
        """One row per server step, the first for the initial point at time 0."""
        rows = self.steps + 1
        columns: dict[str, Any] = {
            "method": [self.method] * rows,
            "seed": np.full(rows, self.seed, np.int64),
            "step": np.arange(rows, dtype=np.int64),
            "time": np.concatenate([[0.0], self.times]),
            "tickets": _from_zero(self.tickets),
            "gradients": _from_zero(self.used),
            "max_delay": _from_zero(self.delays),
        }
        if not self.metrics:
            return columns
        # An interruption may come between what belongs together.
        taken = [0, *(int(many) for many in self.environment_steps[: self.steps])]
        columns["environment_steps"] = np.cumsum(np.array(taken, np.int64))
        look = [self.looks.get(number, {}) for number in range(rows)]
        for name in self.metrics:
            columns[name] = np.array([at.get(name, math.nan) for at in look])
        return columns


def _from_zero(values: "array[int]") -> np.ndarray:
    return np.concatenate([[0], values]).astype(np.int64)
