"""Local SGD: all workers take local steps until there are M in all, then average their changes.

Fast workers take many steps and a straggler few or none, as in Rennala, and one all-reduce averages
their progress.  Workers that have not finished a step do not count.
"""

from algorithms.method import Mark, Method
from algorithms.methods.rennala import first_finished
from algorithms.tickets import Ticket
from algorithms.updates import local_sgd, local_sgd_nigt
from algorithms.vocabulary import Aggregation, Batch, Cluster, Story


def local_until(batch: Batch) -> Aggregation:
    """The mean change of the workers that took the first ``batch`` local steps."""

    def story(cluster: Cluster) -> Story:
        while True:
            cluster.broadcast()
            tickets = yield from first_finished(cluster, batch)
            yield cluster.all_reduce(tickets)
            yield cluster.step(tickets, weights(tickets))

    return story


def weights(tickets: list[Ticket]) -> list[float]:
    """A worker's last ticket holds the change of all its steps; the others weigh 0.

    >>> weights([Ticket(0, 5, 0), Ticket(1, 5, 0), Ticket(0, 5, 1)])
    [0.0, 0.5, 0.5]
    """
    last = {ticket.worker: ticket for ticket in tickets}
    return [1 / len(last) if last[ticket.worker] == ticket else 0.0 for ticket in tickets]


METHODS = {
    "local-sgd": Method(
        local_until,
        local_sgd,
        "M local steps in all, then the mean of the changes",
        mark=Mark("#F0E442", 4),
    ),
    "local-sgd-nigt": Method(
        local_until,
        local_sgd_nigt,
        "M local steps in all, then a normalised step",
        mark=Mark("#F0E442", 0),
    ),
}
