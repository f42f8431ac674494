"""Periodic speeds: day and night, all over the world."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, MinLen

from simulator.cluster.durations import LONGEST_SECONDS
from simulator.cluster.law import Floats
from simulator.cluster.speed import Pace
from simulator.cluster.speeds.entries import (
    check_one_per_time,
    check_positive,
    check_times,
    entry,
    one_per_worker,
    shown,
)
from simulator.cluster.speeds.pieces import Pieces


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
            raise ValueError("speeds: one of them must be more than 0, or nobody ever finishes")
        ahead = self._ahead(workers)
        return Pieces(
            np.array([0, len(self.times)]),
            np.array(self.times, dtype=np.float64),
            np.array(self.speeds, dtype=np.float64),
            row=np.zeros(workers, dtype=np.int64),
            ahead=ahead,
            # One speed is no pattern, and a day has no end to round at.
            period=self.period if len(set(self.speeds)) > 1 else np.inf,
        )

    def _ahead(self, workers: int) -> Floats:
        """Each worker's place in the pattern at time 0."""
        shifts = one_per_worker("shift", self.shift, workers)
        good = np.abs(shifts) <= LONGEST_SECONDS
        if not good.all():
            at = int(np.argmin(good))
            wrong = f"{entry('shift', self.shift, at)} = {shown(shifts[at])}"
            raise ValueError(f"{wrong}: must be seconds, {LONGEST_SECONDS:g} at most")
        ahead = np.mod(shifts, self.period)
        if self.spread:
            ahead = np.mod(ahead + np.arange(workers) / workers * self.period, self.period)
        return ahead
