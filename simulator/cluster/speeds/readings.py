"""What does the file of a trace say?  Every mistake in it is one line: file, row, remedy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.cluster.durations import LONGEST_SECONDS
from simulator.cluster.law import Floats, Integers
from simulator.cluster.speeds.entries import FASTEST, SPEED_REMEDY, TIME_REMEDY, shown

COLUMNS = ("worker", "time", "speed")
NEEDED = "must have the columns worker, time and speed"


def wrong(file: str, what: str, place: str = "") -> ValueError:
    """The error that says what is wrong with a file, and where in it."""
    return ValueError(f"file = {file!r}{', ' if place else ''}{place}: {what}")


def brief(value: object) -> str:
    """As in the file, but on one line and not too long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Readings:
    """The rows of a trace in the order of its file; ``place`` names a row to the user."""

    file: str
    worker: Integers
    time: Floats
    speed: Floats
    place: Callable[[int], str]

    def check(self, workers: int, before: float = np.inf) -> None:
        """Refuse what a trace of so many workers, and of this period, cannot say."""
        if not len(self.worker):
            raise wrong(self.file, "has no rows: must have one at least")
        known = f"must be a worker's number, from 0 to {workers - 1}"
        self._check("worker", self.worker, (self.worker >= 0) & (self.worker < workers), known)
        self._check(
            "time", self.time, (self.time >= 0) & (self.time <= LONGEST_SECONDS), TIME_REMEDY
        )
        within = f"must be less than period = {shown(before)}"
        self._check("time", self.time, self.time < before, within)
        self._check("speed", self.speed, (self.speed >= 0) & (self.speed <= FASTEST), SPEED_REMEDY)
        self._check_order()

    def _check(self, name: str, values: Floats | Integers, good: Any, remedy: str) -> None:
        if not good.all():
            at = int(np.argmin(good))
            value = int(values[at]) if name == "worker" else shown(float(values[at]))
            raise wrong(self.file, f"{name} = {value}: {remedy}", self.place(at))

    def _check_order(self) -> None:
        order = np.argsort(self.worker, kind="stable")
        worker, time = self.worker[order], self.time[order]
        back = np.flatnonzero((worker[1:] == worker[:-1]) & (time[1:] <= time[:-1]))
        if back.size:
            first = back[np.argmin(order[back + 1])]
            before, at = int(order[first]), int(order[first + 1])
            more = f"must be more than {shown(self.time[before])}, as in {self.place(before)}"
            what = f"time = {shown(self.time[at])} of worker {worker[first]}: {more}"
            raise wrong(self.file, what, self.place(at))
