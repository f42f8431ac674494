"""Greedy aggregation (AFedPG, arXiv 2404.08003): act on each gradient as it arrives.

Nobody waits for anybody; the price is that a gradient was computed some steps ago, and that
every single one crosses the network.
"""

from algorithms.aggregation.vocabulary import Aggregation, Cluster, Joined, Story
from algorithms.tickets import Ticket


def greedy() -> Aggregation:
    """A step with every arriving gradient alone; only its sender gets the new point."""

    def story(cluster: Cluster) -> Story:
        cluster.broadcast(quota=1, upload=True)
        while True:
            match (yield cluster.arrival()):
                case Ticket() as ticket:
                    cluster.step([ticket], [1.0])
                    cluster.send(ticket.worker, quota=1, upload=True)
                case Joined(worker):
                    cluster.send(worker, quota=1, upload=True)

    return story
