"""Speeds that change in steps: work as a function of time, and its inverse.

A row holds a speed for each piece of time and the work done before the piece; its last entry is its
end, at infinity or at the end of a period, after which it repeats.  Workers may share a row, each
ahead in it by seconds of its own.

Rounding: neighbours of one speed are one piece, and a computation within one piece takes
``seconds / speed`` to the last bit.  Elsewhere the end has the error of a sum of the work of all m
pieces, at most (m + 3) 2^-53 of it, divided by the speed, and of some last bits of the clock or the
period.  This error must not last a night: where the speed falls to 0, a computation that lacks at
most ``ROUNDING`` of the work of its row counts as done.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import pairwise
from math import floor, fmod, inf
from typing import Any, NamedTuple, cast

import numpy as np

from simulator.cluster.law import Floats, Integers

ROUNDING = 1e-12  # the largest rounding error, relative to the work since the row began
NEGLIGIBLE = 1e-6  # and relative to the computation, so that none ends before it begins


class Rows(NamedTuple):
    """Row r has the places ``first[r]`` to ``first[r + 1]``, of which the last is its end."""

    first: Integers
    times: Floats  # when pieces begin; of one row if all rows have the same
    speeds: Floats
    works: Floats  # the work until pieces begin


def lay_out(first: Integers, times: Floats, speeds: Floats, period: float = inf) -> Rows:
    """Rows of pieces whose times begin with 0; equal neighbours become one piece.

    ``first`` has the places where rows begin in ``times`` and ``speeds``, which have no ends.
    """
    changes = np.ones(len(speeds), dtype=bool)
    changes[1:] = speeds[1:] != speeds[:-1]
    changes[first[:-1]] = True
    begins = np.concatenate(([0], np.cumsum(changes)))[first]
    row = np.repeat(np.arange(len(first) - 1), np.diff(begins))
    places = np.arange(begins[-1]) + row
    ends = begins + np.arange(len(first))
    laid = Rows(ends, np.full(ends[-1], period), np.zeros(ends[-1]), np.zeros(ends[-1]))
    laid.times[places], laid.speeds[places] = times[changes], speeds[changes]
    gaps = laid.times[places + 1] - laid.times[places]
    moving = speeds[changes] > 0
    laid.works[places[moving] + 1] = (speeds[changes] * np.where(moving, gaps, 0.0))[moving]
    # A sum over all rows would round each with the work of those before it.
    for begin, end in pairwise(ends):
        np.cumsum(laid.works[begin:end], out=laid.works[begin:end])
    return laid


class Pieces:
    """Speeds that are constant piece by piece.

    Worker i follows row ``row[i]``, by default row i, ``ahead[i]`` seconds (below a period) ahead.

    >>> day = lay_out(np.array([0, 2]), np.array([0.0, 8.0]), np.array([1.0, 0.0]), period=24.0)
    >>> nights = Pieces(day, period=24.0)
    >>> nights.finish(0, start=7.0, seconds=1.0), nights.finish(0, start=7.0, seconds=2.0)
    (8.0, 25.0)
    """

    def __init__(
        self,
        rows: Rows,
        *,
        row: Integers | None = None,
        ahead: Floats | None = None,
        period: float = inf,
    ) -> None:
        first, self._times, self._speeds, self._works = rows
        self._period = period
        row = np.arange(len(first) - 1) if row is None else row
        self._low, self._last = first[row], first[row + 1] - 1
        # The offset between the places of a piece and of its time.
        self._lag = self._low if len(self._times) < len(self._works) else np.zeros_like(self._low)
        self._ahead = np.zeros(len(row)) if ahead is None else ahead
        # Plain memory is faster for one worker at a time.
        self._times_ = cast("memoryview[float]", self._times.data)
        self._speeds_ = cast("memoryview[float]", self._speeds.data)
        self._works_ = cast("memoryview[float]", self._works.data)
        self._ahead_ = cast("memoryview[float]", self._ahead.data)
        self._ends_: list[tuple[int, int, int]] = list(
            zip(self._low.tolist(), self._last.tolist(), self._lag.tolist(), strict=True)
        )

    def work(self, worker: int, time: float) -> float:
        total = self._works_[self._ends_[worker][1]]
        if self._period == inf:
            return self._until(worker, time) if time < inf else total
        if time == inf:
            return inf if total else 0.0
        rest, ahead = fmod(time, self._period), self._ahead_[worker]
        laps, at = floor((time - rest) / self._period + 0.5), rest + ahead
        if at >= self._period:
            laps, at = laps + 1, at - self._period
        return laps * total + (self._until(worker, at) - self._until(worker, ahead))

    def _until(self, worker: int, at: float) -> float:
        """The work of a row from its beginning."""
        low, last, lag = self._ends_[worker]
        piece = bisect_right(self._times_, at, low - lag, last - lag) - 1 + lag
        return self._works_[piece] + self._speeds_[piece] * (at - self._times_[piece - lag])

    def finish(self, worker: int, start: float, seconds: float) -> float:
        end = start + seconds
        if end == inf or seconds <= 0:
            return end
        at, period = start, self._period
        if period < inf:
            at = fmod(start, period) + self._ahead_[worker]
            if at >= period:
                at -= period
        low, last, lag = self._ends_[worker]
        piece = bisect_right(self._times_, at, low - lag, last - lag) - 1 + lag
        speed, until, rest = self._speeds_[piece], self._times_[piece + 1 - lag], seconds
        if speed > 0:
            took = seconds / speed
            if at + took <= until:
                return start + took
            rest = max(0.0, seconds - speed * (until - at))
        work = self._works_[piece + 1] + rest
        slack = min(NEGLIGIBLE * seconds, ROUNDING * work)
        begin, end = self._reach(work, slack, worker, piece + 1)
        return max(start, start - at + begin + end)

    def _reach(self, work: float, slack: float, worker: int, behind: int) -> tuple[float, float]:
        """When the lap begins, and when in it a row has done this work; search from ``behind``."""
        low, last, lag = self._ends_[worker]
        times, works, total, begin = self._times_, self._works_, self._works_[last], 0.0
        if work > total:
            if total == 0 or (self._period == inf and work - total > slack):
                return 0.0, inf
            over = fmod(work, total)
            laps = floor((work - over) / total + 0.5)
            if over <= slack:  # whole laps end with the last work in a lap, not at its end
                laps, over = laps - 1, total
            if laps:
                begin, behind = laps * self._period, low + 1
            work = over
        piece = bisect_left(works, work, behind, last)
        if works[piece] == work:
            return begin, times[piece - lag]
        before = piece - 1
        lacks = work - works[before]
        if lacks <= slack and before > low and self._speeds_[before - 1] == 0:
            return begin, times[before - 1 - lag]
        return begin, min(times[before - lag] + lacks / self._speeds_[before], times[piece - lag])

    def finish_all(self, starts: Floats, seconds: Floats) -> Floats:
        """``finish``, in the same operations, so that the last bits agree."""
        ends: Floats = starts + seconds
        busy = np.flatnonzero((ends < inf) & (seconds > 0))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ends[busy] = self._finish_all(busy, starts[busy], seconds[busy])
        return ends

    def _finish_all(self, workers: Integers, start: Floats, seconds: Floats) -> Floats:
        at = start
        if self._period < inf:
            at = np.fmod(start, self._period) + self._ahead[workers]
            at = np.where(at >= self._period, at - self._period, at)
        low, last, lag = self._low[workers], self._last[workers], self._lag[workers]
        piece = bisect_all(self._times, at, low - lag, last - lag, np.less_equal) - 1 + lag
        speed, until = self._speeds[piece], self._times[piece + 1 - lag]
        took = seconds / speed
        ends: Floats = start + took
        later = np.flatnonzero((speed == 0) | (at + took > until))
        if later.size:
            start, seconds, at, speed = start[later], seconds[later], at[later], speed[later]
            rest = np.maximum(0.0, seconds - speed * (until[later] - at))
            work = self._works[piece[later] + 1] + np.where(speed > 0, rest, seconds)
            slack = np.minimum(NEGLIGIBLE * seconds, ROUNDING * work)
            begin, end = self._reach_all(work, slack, workers[later], piece[later] + 1)
            ends[later] = np.maximum(start, start - at + begin + end)
        return ends

    def _reach_all(
        self, work: Floats, slack: Floats, workers: Integers, behind: Integers
    ) -> tuple[Floats, Floats]:
        """``_reach``, in the same operations."""
        low, last, lag = self._low[workers], self._last[workers], self._lag[workers]
        times, works, total = self._times, self._works, self._works[last]
        more = work > total
        never = more & ((total == 0) | ((self._period == inf) & (work - total > slack)))
        over = np.where(more, np.fmod(work, total), work)
        laps = np.where(more, np.floor((work - over) / total + 0.5), 0.0)
        whole = more & (over <= slack)
        laps, work = np.where(whole, laps - 1, laps), np.where(whole, total, over)
        later = (laps > 0) & ~never
        begin = np.where(later, laps * self._period, 0.0)
        piece = bisect_all(works, work, np.where(later, low + 1, behind), last)
        before = piece - 1
        lacks = work - works[before]
        end = np.minimum(times[before - lag] + lacks / self._speeds[before], times[piece - lag])
        # The place before a row's first belongs to another row, and is not used.
        nightfall = (lacks <= slack) & (before > low) & (self._speeds[before - 1] == 0)
        end = np.where(nightfall, times[before - 1 - lag], end)
        end = np.where(works[piece] == work, times[piece - lag], end)
        return begin, np.where(never, inf, end)


def steady(workers: int) -> Pieces:
    """Speed 1 for all workers, always."""
    first_row = np.zeros(workers, dtype=np.int64)
    return Pieces(lay_out(np.array([0, 1]), np.zeros(1), np.ones(1)), row=first_row)


def bisect_all(
    values: Floats,
    wanted: Floats,
    low: Integers,
    high: Integers,
    before: Callable[..., Any] = np.less,
) -> Integers:
    """The first place in each ``values[low:high]`` that is not ``before`` the wanted value.

    With ``np.less`` it is ``bisect_left``, with ``np.less_equal`` ``bisect_right``.
    """
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        # An empty stretch, whose middle is its end, must not move.
        right = before(values[middle], wanted) & (middle < high)
        low, high = np.where(right, middle + 1, low), np.where(right, high, middle)
    return low
