"""Local rounds: everybody takes some steps of its own, and everybody waits for the last.

What a worker sends after its ``local_steps`` counts as one gradient of that much work; how it is
computed is the update rule's business.
"""

from algorithms.method import Mark, Method
from algorithms.methods.synchronous import rounds
from algorithms.updates import fedhapg_m, fedsvrpg_m
from algorithms.vocabulary import Aggregation, Batch


def local_rounds(local_steps: Batch) -> Aggregation:
    """One contribution of ``local_steps`` steps from each worker, averaged."""
    return rounds(work=local_steps)


METHODS = {
    "fedsvrpg-m": Method(
        local_rounds,
        fedsvrpg_m,
        "rounds of local steps, importance weights",
        mark=Mark("#999933", 0),
    ),
    "fedhapg-m": Method(
        local_rounds,
        fedhapg_m,
        "rounds of local steps, Hessian products",
        mark=Mark("#999933", 4),
    ),
}
