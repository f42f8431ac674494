"""Speeds that change at given times: once, or every period anew."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, cast

import numpy as np
from annotated_types import Gt, MinLen

from simulator.cluster.fields import (
    LONGEST_SECONDS,
    check,
    check_one_per_time,
    check_positive,
    check_times,
    one_per_worker,
)
from simulator.cluster.law import Floats
from simulator.cluster.speed import Pace
from simulator.cluster.speeds.pieces import Pieces, lay_out


@dataclass(frozen=True)
class Timetable:
    """From ``times[k]`` on the speed is ``speeds[k]``, for all workers or in a row for each.

    The last speed stays; a 0 pauses the worker, and as the last speed it stops it permanently.

    >>> Timetable(times=[0.0, 10.0], speeds=[1.0, 0.5]).pace(2, seed=0).finish(1, 8.0, 4.0)
    14.0
    """

    times: Annotated[list[float], MinLen(1)]
    speeds: list[float] | list[list[float]]
    random: ClassVar[bool] = False

    def pace(self, workers: int, seed: int) -> Pace:
        check_times(self.times)
        own = bool(self.speeds) and isinstance(self.speeds[0], list)
        rows = cast("list[list[float]]", self.speeds if own else [self.speeds])
        if own and len(rows) != workers:
            raise ValueError(
                f"speeds has {len(rows)} rows for {workers} workers: "
                "give one per worker, or a single list of numbers"
            )
        for at, row in enumerate(rows):
            check_one_per_time(f"speeds[{at}]" if own else "speeds", row, self.times)
        first = np.arange(len(rows) + 1) * len(self.times)
        times = np.tile(np.array(self.times, np.float64), len(rows))
        whose = np.arange(workers) if own else np.zeros(workers, np.int64)
        laid = lay_out(first, times, np.array(rows, np.float64).ravel())
        return Pieces(laid, row=whose)


@dataclass(frozen=True)
class Periodic:
    """The speeds of one ``period``, over and over; each worker ``shift`` seconds ahead in it.

    ``spread`` moves worker i of n (from 0) on by i/n of the period: around the globe.

    >>> nights = Periodic(period=24.0, times=[0.0, 8.0], speeds=[1.0, 0.0], spread=True)
    >>> [nights.pace(2, seed=0).finish(worker, 7.0, 2.0) for worker in (0, 1)]
    [25.0, 14.0]
    """

    period: Annotated[float, Gt(0)]
    times: Annotated[list[float], MinLen(1)]
    speeds: Annotated[list[float], MinLen(1)]
    shift: float | list[float] = 0.0
    spread: bool = False
    random: ClassVar[bool] = False

    def pace(self, workers: int, seed: int) -> Pace:
        check_positive("period", self.period)
        check_times(self.times, before=self.period)
        check_one_per_time("speeds", self.speeds, self.times)
        if not any(self.speeds):
            raise ValueError("speeds: one of them must be more than 0, or no computation finishes")
        # A single speed needs no period, whose end would only add rounding.
        period = self.period if len(set(self.speeds)) > 1 else np.inf
        times, speeds = np.array(self.times, np.float64), np.array(self.speeds, np.float64)
        day = lay_out(np.array([0, len(times)]), times, speeds, period)
        first_row = np.zeros(workers, np.int64)
        return Pieces(day, row=first_row, ahead=self._ahead(workers), period=period)

    def _ahead(self, workers: int) -> Floats:
        """Each worker's place in the pattern at time 0."""
        shifts = one_per_worker("shift", self.shift, workers)
        remedy = f"must be seconds, {LONGEST_SECONDS:g} at most"
        check("shift", self.shift, np.abs(shifts) <= LONGEST_SECONDS, remedy)
        ahead = np.mod(shifts, self.period)
        if self.spread:
            ahead = np.mod(ahead + np.arange(workers) / workers * self.period, self.period)
        return ahead
