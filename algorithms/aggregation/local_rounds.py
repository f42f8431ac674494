"""Local rounds: everybody takes some steps of its own, and everybody waits for the last.

What a worker sends after its ``local_steps`` counts as one gradient of that much work; how it is
computed is the update rule's business.
"""

from algorithms.aggregation.synchronous import rounds
from algorithms.aggregation.vocabulary import Aggregation, Batch


def local_rounds(local_steps: Batch) -> Aggregation:
    """One contribution of ``local_steps`` steps from each worker, averaged."""
    return rounds(work=local_steps)
