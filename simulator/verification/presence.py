"""When was a worker not there?  Its absences in a run, from the description of the cluster."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.cluster import Cluster
from simulator.cluster.law import Floats, Integers
from simulator.verification.search import position
from simulator.verification.tickets import Flags


@dataclass(frozen=True)
class Presence:
    """All absences that begin by the end, by worker and then by time; some never end."""

    worker: Integers
    begin: Floats
    end: Floats

    @classmethod
    def of(cls, cluster: Cluster, seed: int, until: float) -> "Presence":
        absences = cluster.absences(seed)
        rows: list[tuple[int, float, float]] = []
        for worker in range(cluster.workers) if absences else ():
            assert absences is not None
            while absences.begin[worker] <= until:
                rows.append((worker, absences.begin[worker], absences.end[worker]))
                if absences.end[worker] == np.inf:
                    break
                absences.next(worker)
        who, begin, end = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(np.array(who, np.int64), np.array(begin, float), np.array(end, float))

    def __bool__(self) -> bool:
        return len(self.worker) > 0

    def down(self, workers: int, until: float) -> Floats:
        """Seconds that each worker was away."""
        away = np.minimum(self.end, until) - self.begin
        return np.asarray(np.bincount(self.worker, away, workers), float)

    def next_begin(self, workers: Integers, moments: Floats) -> Floats:
        """When each worker's first absence at or after the moment begins."""
        at = position(workers, moments, self.worker, self.begin, "left")
        return self._at(self.begin, at, workers)

    def covers(self, workers: Integers, moments: Floats) -> Flags:
        """Whether the worker is away, and neither just leaving nor just coming."""
        return self.back(workers, moments) > moments

    def back(self, workers: Integers, moments: Floats) -> Floats:
        """When who is away at the moment is back; for the others the moment itself."""
        # Outages begin after all else of their moment; but who joins later was never there before.
        since = np.where(self.begin == 0, -1.0, self.begin)
        at = position(workers, moments, self.worker, since, "left") - 1
        return np.maximum(moments, self._at(self.end, at, workers, -np.inf))

    def absent(self, workers: Integers, begins: Floats, ends: Floats) -> Floats:
        """Seconds away between two moments at which the worker is there."""
        finite = np.concatenate([[0.0], np.cumsum(self._lengths)])
        first = position(workers, begins, self.worker, self.begin, "left")
        last = np.maximum(position(workers, ends, self.worker, self.begin, "left"), first)
        never = (last > first) & (self._at(self.end, last - 1, workers) == np.inf)
        return np.where(never, np.inf, finite[last] - finite[first])

    def within(self, workers: Integers, begins: Floats, ends: Floats) -> Floats:
        """Seconds away between two moments; at the second the worker may be away."""
        finite = np.concatenate([[0.0], np.cumsum(self._lengths)])
        first = position(workers, begins, self.worker, self.begin, "left")
        last = np.maximum(position(workers, ends, self.worker, self.begin, "left"), first)
        some = last > first
        whole = np.where(some, finite[last - some] - finite[first], 0.0)
        newest = np.minimum(self._at(self.end, last - 1, workers), ends)
        return np.where(some, whole + newest - self._at(self.begin, last - 1, workers), 0.0)

    @cached_property
    def _lengths(self) -> Floats:
        return np.where(np.isinf(self.end), 0.0, self.end - self.begin)

    def _at(
        self, values: Floats, at: Integers, workers: Integers, nothing: float = np.inf
    ) -> Floats:
        """The value of the row ``at``, if it is one of this worker's."""
        if not self:
            return np.full(len(workers), nothing)
        inside = np.clip(at, 0, len(self.worker) - 1)
        mine = (at == inside) & (self.worker[inside] == workers)
        return np.where(mine, values[inside], nothing)
