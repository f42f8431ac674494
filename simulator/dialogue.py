"""The dialogue of a story and its cluster: the engine and the server of a real run hold it.

A story yields requests and gets events.  An event that comes while the story waits for something
else stays in an inbox, in order.  The reference has its own version, to check this one.
"""

from collections import deque
from collections.abc import Callable, Collection, Generator, Sequence
from itertools import filterfalse
from typing import NoReturn

from algorithms.tickets import Ticket
from algorithms.vocabulary import Event, Joined, Lost, Request, Story, Trained
from simulator.mistakes import Mistake

ARRIVAL, COLLECTIVE, UPDATE = Request(), Request(), Request()
DONE = Request()  # takes no time
NONE: frozenset[Ticket] = frozenset()


class Dialogue:
    """Drives the story of one run; ``name`` is its method, for messages.

    Set ``over`` when the run has ended: the story gets nothing from then on.

    >>> def story():
    ...     while True:
    ...         print((yield ARRIVAL))
    >>> dialogue = Dialogue("this method"); dialogue.begin(story())
    >>> dialogue.deliver(Ticket(0, 0, 0)); dialogue.waiting
    False
    >>> dialogue.drive(); dialogue.waiting
    Ticket(worker=0, version=0, index=0)
    True
    """

    def __init__(self, name: str) -> None:
        self.name, self.waiting, self.over = name, False, False
        self.computing = False
        """Whether the server computes a step."""
        self._awaited: int | None = None  # the step for which the story must wait
        self._inbox: deque[Event] = deque()
        self.late = False
        """Whether the inbox may hold outages, which orders outdate."""

    def begin(self, story: Story) -> None:
        """Take the story, without running it yet."""
        if not isinstance(story, Generator):
            self.refuse("its story is no generator", "yield cluster.arrival() in it")
        self._answer = story.send

    def drive(self, answer: Event | None = None) -> None:
        """Answer the story's request, and go on until it waits for a future event."""
        self.waiting = False
        try:
            request = self._answer(answer)
            while not self.over:
                if request is ARRIVAL:
                    if not self._inbox:
                        break
                    request = self._answer(self._inbox.popleft())
                elif request is DONE:
                    request = self._answer(None)
                else:
                    break
        except StopIteration:
            self.refuse("its story ended", "let it go on with `while True`")
        if request is ARRIVAL:
            self.waiting = not self.over
        elif request is not COLLECTIVE and request is not UPDATE and request is not DONE:
            unknown = f"yielded {request!r:.40}, which is no request"
            self.refuse(unknown, "yield cluster.arrival() or cluster.all_reduce(tickets)")
        if self._awaited is not None and request is not UPDATE:
            forgotten = f"step {self._awaited} takes time, and its story does not wait for it"
            self.refuse(forgotten, "write `yield cluster.step(...)`")

    # Events

    def deliver(self, event: Event) -> None:
        """Give the story an event: now, if it waits for one."""
        if self.waiting:
            self.drive(event)
        else:
            self._inbox.append(event)

    def change(self, event: Lost | Joined) -> None:
        """Give the story an outage, unless it waits for an all-reduce."""
        if self.waiting:
            self.drive(event)
        elif self.computing:
            self._inbox.append(event)
            self.late = True

    def outdate(self, workers: Collection[int]) -> None:
        """Remove the outages of these workers from the inbox, as they get an order now."""
        ordered = set(workers)
        self.withdraw(lambda event: isinstance(event, Lost | Joined) and event.worker in ordered)

    def withdraw(self, gone: Callable[[Event], bool]) -> None:
        """Remove these events from the inbox."""
        if self._inbox:
            self._inbox = deque(filterfalse(gone, self._inbox))

    # Steps

    def start_step(self, number: int, *, awaited: bool) -> None:
        """The server begins to compute a step; if it is ``awaited``, the story yields UPDATE."""
        if self.computing:
            twice = f"step {number} is under way, and its story starts another"
            self.refuse(twice, "yield cluster.arrival() until Trained comes")
        self.computing, self._awaited = True, number if awaited else None

    def end_step(self, version: int) -> None:
        """The server has computed the step that makes this version."""
        awaited, self.computing, self._awaited = self._awaited, False, None
        if self.over:
            return
        if awaited is not None:
            self.drive()
        else:
            self.deliver(Trained(version))

    def end_step_at_once(self, version: int) -> None:
        """The step has taken no time; the story is still speaking."""
        if self._awaited is None:
            self._inbox.appendleft(Trained(version))
        self.computing, self._awaited = False, None

    # Mistakes

    def check_weights(self, step: int, tickets: Sequence[Ticket], weights: Sequence[float]) -> None:
        if len(weights) != len(tickets):
            sizes = f"{len(weights)} weights for {len(tickets)} gradients"
            self.refuse(f"step {step}: {sizes}", "give one weight for each")

    def never_arrived(self, step: int, ticket: Ticket) -> NoReturn:
        unknown = f"step {step}: {ticket} has not arrived, or was used before"
        self.refuse(unknown, "use each gradient that arrives once, or keep it")

    def refuse(self, mistake: str, remedy: str) -> NoReturn:
        raise Mistake(f"{self.name}: {mistake}; {remedy}") from None
