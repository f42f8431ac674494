"""What can a server say to its cluster?

An aggregation tells the server's story in these words only.  It is a generator: what it
``yield``s is a request of the cluster's (an arrival to wait for, a collective to finish), what
comes back is the answer.  The words mean the same to a simulated cluster, to a real one and to
the scripted one of a unit test, so a story imports none of them.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from itertools import chain, repeat
from typing import Annotated, NamedTuple, Protocol, TypeAlias, TypeVar

from annotated_types import Ge, Le

from algorithms.tickets import Ticket

Batch: TypeAlias = Annotated[int, Ge(1), Le(2**31 - 1)]


class Lost(NamedTuple):
    """A worker is gone, and with it what it was computing and every gradient it still held."""

    worker: int


class Joined(NamedTuple):
    """A worker is there, new or repaired; it has no order."""

    worker: int


class Expired(NamedTuple):
    """A worker has broken off a computation at its order's limit; there is no gradient."""

    worker: int


Event: TypeAlias = Ticket | Lost | Joined | Expired
"""What the server learns: a gradient has arrived, or one of the others."""


class Request:
    """What a story waits for.  A cluster makes its own; a story only yields them."""


Needs: TypeAlias = Callable[[Collection[int]], Collection[int]]


def nobody(hopeless: Collection[int]) -> Collection[int]:
    """The needs of a step that waits for no worker in particular."""
    return ()


class Cluster(Protocol):
    """The server's side of a cluster of ``workers``, numbered from 0."""

    workers: int

    @property
    def version(self) -> int:
        """Server steps closed so far; the newest point is the one of this version."""

    def broadcast(self, *, quota: int | None = None, upload: bool = False, work: float = 1) -> None:
        """Order every worker to compute at the newest point.

        A worker computes ``quota`` gradients (without one: until the next order).  They stay
        with it as a local sum, and the server learns only that one more is done; with
        ``upload`` each is sent to the server and arrives when its transfer ends.  Each takes
        ``work`` times as long as a plain one.  An order replaces the one before it.  Workers
        that are not there do not hear it.
        """

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
        """The same order, to one worker.

        A computation that would take longer than ``limit`` seconds is broken off then: it has
        ``Expired``, and is one of the quota.  With ``recall`` the worker drops at once what
        it is computing, also where the cluster's policy is that it finishes.
        """

    def present(self) -> Sequence[int]:
        """The workers that are there."""

    def arrival(self, needs: Needs = nobody) -> Request:
        """Request the next ``Event`` that the server learns of; ``yield`` it.

        ``needs`` gets the workers that will never deliver again, and returns those without
        which this step cannot close.  If there is one, the run ends with that explanation
        instead of going on for ever.
        """

    def drop(self, ticket: Ticket) -> None:
        """Throw away the gradient that has just arrived."""

    def all_reduce(self, tickets: Sequence[Ticket]) -> Request:
        """Request the collective that averages local gradients; ``yield`` it.

        It ends the order: nobody starts another gradient at the old point, and what happens
        to work in flight is the cluster's policy.  Once begun it reaches its end, and the server
        broadcasts next; so no event tells of a worker that is lost or joins meanwhile.  Without
        tickets it takes no time.
        """

    def step(
        self, tickets: list[Ticket], weights: list[float], keep: Collection[Ticket] = ()
    ) -> None:
        """Close a server step with the weighted sum of these gradients: version + 1.

        Without any, their sum is zero.  ``keep`` names the gradients, of this step or of one
        before, that a later step may use again.  The lists are the cluster's from now on: a
        batch may hold a million.
        """


Result = TypeVar("Result")
Chapter: TypeAlias = Generator[Request, Event | None, Result]
"""A part of a story, with a result.  An arrival is answered by an event, all else by ``None``."""
Story: TypeAlias = Chapter[None]
Aggregation: TypeAlias = Callable[[Cluster], Story]


def batch_sizes(initial: int | None, batch: int) -> Iterator[int]:
    """The size of each step's batch: the first may differ, to start the momentum well.

    >>> sizes = batch_sizes(100, 20); next(sizes), next(sizes), next(sizes)
    (100, 20, 20)
    """
    return chain([initial or batch], repeat(batch))
