"""MindFlayer aggregation: each worker makes some attempts, each with a time limit.

A worker with heavy-tailed durations breaks a computation off and tries again, so rounds last a
bounded time.  ``probability`` is the chance that an attempt ends in time; the sum of the successes
over their expected number is unbiased.  A round without a success is a step without a gradient.
A lost worker forfeits the round.
"""

from collections.abc import Sequence
from typing import Annotated, TypeAlias, TypeVar

from annotated_types import Gt, Le

from algorithms.method import Mark, Method
from algorithms.tickets import Ticket
from algorithms.updates import nigt, sgd
from algorithms.vocabulary import Aggregation, Batch, Chapter, Cluster, Expired, Lost, Story

Limit: TypeAlias = Annotated[float, Gt(0)]
Probability: TypeAlias = Annotated[float, Gt(0), Le(1)]
Number = TypeVar("Number", bound=float)


def mindflayer(
    attempts: Batch | list[Batch],
    limit: Limit | list[Limit],
    probability: Probability | list[Probability],
) -> Aggregation:
    """The successes of ``attempts`` of ``limit`` seconds each, over their expected number."""

    def story(cluster: Cluster) -> Story:
        quotas = of_each("attempts", attempts, cluster.workers)
        limits = of_each("limit", limit, cluster.workers)
        chances = of_each("probability", probability, cluster.workers)
        weight = 1 / sum(chance * quota for chance, quota in zip(chances, quotas, strict=True))
        while True:
            while not (present := cluster.present()):
                yield cluster.arrival()
            for worker in present:
                cluster.send(worker, quota=quotas[worker], limit=limits[worker])
            tickets = yield from successes(cluster, {worker: quotas[worker] for worker in present})
            yield cluster.all_reduce(tickets)
            yield cluster.step(tickets, [weight] * len(tickets))

    return story


def of_each(name: str, numbers: Number | list[Number], workers: int) -> Sequence[Number]:
    """A number per worker, from one for all or one for each."""
    if not isinstance(numbers, list):
        return [numbers] * workers
    if len(numbers) != workers:
        raise ValueError(
            f"{name}: {len(numbers)} numbers for {workers} workers: give one, or one for each"
        )
    return numbers


def successes(cluster: Cluster, left: dict[int, int]) -> Chapter[list[Ticket]]:
    """The gradients that end in time, once no worker has an attempt ``left``."""
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
        "gradients that end within a time limit, plain ascent",
        mark=Mark("#332288", 7),
    ),
    "mindflayer-nigt": Method(
        mindflayer,
        nigt,
        "gradients that end within a time limit, normalised step",
        mark=Mark("#332288", 3),
    ),
}
