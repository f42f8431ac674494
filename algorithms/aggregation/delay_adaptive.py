"""Delay-adaptive aggregation: act on each gradient as it arrives, on an old one with care.

As many steps pass between two gradients of one of n equal workers as there are workers.  A delay
up to n is therefore nobody's fault; beyond it the step shrinks in proportion.
"""

from algorithms.aggregation.vocabulary import Aggregation, Cluster, Joined, Story
from algorithms.tickets import Ticket


def delay_adaptive() -> Aggregation:
    """A step with every arriving gradient alone, of weight n / max(n, delay)."""

    def story(cluster: Cluster) -> Story:
        cluster.broadcast(quota=1, upload=True)
        while True:
            match (yield cluster.arrival()):
                case Ticket(worker, version) as ticket:
                    delay = cluster.version - version
                    cluster.step([ticket], [cluster.workers / max(cluster.workers, delay)])
                    cluster.send(worker, quota=1, upload=True)
                case Joined(worker):
                    cluster.send(worker, quota=1, upload=True)

    return story
