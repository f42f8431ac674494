"""Asynchronous local steps: a worker takes several steps of its own, and sends how far it came.

The server adds every change as it arrives, whatever its age.  FedBuff collects several changes and
lets their weights fall with the delay; here each counts by itself, with weight 1.
"""

from algorithms.method import Mark, Method
from algorithms.methods.greedy import one_by_one
from algorithms.updates import fedbuff, local_nigt
from algorithms.vocabulary import Aggregation, Batch


def async_local(local_steps: Batch) -> Aggregation:
    """A step with every arriving change of ``local_steps`` steps; its sender gets the new point."""
    return one_by_one(work=local_steps)


METHODS = {
    "async-local-pg": Method(
        async_local,
        fedbuff,
        "each worker's local steps on arrival, added",
        mark=Mark("#E69F00", 4),
    ),
    "async-local-nigt": Method(
        async_local,
        local_nigt,
        "each worker's local steps on arrival, normalised",
        mark=Mark("#E69F00", 0),
    ),
}
