"""Outages: given ones and random failures, as intervals of each worker.

An outage lasts from ``begin`` up to ``end``, which is infinite for a worker that never returns.
A worker whose outage begins at 0 joins later.  Random failures alternate: a worker is up for a time
around ``mean_time_between_failures`` and down for one around ``mean_time_to_repair`` (both
exponential), as a function of (seed, worker).  Outages of a worker that meet are merged.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.cluster.random_words import keys, uniforms, words

Work: TypeAlias = Literal["lost", "continued"]
"""The effect of an outage on a worker's computation and the gradients that it holds."""


class Outage(NamedTuple):
    """A worker is away from ``begin`` up to ``end``."""

    worker: int
    begin: float
    end: float = math.inf


@dataclass(frozen=True)
class Failures:
    """Random outages of every worker, or of some of them."""

    mean_time_between_failures: float
    mean_time_to_repair: float
    workers: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Outages:
    """All outages, and their effect on the work."""

    foreseen: tuple[Outage, ...] = ()
    failures: Failures | None = None
    work: Work = "lost"

    def __bool__(self) -> bool:
        return bool(self.foreseen or self.failures)

    def absences(self, workers: int, seed: int) -> "Absences":
        return Absences(self, workers, seed)


class Absences:
    """Each worker's present or next absence: ``begin`` and ``end``, both may be infinite.

    >>> absences = Outages((Outage(1, 5.0, 8.0), Outage(1, 7.0, 9.0))).absences(2, seed=0)
    >>> absences.begin.tolist(), absences.end.tolist()
    ([inf, 5.0], [inf, 9.0])
    >>> absences.next(1); absences.begin.tolist()
    [inf, inf]
    """

    def __init__(self, outages: Outages, workers: int, seed: int) -> None:
        self.begin = np.full(workers, np.inf)
        self.end = np.full(workers, np.inf)
        self._foreseen = _merged(outages.foreseen)
        self._failing: Failing | None = None
        if outages.failures is not None:
            self._failing = failing = Failing(outages.failures, workers, seed)
            others = np.setdiff1d(np.arange(workers), list(self._foreseen))
            self.begin[others], self.end[others] = failing.begin[others], failing.end[others]
            failing.draw(others)
        for worker in self._foreseen:
            self._join(worker)

    def next(self, worker: int) -> None:
        self.begin[worker] = self.end[worker] = math.inf
        self._join(worker)

    def _join(self, worker: int) -> None:
        """Set the next absence, merged with all that meet it."""
        foreseen = self._foreseen.get(worker, [])
        failing = self._failing
        begin, end = self._head(worker)
        if begin == math.inf:
            return
        self.begin[worker] = begin
        reach = end
        while True:
            if foreseen and foreseen[-1].begin <= reach:
                reach = max(reach, foreseen.pop().end)
            elif failing and failing.begin[worker] <= reach < math.inf:
                reach = max(reach, float(failing.end[worker]))
                failing.draw(np.array([worker]))
            else:
                break
        self.end[worker] = reach

    def _head(self, worker: int) -> tuple[float, float]:
        foreseen = self._foreseen.get(worker)
        heads = [(foreseen[-1].begin, foreseen[-1].end)] if foreseen else []
        if self._failing:
            failing = self._failing
            heads.append((float(failing.begin[worker]), float(failing.end[worker])))
        return min(heads, default=(math.inf, math.inf))


class Failing:
    """The next random failure of each worker."""

    def __init__(self, failures: Failures, workers: int, seed: int) -> None:
        self._between = failures.mean_time_between_failures
        self._repair = failures.mean_time_to_repair
        self._keys = keys(seed, "cluster.failures", workers)
        self._drawn = np.zeros(workers, np.int64)
        self.begin, self.end = np.zeros(workers), np.zeros(workers)
        self.draw(np.arange(workers))
        if failures.workers is not None:
            spared = np.setdiff1d(np.arange(workers), failures.workers)
            self.begin[spared] = self.end[spared] = np.inf

    def draw(self, workers: Integers) -> None:
        up = self._exponential(workers, self._between)
        self.begin[workers] = self.end[workers] + up
        self.end[workers] = self.begin[workers] + self._exponential(workers, self._repair)

    def _exponential(self, workers: Integers, mean: float) -> Floats:
        bits = words(self._keys[workers], self._drawn[workers])
        self._drawn[workers] += 1
        lasting: Floats = mean * -np.log(uniforms(bits))
        return lasting


def _merged(outages: Iterable[Outage]) -> Mapping[int, list[Outage]]:
    """Each worker's outages, the latest first, so that the next is popped."""
    of_worker: dict[int, list[Outage]] = {}
    for outage in sorted(outages, key=lambda outage: -outage.begin):
        of_worker.setdefault(outage.worker, []).append(outage)
    return of_worker
