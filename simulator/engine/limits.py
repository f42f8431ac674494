"""Time limits of computations: the worker breaks a computation off at its order's limit."""

from collections.abc import Iterable
from typing import NamedTuple

from simulator.engine.totals import NEVER


class LimitedEnd(NamedTuple):
    """The times at which a computation would be done, and at which its limit ends it."""

    done: float
    limit: float

    @property
    def expires(self) -> bool:
        """Whether it is broken off; a computation that takes exactly its limit is done."""
        return self.limit < self.done


class Limits:
    """The limits of the workers whose orders have one: most runs have none."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}  # of a computation under the present order
        self.ends: dict[int, LimitedEnd] = {}
        self.old_ends: dict[int, LimitedEnd] = {}  # of obsolete computations that go on

    def order(self, worker: int, limit: float) -> None:
        self.forget(worker)
        if limit < NEVER:
            self.seconds[worker] = limit

    def forget(self, worker: int) -> None:
        self.seconds.pop(worker, None)
        self.ends.pop(worker, None)

    def end(self, worker: int, start: float, done: float) -> float:
        """The end of a computation that begins at ``start`` and would be done at ``done``."""
        limit = self.seconds.get(worker)
        if limit is None:
            return done
        self.ends[worker] = ends = LimitedEnd(done, start + limit)
        return min(ends)

    def expires(self, worker: int) -> bool:
        return worker in self.ends and self.ends[worker].expires

    def broken_off(self, workers: Iterable[int]) -> list[int]:
        """The workers whose obsolete computation ended at its limit; all of these have ended."""
        ends = ((worker, self.old_ends.pop(worker, None)) for worker in workers)
        return [worker for worker, end in ends if end and end.expires]
