"""Buffered aggregation (FedBuff): a step with every ``buffer`` arrivals, however old they are.

No worker waits, as in greedy aggregation, but the server steps more rarely and with less noise.
A contribution that is ``delay`` steps old weighs 1/sqrt(1 + delay) of a fresh one.
"""

from math import sqrt

from algorithms.method import Mark, Method
from algorithms.tickets import Ticket
from algorithms.updates import fedbuff
from algorithms.vocabulary import Aggregation, Batch, Cluster, Joined, Story


def buffered(buffer: Batch, local_steps: Batch = 1) -> Aggregation:
    """The mean of ``buffer`` arrivals, weighted by age, each of ``local_steps`` steps' work."""

    def weights(version: int, tickets: list[Ticket]) -> list[float]:
        return [1 / buffer / sqrt(1 + version - ticket.version) for ticket in tickets]

    def story(cluster: Cluster) -> Story:
        cluster.broadcast(quota=1, upload=True, work=local_steps)
        tickets: list[Ticket] = []
        while True:
            match (yield cluster.arrival()):
                case Ticket(worker) as ticket:
                    tickets.append(ticket)
                    if len(tickets) == buffer:
                        yield cluster.step(tickets, weights(cluster.version, tickets))
                        tickets = []
                    cluster.send(worker, quota=1, upload=True, work=local_steps)
                case Joined(worker):
                    cluster.send(worker, quota=1, upload=True, work=local_steps)

    return story


METHODS = {
    "fedbuff": Method(
        buffered,
        fedbuff,
        "several arrivals at a time, each of local steps",
        mark=Mark("#8C8C8C", 6),
    )
}
