"""Rennala aggregation (arXiv 2509.24305, section 4): the first M gradients, whoever they are from.

Fast workers contribute several, a straggler perhaps none, and nobody is waited for.  The mean is
unbiased when the workers share one objective and durations do not depend on the samples.  Where
a long episode takes long, the first to finish are the short ones; ``count = "earliest-started"``
takes the M that were started first instead, however long they take, and waits for them.
"""

from typing import Literal, TypeAlias

from algorithms.aggregation.vocabulary import (
    Aggregation,
    Batch,
    Chapter,
    Cluster,
    Joined,
    Lost,
    Story,
    batch_sizes,
)
from algorithms.tickets import Ticket

Count: TypeAlias = Literal["first-finished", "earliest-started"]


def rennala(
    batch: Batch, initial_batch: Batch | None = None, count: Count = "first-finished"
) -> Aggregation:
    """The mean of the first ``batch`` gradients at one point, from whoever finishes them."""
    collect = first_finished if count == "first-finished" else earliest_started

    def story(cluster: Cluster) -> Story:
        for size in batch_sizes(initial_batch, batch):
            cluster.broadcast()
            tickets = yield from collect(cluster, size)
            yield cluster.all_reduce(tickets)
            cluster.step(tickets, [1 / size] * size)

    return story


def first_finished(cluster: Cluster, size: int) -> Chapter:
    """Whatever arrives, until it is enough; who is lost is counted off."""
    tickets: list[Ticket] = []
    while len(tickets) < size:
        match (yield cluster.arrival()):
            case Ticket() as ticket:
                tickets.append(ticket)
            case Lost(worker):
                tickets = [ticket for ticket in tickets if ticket.worker != worker]
            case Joined(worker):
                cluster.send(worker)
    return tickets


def earliest_started(cluster: Cluster, size: int) -> Chapter:
    """The first ``size`` that were started: one by everybody who is there, in the order of their
    numbers, then whatever a worker begins when it delivers.  Which they are is known before their
    length is, so none is favoured; what was started later is dropped.
    """
    tickets: list[Ticket] = []
    chosen = dict.fromkeys(cluster.present()[:size], 0)  # worker: index
    while len(tickets) < size:
        match (yield cluster.arrival(needs=chosen.keys().__and__)):
            case Ticket(worker, _, index) as ticket:
                if chosen.get(worker) == index:
                    del chosen[worker]
                    tickets.append(ticket)
                else:
                    cluster.drop(ticket)
                if len(tickets) + len(chosen) < size:
                    chosen[worker] = index + 1
            case Lost(lost):
                tickets = [ticket for ticket in tickets if ticket.worker != lost]
                chosen.pop(lost, None)
            case Joined(worker):
                cluster.send(worker)
    return tickets
