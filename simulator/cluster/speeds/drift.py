"""A drift: a worker becomes steadily slower, or faster, and then stays so."""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Annotated, ClassVar, cast

import numpy as np
from annotated_types import Gt

from simulator.cluster.fields import check_positive, check_speeds, one_per_worker
from simulator.cluster.law import Floats
from simulator.cluster.speed import Pace
from simulator.cluster.speeds.pieces import NEGLIGIBLE, ROUNDING


@dataclass(frozen=True)
class Drift:
    """Linearly from speed ``start`` to speed ``end`` in the first ``seconds``, then no further.

    >>> Drift(end=0.0, seconds=10.0).pace(1, seed=0).work(0, time=10.0)
    5.0
    """

    end: float | list[float]
    seconds: Annotated[float, Gt(0)]
    start: float | list[float] = 1.0
    random: ClassVar[bool] = False

    def pace(self, workers: int, seed: int) -> Pace:
        check_positive("seconds", self.seconds)
        starts = one_per_worker("start", self.start, workers)
        ends = one_per_worker("end", self.end, workers)
        check_speeds("start", self.start)
        check_speeds("end", self.end)
        return Ramps(starts, ends, self.seconds)


class Ramps:
    """The integral of a straight line, and the root of the quadratic equation that inverts it.

    All sums have positive terms, and errors of a few last bits, except for the rest of a falling
    speed: its error grows towards speed 0.
    """

    def __init__(self, starts: Floats, ends: Floats, seconds: float) -> None:
        self._starts, self._ends = starts, ends
        # A worker of constant speed has no ramp, and takes seconds / speed to the last bit.
        self._ramps = np.where(starts == ends, 0.0, seconds)
        self._starts_ = cast("memoryview[float]", self._starts.data)
        self._ends_ = cast("memoryview[float]", self._ends.data)
        self._ramps_ = cast("memoryview[float]", self._ramps.data)

    def work(self, worker: int, time: float) -> float:
        first, end, ramp = self._starts_[worker], self._ends_[worker], self._ramps_[worker]
        if time >= ramp:
            return (first + end) / 2 * ramp + (end * (time - ramp) if end else 0.0)
        return (first + first * ((ramp - time) / ramp) + end * (time / ramp)) / 2 * time

    def finish(self, worker: int, start: float, seconds: float) -> float:
        if start + seconds == inf or seconds <= 0:
            return start + seconds
        first, end, ramp = self._starts_[worker], self._ends_[worker], self._ramps_[worker]
        if start >= ramp:
            return start + seconds / end if end else inf
        left = ramp - start
        speed = first * (left / ramp) + end * (start / ramp)
        room = (speed + end) / 2 * left
        if seconds <= room:
            square = speed * speed + 2 * (end - first) * (seconds / ramp)
            took = 2 * seconds / (speed + sqrt(max(0.0, square)))
            return min(start + took, ramp)
        lacks = seconds - room
        if end:
            return ramp + lacks / end
        slack = min(NEGLIGIBLE * seconds, ROUNDING * (first / 2 * ramp))
        return ramp if lacks <= slack else inf

    def finish_all(self, starts: Floats, seconds: Floats) -> Floats:
        """``finish``, in the same operations, so that the last bits agree."""
        first, end, ramp = self._starts, self._ends, self._ramps
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            left = ramp - starts
            speed = first * (left / ramp) + end * (starts / ramp)
            room = (speed + end) / 2 * left
            square = speed * speed + 2 * (end - first) * (seconds / ramp)
            took = 2 * seconds / (speed + np.sqrt(np.maximum(0.0, square)))
            lacks = seconds - room
            slack = np.minimum(NEGLIGIBLE * seconds, ROUNDING * (first / 2 * ramp))
            later = np.where(end > 0, ramp + lacks / end, np.where(lacks <= slack, ramp, inf))
            during = np.where(seconds <= room, np.minimum(starts + took, ramp), later)
            after = np.where(end > 0, starts + seconds / end, inf)
            ends = np.where(starts >= ramp, after, during)
        plain = (starts + seconds == inf) | (seconds <= 0)
        return np.where(plain, starts + seconds, ends)
