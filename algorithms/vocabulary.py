"""The words between a server and its cluster.

An aggregation tells the server's story in these words only.  It is a generator: it ``yield``s
requests (for an arrival, or for the end of a collective) and gets the answers.  The words mean the
same to the engine, to the reference and to the script of a unit test, so a story imports none of
them.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from itertools import chain, repeat
from typing import Annotated, NamedTuple, Protocol, TypeAlias, TypeVar

from annotated_types import Ge, Gt, Le

from algorithms.tickets import Ticket

Batch: TypeAlias = Annotated[int, Ge(1), Le(2**31 - 1)]
Delay: TypeAlias = Annotated[int, Ge(0), Le(2**31 - 1)]
"""A number of steps between the point of a gradient and its use."""
Bound: TypeAlias = Annotated[float, Gt(0)]
"""The most that an old sample counts at the newest point, where a new one counts 1."""


class Lost(NamedTuple):
    """A worker failed; its computation and every gradient it still held are lost."""

    worker: int


class Joined(NamedTuple):
    """A worker is present, new or repaired; it has no order."""

    worker: int


class Expired(NamedTuple):
    """A worker broke a computation off at its order's limit; there is no gradient."""

    worker: int


class Trained(NamedTuple):
    """The training that the story started has ended; this is the newest version."""

    version: int


Event: TypeAlias = Ticket | Lost | Joined | Expired | Trained
"""A message to the server; a ticket is an arrived gradient."""


class Request:
    """Something that a story waits for.  A cluster makes its own; a story only yields them."""


Needs: TypeAlias = Callable[[Collection[int]], Collection[int]]


def no_worker(unreachable: Collection[int]) -> Collection[int]:
    """The needs of a step that waits for no worker in particular."""
    return ()


class Cluster(Protocol):
    """The server's side of a cluster of ``workers``, numbered from 0."""

    workers: int

    @property
    def version(self) -> int:
        """The number of closed server steps, and the name of the newest point."""

    def broadcast(self, *, quota: int | None = None, upload: bool = False, work: float = 1) -> None:
        """Order every worker to compute at the newest point.

        A worker computes ``quota`` gradients, by default until the next order.  They stay with the
        worker, and the server learns only their number; with ``upload`` each is sent to the server
        and arrives when its transfer ends.  Each takes ``work`` times as long as a plain one.  An
        order replaces the one before it.  Absent workers do not get it.
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

        After ``limit`` seconds a computation is broken off: it has ``Expired``, and counts in the
        quota.  With ``recall`` the worker stops its present computation at once, even if the
        cluster's policy is to finish it.
        """

    def refresh(self, worker: int) -> None:
        """Send the newest point to a worker that computes: it goes on from there.

        Its gradient is then that of a mixture of points.  A worker without a computation under way
        does not get it.
        """

    def present(self) -> Sequence[int]:
        """The present workers."""

    def arrival(self, needs: Needs = no_worker) -> Request:
        """Request the next ``Event``; ``yield`` it.

        ``needs`` gets the workers that will never deliver again, and returns those of them without
        which this step cannot close.  If there are any, the run ends with a message.
        """

    def drop(self, ticket: Ticket) -> None:
        """Throw away an arrived gradient."""

    def all_reduce(self, tickets: Sequence[Ticket]) -> Request:
        """Request the collective that averages local gradients; ``yield`` it.

        It ends all orders; the cluster's policy decides on work in flight.  An all-reduce always
        reaches its end, and the server broadcasts next, so no event tells of a worker that is lost
        or joins meanwhile.  Without tickets it takes no time.
        """

    def step(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> Request:
        """Request a server step with the weighted sum of these gradients; ``yield`` it.

        It closes when the server has computed it: version + 1.  Events of that time come
        afterwards, but for ``Lost`` and ``Joined`` of workers that got an order since.  Without
        gradients the sum is zero.  ``keep`` names the gradients, of this step or the one before,
        that a later step may use again.  With ``importance`` the gradients are taken at the newest
        point: each sample is weighted by how much likelier it is there, at most by this.  The
        cluster owns the lists from now on: a batch may hold a million.
        """

    def train(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> None:
        """Start the same step, and go on; when it has closed, the event ``Trained`` comes.

        The server computes one step at a time, so a story waits for that event before the next.  A
        step that takes no time closes at once.
        """


Result = TypeVar("Result")
Chapter: TypeAlias = Generator[Request, Event | None, Result]
"""A part of a story, with a result.  The answer to an arrival is an event, else ``None``."""
Story: TypeAlias = Chapter[None]
Aggregation: TypeAlias = Callable[[Cluster], Story]


def batch_sizes(initial: int | None, batch: int) -> Iterator[int]:
    """The size of each step's batch: the first may differ, to start the momentum well.

    >>> sizes = batch_sizes(100, 20); next(sizes), next(sizes), next(sizes)
    (100, 20, 20)
    """
    return chain([initial or batch], repeat(batch))
