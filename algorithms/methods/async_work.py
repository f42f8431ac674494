"""Asynchronous work: a worker uploads the result of several gradients or local steps at once.

The server steps with every arrival, as in greedy aggregation, but a worker uploads once per piece
of work.  ``async_local`` sends the change of several local steps; FedBuff, unlike it, collects
changes and weighs them by age.  ``async_batch`` sends the mean of several gradients at one point,
with less noise than one.
"""

from algorithms.method import Mark, Method
from algorithms.methods.greedy import one_by_one
from algorithms.updates import batched_nigt, batched_sgd, fedbuff, local_nigt
from algorithms.vocabulary import Aggregation, Batch


def async_local(local_steps: Batch) -> Aggregation:
    """A step with every arriving change of ``local_steps`` steps; its sender gets the new point."""
    return one_by_one(work=local_steps)


def async_batch(worker_batch: Batch) -> Aggregation:
    """A step with every arriving mean of ``worker_batch`` gradients at one point."""
    return one_by_one(work=worker_batch)


METHODS = {
    "async-local-pg": Method(
        async_local, fedbuff, "each worker's local steps on arrival, added", mark=Mark("#E69F00", 4)
    ),
    "async-local-nigt": Method(
        async_local,
        local_nigt,
        "each worker's local steps on arrival, normalised",
        mark=Mark("#E69F00", 0),
    ),
    "async-batch-pg": Method(
        async_batch,
        batched_sgd,
        "each worker's batch on arrival, plain ascent",
        mark=Mark("#D55E00", 4),
    ),
    "async-batch-nigt": Method(
        async_batch,
        batched_nigt,
        "each worker's batch on arrival, normalised step",
        mark=Mark("#D55E00", 0),
    ),
}
