"""Which steps does a story make of recorded events?  It runs again, and gets them in their order.

No time is simulated.  The events are those that the story got in a real run, so its orders need no
answer and an all-reduce ends at once.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from enum import IntEnum
from functools import partial
from itertools import islice
from typing import NamedTuple

from algorithms.tickets import Ticket
from algorithms.vocabulary import (
    Aggregation,
    Event,
    Joined,
    Lost,
    Needs,
    Request,
    Trained,
    no_worker,
)
from simulator.reference.server import BrokenStory
from simulator.schedule import Step

_ARRIVAL, _COLLECTIVE = Request(), Request()
NONE: frozenset[Ticket] = frozenset()


class Notice(IntEnum):
    """When did the story get an event: at its time, never, or later than it happened?"""

    AT_ONCE = 0
    NEVER = 1
    LATER = 2


class StoryEvent(NamedTuple):
    """An event of a real run.

    An outage while the story waits for the server has two: that it happens, of which the story gets
    ``NEVER`` a notice, and the notice that it gets ``LATER``.
    """

    event: Event
    time: float
    notice: Notice = Notice.AT_ONCE


def _nothing_is_trained() -> None:
    raise BrokenStory("a training has ended that the story did not start")


class RepeatedStory:
    """A cluster in which the recorded events happen.

    >>> from algorithms.methods import rennala
    >>> events = [StoryEvent(Ticket(0, 0, 0), 4.0), StoryEvent(Ticket(1, 0, 0), 5.0)]
    >>> [step.tickets for step in RepeatedStory(2, rennala(batch=2), events).steps([5.0, 9.0])]
    [[Ticket(worker=0, version=0, index=0), Ticket(worker=1, version=0, index=0)]]
    """

    def __init__(
        self, workers: int, aggregation: Aggregation, events: Sequence[StoryEvent]
    ) -> None:
        self.workers, self.version = workers, 0
        self._events = events
        self._present = set(range(workers))
        self._arrived: set[Ticket] = set()
        self._used, self._kept = 0, NONE
        self._training: Callable[[], None] = _nothing_is_trained
        self._steps: list[Step] = []
        self._story = aggregation(self)

    def steps(self, times: Sequence[float]) -> Iterator[Step]:
        """The steps, at most one for each of these times."""
        closed = (step for part in self._parts() for step in part)
        for step, time in zip(islice(closed, len(times)), times, strict=False):
            yield step._replace(time=time)

    def _parts(self) -> Iterator[list[Step]]:
        """The steps between two events."""
        events = list(reversed(self._events))
        answer: Event | None = None
        while True:
            try:
                request = self._story.send(answer)
            except BrokenStory:
                raise
            except Exception as error:  # events that cannot be may break it anywhere
                raise BrokenStory(f"the events break its story: {error!r}") from None
            closed, self._steps = self._steps, []
            yield closed
            while events and events[-1].notice is Notice.NEVER:
                self._happens(events.pop().event)
            answer = None
            if request is _ARRIVAL:
                if not events:
                    if self._training is not _nothing_is_trained:
                        self._end_training()  # no event tells of the step that ends the run
                        yield self._steps
                    return
                answer, _, notice = events.pop()
                if notice is Notice.AT_ONCE:
                    self._happens(answer)

    def _happens(self, event: Event) -> None:
        match event:
            case Ticket():
                self._arrived.add(event)
            case Lost(worker):
                self._present.discard(worker)
            case Joined(worker):
                self._present.add(worker)
            case Trained():
                self._end_training()

    # The words of the story

    def broadcast(self, *, quota: int | None = None, upload: bool = False, work: float = 1) -> None:
        pass

    def send(
        self,
        worker: int,
        *,
        quota: int | None = None,
        upload: bool = False,
        work: float = 1,
        limit: float | None = None,
        recall: bool = False,
    ) -> None:
        pass

    def refresh(self, worker: int) -> None:
        pass

    def present(self) -> Sequence[int]:
        return sorted(self._present)

    def arrival(self, needs: Needs = no_worker) -> Request:
        return _ARRIVAL

    def drop(self, ticket: Ticket) -> None:
        self._take(ticket, "drops")

    def all_reduce(self, tickets: Sequence[Ticket]) -> Request:
        return _COLLECTIVE

    def step(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> Request:
        self._close(tickets, weights, keep, importance)
        return _COLLECTIVE

    def train(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> None:
        self._training = partial(self._close, tickets, weights, keep, importance)

    def _close(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket],
        importance: float | None,
    ) -> None:
        again = self._kept.intersection(tickets)
        for ticket in tickets:
            if ticket not in again:
                self._take(ticket, f"closes step {self.version + 1} with")
        self._used += len(tickets) - len(again)
        self._kept = frozenset(keep)
        kept = self._kept
        step = Step(self.version, 0.0, tickets, weights, self._used, None, again, kept, importance)
        self._steps.append(step)
        self.version += 1

    def _end_training(self) -> None:
        training, self._training = self._training, _nothing_is_trained
        training()

    def _take(self, ticket: Ticket, verb: str) -> None:
        if ticket not in self._arrived:
            raise BrokenStory(f"the story {verb} {ticket}, which has not arrived or was used")
        self._arrived.remove(ticket)
