"""Rescaled asynchronous SGD (arXiv 2605.13434): gradients of slow workers weigh more.

Greedy aggregation follows the workers that deliver often.  With a weight in proportion to the
worker's time per gradient, all workers count the same, so the server follows the mean of
*different* objectives.  It estimates these times from the number of each worker's arrivals.
"""

from collections import Counter

from algorithms.method import Mark, Method
from algorithms.tickets import Ticket
from algorithms.updates import nigt, sgd
from algorithms.vocabulary import Aggregation, Cluster, Joined, Story


def rescaled() -> Aggregation:
    """A step with every arrival, weighted by mean arrivals over its worker's arrivals."""

    def story(cluster: Cluster) -> Story:
        delivered: Counter[int] = Counter()
        cluster.broadcast(quota=1, upload=True)
        while True:
            match (yield cluster.arrival()):
                case Ticket(worker) as ticket:
                    delivered[worker] += 1
                    fair = delivered.total() / len(delivered)
                    yield cluster.step([ticket], [fair / delivered[worker]])
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
