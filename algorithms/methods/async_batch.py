"""Asynchronous batches: a worker sends the mean of several gradients at one point.

The server steps with every arrival, as in greedy aggregation.  A worker uploads once per batch, so
that dear uploads are paid more rarely, and the server steps with less noise.
"""

from algorithms.method import Mark, Method
from algorithms.methods.greedy import one_by_one
from algorithms.updates import batched_nigt, batched_sgd
from algorithms.vocabulary import Aggregation, Batch


def async_batch(worker_batch: Batch) -> Aggregation:
    """A step with every arriving mean of ``worker_batch`` gradients at one point."""
    return one_by_one(work=worker_batch)


METHODS = {
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
