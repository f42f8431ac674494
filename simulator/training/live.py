"""What do others see of a run while it trains?  Its evaluated steps, a few times a second."""

import math
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from simulator.tracking.sink import Point
from simulator.training.lanes import Lane, Turn
from simulator.training.observer import Observer
from simulator.training.record import Run

MOMENT = 0.5
"""Seconds between two reports of a run."""
MOST = 100
"""Steps of a report: of an exact objective, every step is evaluated."""
Log: TypeAlias = Callable[[Sequence[Point]], object]
"""Takes the new points of a run."""


class Live(Observer):
    """Reports the new rows of every run to its log, if it has one."""

    def __init__(self, runs: Sequence[Run], logs: Sequence[Log | None]) -> None:
        self._logs = {id(run): log for run, log in zip(runs, logs, strict=True) if log}
        self._reported: dict[int, int] = {}
        """The number of rows that were reported or belong to an earlier command."""
        self._due: dict[int, float] = {}

    def begin(self, lane: Lane) -> None:
        for run in lane.living:
            self._reported[id(run)] = 0
            self.report(run)

    def step(self, lane: Lane, turn: Turn) -> None:
        now = time.monotonic()
        for run in lane.living:
            self._reported.setdefault(id(run), run.steps)
            if now >= self._due.get(id(run), 0.0):
                self._due[id(run)] = now + MOMENT
                self.report(run)

    def report(self, run: Run) -> None:
        """Report the rows since the last report."""
        if id(run) not in self._logs:
            return
        first = self._reported.setdefault(id(run), run.steps)
        self._reported[id(run)] = run.steps + 1
        rows = [row for row in range(first, run.steps + 1) if _metrics(run, row)]
        if len(rows) > MOST:
            rows = [rows[at] for at in np.linspace(0, len(rows) - 1, MOST).astype(int)]
        if rows:
            played = np.cumsum(np.concatenate([[0], run.environment_steps[: run.steps]]))
            points = [Point(row, _time(run, row), _all(run, row, int(played[row]))) for row in rows]
            self._logs[id(run)](points)


def _time(run: Run, row: int) -> float:
    return run.times[row - 1] if row else 0.0


def _metrics(run: Run, row: int) -> dict[str, float]:
    """The values that were measured after this server step."""
    every = ((name, values[row]) for name, values in run.evaluations.items())
    return {name: value for name, value in every if not math.isnan(value)}


def _all(run: Run, row: int, played: int) -> dict[str, float]:
    work = {"gradients": float(run.used[row - 1]) if row else 0.0}
    if played:
        work["environment_steps"] = float(played)
    return _metrics(run, row) | work
