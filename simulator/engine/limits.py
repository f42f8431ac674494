"""How long may a computation take?  Where an order says so, the worker breaks it off then."""

from collections.abc import Iterable
from typing import NamedTuple

from simulator.engine.totals import NEVER


class Ends(NamedTuple):
    """When a computation would be done, and when its limit is up."""

    done: float
    limit: float

    @property
    def first(self) -> float:
        return min(self)

    @property
    def expires(self) -> bool:
        """Whether it is broken off; one that takes exactly its limit is done."""
        return self.limit < self.done


class Limits:
    """Of those workers only whose orders have one: most runs have none."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}  # what a computation under the present order may take
        self.ends: dict[int, Ends] = {}
        self.old_ends: dict[int, Ends] = {}  # of obsolete computations that go on

    def order(self, worker: int, limit: float) -> None:
        """The worker has a new order."""
        self.forget(worker)
        if limit < NEVER:
            self.seconds[worker] = limit

    def forget(self, worker: int) -> None:
        self.seconds.pop(worker, None)
        self.ends.pop(worker, None)

    def end(self, worker: int, start: float, done: float) -> float:
        """When a computation that begins at ``start`` ends, one way or the other."""
        limit = self.seconds.get(worker)
        if limit is None:
            return done
        self.ends[worker] = ends = Ends(done, start + limit)
        return ends.first

    def expires(self, worker: int) -> bool:
        return worker in self.ends and self.ends[worker].expires

    def broken_off(self, workers: Iterable[int]) -> list[int]:
        """Of these, whose obsolete computations have ended, those who did not get it done."""
        ends = ((worker, self.old_ends.pop(worker, None)) for worker in workers)
        return [worker for worker, end in ends if end and end.expires]
