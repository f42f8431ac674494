"""A trace: measured speeds from a file."""

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt

from simulator.cluster.fields import (
    FASTEST,
    LONGEST_SECONDS,
    SPEED_REMEDY,
    TIME_REMEDY,
    check_positive,
    shown,
)
from simulator.cluster.law import Floats, Integers
from simulator.cluster.measurements import Measured, Wrong, named, read
from simulator.cluster.speed import Pace
from simulator.cluster.speeds.pieces import Pieces, lay_out


@dataclass(frozen=True)
class Trace:
    """Speeds from a CSV or Parquet ``file`` with the columns worker, time and speed.

    A row's speed holds until the same worker's next row; the last one's holds on, or, with a
    ``period``, until the trace repeats.  Before its first row a worker has the speed of that row; a
    worker without rows has speed 1.  Workers count from 0.  Rows of workers may be mixed, as in a
    log, but each worker's times increase.  A relative path starts from the working directory.
    """

    file: str
    period: Annotated[float, Gt(0)] | None = None
    random: ClassVar[bool] = False

    def pace(self, workers: int, seed: int) -> Pace:
        if self.period is not None:
            check_positive("period", self.period)
        period = inf if self.period is None else self.period
        with named(self.file):
            rows = Rows(read(self.file, "worker", ("time", "speed")))
            rows.check(workers, period)
        return Pieces(lay_out(*rows.by_worker(workers), period), period=period)


class Rows:
    """The rows of a trace in the order of its file."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        columns = measured.columns
        self.worker: Integers = columns["worker"]
        self.time: Floats = columns["time"]
        self.speed: Floats = columns["speed"]

    def check(self, workers: int, before: float) -> None:
        """Refuse rows that are wrong for this number of workers and period."""
        check, time, speed = self._measured.check, self.time, self.speed
        self._measured.check_workers("worker", workers)
        check("time", (time >= 0) & (time <= LONGEST_SECONDS), TIME_REMEDY)
        check("time", time < before, f"must be less than period = {shown(before)}")
        check("speed", (speed >= 0) & (speed <= FASTEST), SPEED_REMEDY)
        self._check_order()

    def _check_order(self) -> None:
        order = np.argsort(self.worker, kind="stable")
        worker, time = self.worker[order], self.time[order]
        back = np.flatnonzero((worker[1:] == worker[:-1]) & (time[1:] <= time[:-1]))
        if back.size:
            first = back[np.argmin(order[back + 1])]
            place = self._measured.place
            before, at = int(order[first]), int(order[first + 1])
            more = f"must be more than {shown(self.time[before])}, as in {place(before)}"
            what = f"time = {shown(self.time[at])} of worker {worker[first]}: {more}"
            raise Wrong(what, place(at))

    def by_worker(self, workers: int) -> tuple[Integers, Floats, Floats]:
        """The begin of each worker's rows, times and speeds; a worker without rows gets one."""
        silent = np.setdiff1d(np.arange(workers), self.worker)
        worker = np.concatenate([self.worker, silent])
        order = np.argsort(worker, kind="stable")
        times = np.concatenate([self.time, np.zeros(len(silent))])[order]
        speeds = np.concatenate([self.speed, np.ones(len(silent))])[order]
        first = np.searchsorted(worker[order], np.arange(workers + 1))
        times[first[:-1]] = 0.0
        return first, times, speeds
