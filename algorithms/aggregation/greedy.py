"""Greedy aggregation (AFedPG, arXiv 2404.08003): act on each gradient as it arrives.

Nobody waits for anybody; the price is that a gradient was computed some steps ago, and that
every single one crosses the network.
"""

from collections.abc import Callable

from algorithms.aggregation.vocabulary import Aggregation, Cluster, Joined, Story
from algorithms.tickets import Ticket


def greedy() -> Aggregation:
    """A step with every arriving gradient alone; only its sender gets the new point."""
    return one_by_one(lambda workers, delay: 1.0)


def one_by_one(weight: Callable[[int, int], float]) -> Aggregation:
    """Greedy's story, where a gradient weighs what its delay makes of it."""

    def story(cluster: Cluster) -> Story:
        cluster.broadcast(quota=1, upload=True)
        while True:
            match (yield cluster.arrival()):
                case Ticket(worker, version) as ticket:
                    cluster.step([ticket], [weight(cluster.workers, cluster.version - version)])
                    cluster.send(worker, quota=1, upload=True)
                case Joined(worker):
                    cluster.send(worker, quota=1, upload=True)

    return story
