"""What is kept of a run?  A row per server step, and how it ended."""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from algorithms.tickets import Ticket
from simulator.runs.failure import Failure
from simulator.schedule import Accounts, Step

if TYPE_CHECKING:
    from jax import Array

End = Literal["target", "stop", "stalled", "failed", "interrupted"]
"""Why a run ended: at its target, where it was told to, or against its will."""


def _floats() -> "array[float]":
    return array("d")


def _integers() -> "array[int]":
    return array("q")


@dataclass(frozen=True, slots=True)
class Row:
    """One run's part of what several have; taken out only when it is read.

    JAX computes while Python goes on, and to take the part at once would be to wait for it.
    """

    rows: "Array | np.ndarray"
    at: int

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        row: np.ndarray = np.asarray(self.rows, dtype)[self.at]
        return row

    def __int__(self) -> int:
        return int(np.asarray(self.rows)[self.at])


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
    environment_steps: list[Row | int] = field(default_factory=list)
    """What the gradients of each server step took; empty where nothing was computed."""
    mean_delays: "array[float]" = field(default_factory=_floats)
    looks: "dict[str, array[float]]" = field(default_factory=dict)
    """What was measured, by name, one value per server step and one before; NaN: unseen."""
    point: "Row | np.ndarray | None" = None
    """The newest iterate."""
    lengths: dict[Ticket, int] | None = None
    """How long each episode was that was started, where time is charged by its length."""
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

    def close(self, step: Step) -> None:
        """One more server step."""
        self.times.append(step.time)
        self.tickets.append(len(step.tickets))
        self.used.append(step.used)
        self.delays.append(step.version - step.dispatched)
        self.mean_delays.append(step.mean_delay)
        for values in self.looks.values():
            values.append(math.nan)
        self.account(step)

    def account(self, step: Step) -> None:
        """What every worker has done by this step, if it was asked for there."""
        if step.accounts is not None:
            self.accounts, self._accounted = step.accounts, step.number

    def move(self, environment_steps: Row | int, point: "Row | np.ndarray") -> None:
        """What its gradients took, and where they led."""
        self.environment_steps.append(environment_steps)
        self.point = point

    def look(self, metrics: "Mapping[str, Array | float]") -> dict[str, float]:
        """Record what was measured at the newest step."""
        values = {name: float(value) for name, value in metrics.items()}
        for name, value in values.items():
            self.note(name, value)
        self.newest = values
        return values

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
        return self.used[-1] if self.used else 0

    def plain(self) -> "Run":
        """The same with numbers that another process can read without JAX."""
        point = None if self.point is None else np.asarray(self.point)
        steps: list[Row | int] = [int(count) for count in self.environment_steps]
        return replace(self, point=point, environment_steps=steps)

    def memory(self) -> dict[str, np.ndarray]:
        """What it needs to go on another day, but for its point."""
        rows = ("times", "tickets", "used", "delays", "mean_delays")
        memory = {name: np.array(getattr(self, name)) for name in rows}
        memory["environment_steps"] = np.array([int(n) for n in self.environment_steps], np.int64)
        memory["steps"], memory["evaluated"] = np.array(self.steps), np.array(self.evaluated)
        memory["real_seconds"] = np.array(self.real_seconds)
        memory |= {f"looks/{name}": np.array(values) for name, values in self.looks.items()}
        if self.lengths is not None:
            memory["measured"] = np.array(list(self.lengths), np.int64).reshape(-1, 3)
            memory["lengths"] = np.array(list(self.lengths.values()), np.int64)
        return memory

    def remember(self, memory: "Mapping[str, np.ndarray]") -> None:
        """Be where that memory was."""
        for name in ("times", "tickets", "used", "delays", "mean_delays"):
            kind = getattr(self, name).typecode
            setattr(self, name, array(kind, memory[name].tolist()))
        self.environment_steps = memory["environment_steps"].tolist()
        self.evaluated, self.real_seconds = int(memory["evaluated"]), float(memory["real_seconds"])
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
            "mean_delay": np.concatenate([[0.0], self.mean_delays]),
        }
        if not self.metrics:
            return columns
        # An interruption may come between what belongs together.
        taken = [0, *(int(many) for many in self.environment_steps[: self.steps])]
        columns["environment_steps"] = np.cumsum(np.array(taken, np.int64))
        for name in (*self.metrics, *(name for name in self.looks if name not in self.metrics)):
            # An interruption may come in the midst of adding a row.
            known = np.asarray(self.looks.get(name, array("d")))[:rows]
            columns[name] = np.concatenate([known, np.full(rows - len(known), math.nan)])
        return columns


def _from_zero(values: "array[int]") -> np.ndarray:
    return np.concatenate([[0], values]).astype(np.int64)
