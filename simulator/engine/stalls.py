"""Ends a run that waits for a worker that can never deliver."""

from collections.abc import Iterable
from typing import NoReturn

from algorithms.vocabulary import Needs
from simulator.engine.outages import Attendance
from simulator.engine.totals import NEVER
from simulator.engine.workers import Workers


class Stalled(Exception):
    """The run can make no further progress; the message names the worker it waits for."""


class StallDetector:
    """Raises ``Stalled`` when a method waits for an event that cannot come.

    ``losses`` are outages in which work is lost: each frees a worker from a stuck computation.
    """

    def __init__(self, method: str, workers: Workers, losses: Attendance | None) -> None:
        self._method, self._workers, self._losses = method, workers, losses
        self.gone: set[int] = set()  # workers that never return

    def check(self, now: float, needs: Needs) -> None:
        """Give up if the step cannot close without the workers that will never deliver."""
        stuck = self._workers.stuck - self.gone
        unreachable = self.gone | {w for w in stuck if not self._can_be_freed(now, w)}
        if unreachable and (needed := needs(unreachable)):
            waits = self._waits_for(now, min(needed))
            raise Stalled(f"{waits}; this step cannot close without it")

    def _can_be_freed(self, now: float, worker: int) -> bool:
        """Whether an outage ends a worker's stuck computation, and the next one can end."""
        returns = self._losses is not None and self._losses.returns(worker)
        return returns and self._can_deliver(now, worker)

    def no_worker_computes(self, now: float, needs: Needs) -> None:
        """Outages may never end; give up if no worker can deliver between them."""
        present = (w for w in range(len(self._workers.start)) if w not in self.gone)
        if self._losses is None or not any(self._can_deliver(now, worker) for worker in present):
            self.stall(now, needs)

    def give_up(self, now: float, participants: Iterable[int]) -> NoReturn:
        worker = min(self.gone.intersection(participants))
        raise Stalled(f"{self._waits_for(now, worker)} and still holds gradients of this step")

    def stall(self, now: float, needs: Needs) -> NoReturn:
        self.check(now, needs)
        raise Stalled(
            f"{self._method} waits for a gradient, but no worker will deliver another one"
        )

    def _can_deliver(self, now: float, worker: int) -> bool:
        """Whether a computation that the worker starts from now on may ever end."""
        workers = self._workers
        if workers.pace is None:
            return worker not in workers.never
        left = workers.pace.work(worker, NEVER) - workers.pace.work(worker, now)
        return left > 0 and left >= workers.shortest[worker] * workers.at_work[worker]

    def _waits_for(self, now: float, worker: int) -> str:
        if worker in self.gone:
            why = f"left permanently at {self._workers.down_from[worker]:g} s"
        elif worker in self._workers.never:
            why = "never finishes a gradient (its compute time is infinite)"
        elif not self._can_deliver(now, worker):
            why = "will never be done (its speed stays 0)"
        else:
            why = "is at a computation that never ends"
        return f"{self._method} waits for worker {worker}, which {why}"
