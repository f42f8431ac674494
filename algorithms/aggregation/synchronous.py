"""Synchronous aggregation: everybody computes one gradient, and everybody waits for the last.

A worker that is lost is waited for, too: it computes its gradient when it is back.
"""

from algorithms.aggregation.vocabulary import Aggregation, Cluster, Joined, Lost, Story
from algorithms.tickets import Ticket


def synchronous() -> Aggregation:
    """One gradient from each worker, averaged; a step lasts as long as the slowest worker."""
    return rounds(work=1)


def rounds(work: int) -> Aggregation:
    """A story of rounds: this much work for everybody, then the mean."""

    def story(cluster: Cluster) -> Story:
        everybody = range(cluster.workers)
        while True:
            cluster.broadcast(quota=1, work=work)
            tickets: list[Ticket] = []
            missing = set(everybody)
            while missing:
                match (yield cluster.arrival(needs=missing.intersection)):
                    case Ticket() as ticket:
                        tickets.append(ticket)
                        missing.remove(ticket.worker)
                    case Lost(worker):
                        tickets = [ticket for ticket in tickets if ticket.worker != worker]
                        missing.add(worker)
                    case Joined(worker):
                        cluster.send(worker, quota=1, work=work)
            yield cluster.all_reduce(tickets)
            cluster.step(tickets, [1 / len(tickets)] * len(tickets))

    return story
