"""Is there any sense in waiting?  A run ends that needs a worker which can never deliver."""

from collections.abc import Iterable
from typing import NoReturn

from algorithms.vocabulary import Needs
from simulator.engine.outages import Attendance
from simulator.engine.totals import NEVER
from simulator.engine.workers import Workers


class Stalled(Exception):
    """The run can make no further progress; the message says who is waited for."""


class StallDetector:
    """Ends a method's run when it waits in vain.

    ``losses`` are the outages where work is lost: each frees a worker of what it is stuck in.
    """

    def __init__(self, method: str, workers: Workers, losses: Attendance | None) -> None:
        self._method, self._workers, self._losses = method, workers, losses
        self.gone: set[int] = set()  # workers that have left for ever

    def check(self, now: float, needs: Needs) -> None:
        """Give up if the step cannot close without those who will never deliver."""
        stuck = self._workers.stuck - self.gone
        hopeless = self.gone | {worker for worker in stuck if not self._can_be_freed(now, worker)}
        if hopeless and (needed := needs(hopeless)):
            waits = self._waits_for(now, min(needed))
            raise Stalled(f"{waits}; this step cannot close without it")

    def _can_be_freed(self, now: float, worker: int) -> bool:
        """An outage frees a worker of what it is at, but not of its nature."""
        returns = self._losses is not None and self._losses.returns(worker)
        return returns and self._can_deliver(now, worker)

    def nobody_computes(self, now: float, needs: Needs) -> None:
        """Outages may go on for ever; give up if nobody has anything to deliver between them."""
        there = (w for w in range(len(self._workers.start)) if w not in self.gone)
        if self._losses is None or not any(self._can_deliver(now, worker) for worker in there):
            self.stall(now, needs)

    def give_up(self, now: float, participants: Iterable[int]) -> NoReturn:
        """A collective waits for one who has left for ever."""
        worker = min(self.gone.intersection(participants))
        raise Stalled(f"{self._waits_for(now, worker)} and still holds gradients of this step")

    def stall(self, now: float, needs: Needs) -> NoReturn:
        """Nothing will happen any more."""
        self.check(now, needs)
        raise Stalled(f"{self._method} waits for ever: no worker will deliver another gradient")

    def _can_deliver(self, now: float, worker: int) -> bool:
        """Whether a computation that it starts from now on may ever end."""
        workers = self._workers
        if workers.pace is None:
            return worker not in workers.never
        left = workers.pace.work(worker, NEVER) - workers.pace.work(worker, now)
        return left > 0 and left >= workers.shortest[worker] * workers.at_work[worker]

    def _waits_for(self, now: float, worker: int) -> str:
        return f"{self._method} waits for worker {worker}, which {self._why(now, worker)}"

    def _why(self, now: float, worker: int) -> str:
        if worker in self.gone:
            return f"left for ever at {self._workers.down_from[worker]:g} s"
        if worker in self._workers.never:
            return "never finishes a gradient (its compute time is infinite)"
        if not self._can_deliver(now, worker):
            return "will never be done (its speed stays 0)"
        return "is at a computation that never ends"
