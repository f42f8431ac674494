"""Rescaled asynchronous SGD (arXiv 2605.13434): a gradient weighs as much as its worker is slow.

Greedy aggregation follows the workers that deliver often.  With a weight in proportion to its
worker's time per gradient, every worker pulls alike, so that the server follows the mean of
*different* objectives.  The server knows these times by how often each worker has delivered.
"""

from collections import Counter

from algorithms.method import Mark, Method
from algorithms.tickets import Ticket
from algorithms.updates import nigt, sgd
from algorithms.vocabulary import Aggregation, Cluster, Joined, Story


def rescaled() -> Aggregation:
    """A step with every arrival, of weight (a worker's mean arrivals) / (its worker's)."""

    def story(cluster: Cluster) -> Story:
        delivered: Counter[int] = Counter()
        cluster.broadcast(quota=1, upload=True)
        while True:
            match (yield cluster.arrival()):
                case Ticket(worker) as ticket:
                    delivered[worker] += 1
                    fair = delivered.total() / len(delivered)
                    cluster.step([ticket], [fair / delivered[worker]])
                    cluster.send(worker, quota=1, upload=True)
                case Joined(worker):
                    cluster.send(worker, quota=1, upload=True)

    return story


METHODS = {
    "rescaled-pg": Method(
        rescaled,
        sgd,
        "each gradient on arrival, weighted by its worker's time",
        mark=Mark("#332288", 4),
    ),
    "rescaled-nigt": Method(
        rescaled,
        nigt,
        "the same with a normalised momentum step",
        mark=Mark("#332288", 0),
    ),
}
