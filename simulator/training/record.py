"""What is kept of a run?  A row per server step, and how it ended."""

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
"""Why a run ended: at its target, where the scenario stops it, or against its will."""
Memory: TypeAlias = Mapping[str, NDArray[Any]]
"""Plain arrays by name, from which something goes on."""


def _floats() -> "array[float]":
    return array("d")


def _integers() -> "array[int]":
    return array("q")


@dataclass
class Run:
    """One method on one seed, filled as it goes: its whole rows are true at any moment."""

    method: str
    seed: int
    metrics: tuple[str, ...] = ()
    times: "array[float]" = field(default_factory=_floats)
    """When each server step closed.  A row's time is added last, and makes the row whole."""
    tickets: "array[int]" = field(default_factory=_integers)
    used: "array[int]" = field(default_factory=_integers)
    """Gradients used so far."""
    delays: "array[int]" = field(default_factory=_integers)
    mean_delays: "array[float]" = field(default_factory=_floats)
    environment_steps: "array[int]" = field(default_factory=_integers)
    """What the gradients of each server step took; empty where nothing was computed."""
    looks: "dict[str, array[float]]" = field(default_factory=dict)
    """What was measured, by name: one value per server step and one before; NaN: not measured."""
    point: np.ndarray | None = None
    """The newest iterate."""
    lengths: dict[Ticket, int] | None = None
    """How long each episode was that was started, where time is charged by its length."""
    history: list[Step] | None = None
    """Its server steps in full, where they are asked for."""
    newest: dict[str, float] = field(default_factory=dict)
    """What was measured last."""
    accounts: Accounts | None = None
    end: End = "stop"
    message: str = ""
    failure: Failure | None = None
    """Where it went wrong, if a number did."""
    reached: float | None = None
    """Simulated seconds at which the target was reached."""
    evaluated: int = 0
    """Gradients computed: as many as used, but for the last group of a run cut at its target."""
    real_seconds: float = 0.0
    _accounted: int | None = None

    def close(self, step: Step, environment_steps: int | None = None) -> None:
        """One more server step."""
        self.tickets.append(len(step.tickets))
        self.used.append(step.used)
        self.delays.append(step.version - step.dispatched)
        self.mean_delays.append(step.mean_delay)
        if environment_steps is not None:
            self.environment_steps.append(environment_steps)
        for values in self.looks.values():
            values.append(math.nan)
        self.times.append(step.time)
        self.account(step)

    def account(self, step: Step) -> None:
        """Keep every worker's accounts, if the step has them."""
        if step.accounts is not None:
            self.accounts, self._accounted = step.accounts, step.number

    def look(self, metrics: Mapping[str, float]) -> None:
        """Record what was measured at the newest step."""
        for name, value in metrics.items():
            self.note(name, value)
        self.newest = dict(metrics)

    def note(self, name: str, value: float) -> None:
        """Record one number at the newest step."""
        if name not in self.looks:
            self.looks[name] = array("d", [math.nan]) * (self.steps + 1)
        self.looks[name][self.steps] = value

    @property
    def accounts_are_newest(self) -> bool:
        """Whether the accounts are those at the newest step."""
        return self._accounted == self.steps

    @property
    def looked(self) -> bool:
        """Whether the metrics were measured at the newest step."""
        return bool(self.looks) and not math.isnan(self.looks[self.metrics[0]][self.steps])

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
        return self.used[self.steps - 1] if self.steps else 0

    def parameters(self) -> np.ndarray:
        return np.asarray(self.point)

    def memory(self, steps: int) -> dict[str, NDArray[Any]]:
        """Its first rows, and what else it needs to go on after them, but for its point."""
        memory = {name: np.array(getattr(self, name)[:steps]) for name in ROWS}
        memory["steps"] = np.array(steps)
        memory["real_seconds"] = np.array(self.real_seconds)
        looks = {name: np.array(values[: steps + 1]) for name, values in self.looks.items()}
        memory |= {f"looks/{name}": values for name, values in looks.items()}
        if self.lengths is not None:
            memory["measured"] = np.array(list(self.lengths), np.int64).reshape(-1, 3)
            memory["lengths"] = np.array(list(self.lengths.values()), np.int64)
        return memory

    def remember(self, memory: Memory) -> None:
        """Go back to where that memory was taken."""
        for name in ROWS:
            kind = getattr(self, name).typecode
            setattr(self, name, array(kind, memory[name].tolist()))
        self.real_seconds = float(memory["real_seconds"])
        self.looks = {
            name.removeprefix("looks/"): array("d", values.tolist())
            for name, values in memory.items()
            if name.startswith("looks/")
        }
        seen = [name for name in self.metrics if name in self.looks]
        for at in range(self.steps, -1, -1):
            if seen and not math.isnan(self.looks[seen[0]][at]):
                self.newest = {name: self.looks[name][at] for name in seen}
                break
        if self.lengths is not None:
            known = zip(memory["measured"].tolist(), memory["lengths"].tolist(), strict=True)
            self.lengths.update((Ticket(*ticket), length) for ticket, length in known)

    def columns(self) -> dict[str, Any]:
        """One row per server step, the first for the initial point at time 0."""
        steps = self.steps  # an interruption may leave part of a row after these
        rows = steps + 1
        columns: dict[str, Any] = {
            "method": [self.method] * rows,
            "seed": np.full(rows, self.seed, np.int64),
            "step": np.arange(rows, dtype=np.int64),
            "time": np.concatenate([[0.0], self.times]),
            "tickets": _from_zero(self.tickets[:steps]),
            "gradients": _from_zero(self.used[:steps]),
            "max_delay": _from_zero(self.delays[:steps]),
            "mean_delay": np.concatenate([[0.0], self.mean_delays[:steps]]),
        }
        if not self.metrics:
            return columns
        columns["environment_steps"] = np.cumsum(_from_zero(self.environment_steps[:steps]))
        for name in (*self.metrics, *(name for name in self.looks if name not in self.metrics)):
            known = np.asarray(self.looks.get(name, array("d")))[:rows]
            columns[name] = np.concatenate([known, np.full(rows - len(known), math.nan)])
        return columns


ROWS = ("times", "tickets", "used", "delays", "mean_delays", "environment_steps")
"""The arrays with an entry for every server step."""


def _from_zero(values: "array[int]") -> np.ndarray:
    return np.concatenate([[0], values]).astype(np.int64)
