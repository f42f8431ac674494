"""Ringmaster aggregation (arXiv 2501.16168): act on each gradient as it arrives, unless it is old.

A gradient counts only if fewer than ``threshold`` steps were taken since its worker was sent the
point; an older one is dropped.  With ``stops`` nobody goes on computing what would be dropped: a
computation that has become that old is recalled, and its worker sent the newest point.
Threshold 1 with stops is a race for every step; a threshold out of reach is greedy aggregation.
"""

from collections import OrderedDict

from algorithms.aggregation.vocabulary import Aggregation, Batch, Cluster, Joined, Lost, Story
from algorithms.tickets import Ticket


def ringmaster(threshold: Batch, stops: bool = False) -> Aggregation:
    """A step with every arriving gradient alone whose delay is below ``threshold``."""

    def story(cluster: Cluster) -> Story:
        cluster.broadcast(quota=1, upload=True)
        points = OrderedDict.fromkeys(cluster.present(), 0)  # worker: version, the oldest first

        def send(worker: int, recall: bool = False) -> None:
            cluster.send(worker, quota=1, upload=True, recall=recall)
            points[worker] = cluster.version
            points.move_to_end(worker)

        while True:
            match (yield cluster.arrival()):
                case Ticket(worker, version) as ticket:
                    if cluster.version - version < threshold:
                        cluster.step([ticket], [1.0])
                    else:
                        cluster.drop(ticket)
                    if points[worker] == version:  # else it was stopped while this was sent
                        send(worker)
                    while stops and cluster.version - oldest(points)[1] >= threshold:
                        send(oldest(points)[0], recall=True)
                case Lost(worker):
                    del points[worker]
                case Joined(worker):
                    send(worker)

    return story


def oldest(points: OrderedDict[int, int]) -> tuple[int, int]:
    """Who is at the oldest point, and its version."""
    return next(iter(points.items()))
