"""MindFlayer aggregation: everybody makes some attempts, and none takes longer than its limit.

A worker whose durations have a heavy tail is not waited for: it breaks a computation off and tries
again, and rounds last a bounded time.  ``probability`` is the chance of one attempt to be done in
time; with it the sum of the successes, divided by how many are expected, is unbiased.  A round
without any success is a step without any gradient.  Who is lost forfeits the round.
"""

from collections.abc import Sequence
from typing import Annotated, TypeAlias, TypeVar

from annotated_types import Gt, Le

from algorithms.method import Mark, Method
from algorithms.tickets import Ticket
from algorithms.updates import nigt, sgd
from algorithms.vocabulary import (
    Aggregation,
    Batch,
    Chapter,
    Cluster,
    Expired,
    Lost,
    Story,
)

Limit: TypeAlias = Annotated[float, Gt(0)]
Probability: TypeAlias = Annotated[float, Gt(0), Le(1)]
Number = TypeVar("Number", bound=float)


def mindflayer(
    attempts: Batch | list[Batch],
    limit: Limit | list[Limit],
    probability: Probability | list[Probability],
) -> Aggregation:
    """The sum of what succeeds in ``attempts`` of ``limit`` seconds each, over its expectation."""

    def story(cluster: Cluster) -> Story:
        many = of_each("attempts", attempts, cluster.workers)
        limits = of_each("limit", limit, cluster.workers)
        chances = of_each("probability", probability, cluster.workers)
        weight = 1 / sum(chance * times for chance, times in zip(chances, many, strict=True))
        while True:
            while not (there := cluster.present()):
                yield cluster.arrival()
            for worker in there:
                cluster.send(worker, quota=many[worker], limit=limits[worker])
            tickets = yield from successes(cluster, {worker: many[worker] for worker in there})
            yield cluster.all_reduce(tickets)
            cluster.step(tickets, [weight] * len(tickets))

    return story


def of_each(name: str, numbers: Number | list[Number], workers: int) -> Sequence[Number]:
    """One number for every worker, where one is given for all or for each."""
    if not isinstance(numbers, list):
        return [numbers] * workers
    if len(numbers) != workers:
        raise ValueError(
            f"{name}: {len(numbers)} numbers for {workers} workers: give one, or one for each"
        )
    return numbers


def successes(cluster: Cluster, left: dict[int, int]) -> Chapter[list[Ticket]]:
    """What is done in time, once nobody has an attempt ``left``."""
    tickets: list[Ticket] = []
    while left:
        match (yield cluster.arrival(needs=left.keys().__and__)):
            case Ticket(worker) as ticket:
                tickets.append(ticket)
                count_off(left, worker)
            case Expired(worker):
                count_off(left, worker)
            case Lost(worker):
                tickets = [ticket for ticket in tickets if ticket.worker != worker]
                left.pop(worker, None)
    return tickets


def count_off(left: dict[int, int], worker: int) -> None:
    left[worker] -= 1
    if not left[worker]:
        del left[worker]


METHODS = {
    "mindflayer-pg": Method(
        mindflayer,
        sgd,
        "what is done within a time limit, plain ascent",
        mark=Mark("#332288", 7),
    ),
    "mindflayer-nigt": Method(
        mindflayer,
        nigt,
        "what is done within a time limit, normalised",
        mark=Mark("#332288", 3),
    ),
}
