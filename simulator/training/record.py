"""What is recorded of a run?  A row per server step, and its end."""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.schedule import Accounts, Step
from simulator.training.failure import Failure

End = Literal["target", "stop", "stalled", "failed", "interrupted"]
"""Why a run ended."""
BROKEN: tuple[End, ...] = ("failed", "stalled")
"""Ends of runs that have no outcome to compare."""
Memory: TypeAlias = Mapping[str, NDArray[Any]]
"""Plain arrays by name, of which a state can be restored."""


@dataclass
class Run:
    """One method on one seed, filled step by step; whole rows are true at any moment."""

    method: str
    seed: int
    metrics: tuple[str, ...] = ()
    times: "array[float]" = field(default_factory=lambda: array("d"))
    """When each server step closed.  A row's time is added last, and makes the row whole."""
    tickets: "array[int]" = field(default_factory=lambda: array("q"))
    used: "array[int]" = field(default_factory=lambda: array("q"))
    """Gradients used so far."""
    delays: "array[int]" = field(default_factory=lambda: array("q"))
    mean_delays: "array[float]" = field(default_factory=lambda: array("d"))
    arrival_delays: "array[float]" = field(default_factory=lambda: array("d"))
    """The mean delays of the gradients when they arrived."""
    training_seconds: "array[float]" = field(default_factory=lambda: array("d"))
    """How long the server computed each step."""
    environment_steps: "array[int]" = field(default_factory=lambda: array("q"))
    """Those of each server step's gradients; empty for a schedule without gradients."""
    evaluations: "dict[str, array[float]]" = field(default_factory=dict)
    """Values of each metric: one before the first server step, and one per step; NaN if none."""
    point: np.ndarray | None = None
    """The newest iterate."""
    lengths: dict[Ticket, int] | None = None
    """The length of each started episode, with time per environment step."""
    history: list[Step] | None = None
    """The server steps in full, on request."""
    newest: dict[str, float] = field(default_factory=dict)
    """The metrics of the last evaluation."""
    accounts: Accounts | None = None
    end: End = "stop"
    message: str = ""
    failure: Failure | None = None
    """Of a run that failed by a number."""
    reached: float | None = None
    """Simulated seconds at which the target was reached."""
    evaluated: int = 0
    """Gradients computed: as many as used, but for the last group of a run cut at its target."""
    real_seconds: float = 0.0
    _accounted: int | None = None

    def close(self, step: Step, environment_steps: int | None = None) -> None:
        """Record one more server step."""
        self.tickets.append(len(step.tickets))
        self.used.append(step.used)
        self.delays.append(step.version - step.dispatched)
        self.mean_delays.append(step.mean_delay)
        self.arrival_delays.append(step.arrival_delay)
        self.training_seconds.append(step.seconds)
        if environment_steps is not None:
            self.environment_steps.append(environment_steps)
        for values in self.evaluations.values():
            values.append(math.nan)
        self.times.append(step.time)
        self.account(step)

    def account(self, step: Step) -> None:
        """Record every worker's accounts, if the step has them."""
        if step.accounts is not None:
            self.accounts, self._accounted = step.accounts, step.number

    def record_metrics(self, metrics: Mapping[str, float]) -> None:
        """Record an evaluation at the newest step."""
        for name, value in metrics.items():
            self.record(name, value)
        self.newest = dict(metrics)

    def record(self, name: str, value: float) -> None:
        """Record one number at the newest step."""
        if name not in self.evaluations:
            self.evaluations[name] = array("d", [math.nan]) * (self.steps + 1)
        self.evaluations[name][self.steps] = value

    @property
    def accounts_are_newest(self) -> bool:
        """Whether the accounts are those at the newest step."""
        return self._accounted == self.steps

    @property
    def is_evaluated(self) -> bool:
        """Whether there is an evaluation at the newest step."""
        first = self.evaluations.get(self.metrics[0]) if self.metrics else None
        return first is not None and not math.isnan(first[self.steps])

    @property
    def steps(self) -> int:
        """The number of closed server steps."""
        return len(self.times)

    @property
    def time(self) -> float:
        """Simulated seconds at the newest step."""
        return self.times[-1] if self.times else 0.0

    @property
    def gradients(self) -> int:
        """The number of used gradients."""
        return self.used[self.steps - 1] if self.steps else 0

    def parameters(self) -> np.ndarray:
        return np.asarray(self.point)

    def memory(self, steps: int) -> dict[str, NDArray[Any]]:
        """The first rows, and all that the run needs to continue after them, except the point."""
        memory = {name: np.array(getattr(self, name)[:steps]) for name in ROWS}
        memory["steps"] = np.array(steps)
        memory["real_seconds"] = np.array(self.real_seconds)
        for name, values in self.evaluations.items():
            memory[f"looks/{name}"] = np.array(values[: steps + 1])
        if self.lengths is not None:
            memory["measured"] = np.array(list(self.lengths), np.int64).reshape(-1, 3)
            memory["lengths"] = np.array(list(self.lengths.values()), np.int64)
        return memory

    def remember(self, memory: Memory) -> None:
        """Restore the state of this memory."""
        for name in ROWS:
            kind = getattr(self, name).typecode
            setattr(self, name, array(kind, memory[name].tolist()))
        self.real_seconds = float(memory["real_seconds"])
        self.evaluations = {
            name.removeprefix("looks/"): array("d", values.tolist())
            for name, values in memory.items()
            if name.startswith("looks/")
        }
        measured = [name for name in self.metrics if name in self.evaluations]
        for at in range(self.steps, -1, -1):
            if measured and not math.isnan(self.evaluations[measured[0]][at]):
                self.newest = {name: self.evaluations[name][at] for name in measured}
                break
        if self.lengths is not None:
            known = zip(memory["measured"].tolist(), memory["lengths"].tolist(), strict=True)
            self.lengths.update((Ticket(*ticket), length) for ticket, length in known)

    def columns(self) -> dict[str, Any]:
        """One row per server step, the first for the initial point at time 0."""
        steps = self.steps  # an interruption may leave part of a row after these
        rows = steps + 1
        columns: dict[str, Any] = {
            "method": np.full(rows, self.method, object),
            "seed": np.full(rows, self.seed, np.int64),
            "step": np.arange(rows, dtype=np.int64),
            "time": np.concatenate([[0.0], self.times]),
            "tickets": _from_zero(self.tickets[:steps]),
            "gradients": _from_zero(self.used[:steps]),
            "max_delay": _from_zero(self.delays[:steps]),
            "mean_delay": np.concatenate([[0.0], self.mean_delays[:steps]]),
            "arrival_delay": np.concatenate([[0.0], self.arrival_delays[:steps]]),
            "training_seconds": np.concatenate([[0.0], self.training_seconds[:steps]]),
        }
        if not self.metrics:
            return columns
        columns["environment_steps"] = np.cumsum(_from_zero(self.environment_steps[:steps]))
        for name in dict.fromkeys((*self.metrics, *self.evaluations)):
            known = np.asarray(self.evaluations.get(name, array("d")))[:rows]
            columns[name] = np.concatenate([known, np.full(rows - len(known), math.nan)])
        return columns


ROWS = (
    *("times", "tickets", "used", "delays", "mean_delays", "arrival_delays", "training_seconds"),
    "environment_steps",
)
"""The arrays with an entry for every server step."""


def _from_zero(values: "array[int]") -> np.ndarray:
    return np.concatenate([[0], values]).astype(np.int64)
