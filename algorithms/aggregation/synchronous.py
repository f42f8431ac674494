"""Synchronous aggregation: everybody computes one gradient, and everybody waits for the last."""

from algorithms.aggregation.vocabulary import Aggregation, Cluster, Story
from algorithms.tickets import Ticket


def synchronous() -> Aggregation:
    """One gradient from each worker, averaged; a step lasts as long as the slowest worker."""

    def story(cluster: Cluster) -> Story:
        everybody = range(cluster.workers)
        while True:
            cluster.broadcast(quota=1)
            tickets: list[Ticket] = []
            missing = set(everybody)
            while missing:
                ticket: Ticket = yield cluster.arrival(needs=missing)
                tickets.append(ticket)
                missing.remove(ticket.worker)
            yield cluster.all_reduce(tickets)
            cluster.step(tickets, [1 / len(tickets)] * len(tickets))

    return story
