"""The steps of a real run: each is computed at once, and closes when the scenario's update ends."""

from collections.abc import Collection

import numpy as np

from algorithms.tickets import Ticket
from simulator.cluster.server import Updates
from simulator.dialogue import Dialogue
from simulator.engine import Stop
from simulator.realtime.gradients import Vector
from simulator.realtime.holdings import Holdings
from simulator.realtime.messages import NEVER
from simulator.realtime.recording import Recording
from simulator.realtime.rule import Ascent
from simulator.realtime.transfers import Transfers
from simulator.schedule import Step


class Steps:
    """The steps of one run, until ``stop``; it records them."""

    def __init__(
        self,
        dialogue: Dialogue,
        ascent: Ascent,
        holdings: Holdings,
        transfers: Transfers,
        recording: Recording,
        updates: Updates,
        stop: Stop,
    ) -> None:
        self._dialogue, self._ascent, self._holdings = dialogue, ascent, holdings
        self._transfers, self._updates, self._recording = transfers, updates, recording
        self._stop, self._used = stop, 0
        self._next: tuple[Step, Vector] | None = None
        self.version, self.next_end = 0, NEVER
        self.take_time = not updates.free

    @property
    def safe(self) -> Collection[Ticket]:
        """The gradients of the step that is being computed."""
        return self._next[0].tickets if self._next else ()

    def begin(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket],
        importance: float | None,
        now: float,
        *,
        awaited: bool,
    ) -> None:
        """Compute the point after this step."""
        if self._dialogue.over:
            return
        if self.take_time or not awaited:
            self._dialogue.start_step(self.version + 1, awaited=awaited)
        again, kept = frozenset(self._holdings.kept.keys() & set(tickets)), frozenset(keep)
        begin = now if self.take_time else None
        step = Step(self.version, 0.0, tickets, weights, 0, None, again, kept, importance, begin)
        self._check(step)
        self._next = step, self._ascent.advance(step, self._holdings.sum(step))
        self.next_end = now + self._updates.seconds(self.version, len(step.fresh))

    def _check(self, step: Step) -> None:
        self._dialogue.check_weights(step.version, step.tickets, step.weights)
        for ticket in step.fresh:
            if ticket not in self._holdings.arrived:
                self._dialogue.never_arrived(step.version, ticket)

    def close(self, now: float) -> None:
        """The server has computed the step; the last one ends the run."""
        if self._dialogue.over:
            return
        if now > self._stop.seconds:
            self._dialogue.over = True
            return
        assert self._next is not None
        (step, point), self._next, self.next_end = self._next, None, NEVER
        if step.begin is not None:
            self._recording.trains(step.begin, now, step.version)
        self._used += len(step.fresh)
        arrived = self._holdings.arrivals(step)
        self._recording.close_step(step._replace(time=now, used=self._used, arrived=arrived))
        self._holdings.close(step, point, self._transfers.versions | self._recording.ordered_at)
        self.version += 1
        self._dialogue.over = self._last

    @property
    def _last(self) -> bool:
        """Whether the newest step is the last one."""
        counted = self.version >= self._stop.steps or self._used >= self._stop.gradients
        return counted or not np.isfinite(self._holdings.points[self.version]).all()

    def end(self) -> float:
        """The end of the run: at its last step, or at its last second."""
        return self._recording.steps[-1].time if self._last else self._stop.seconds
