"""Delay-adaptive aggregation: act on each gradient as it arrives, on an old one with care.

As many steps pass between two gradients of one of n equal workers as there are workers.  A delay
up to n is therefore nobody's fault; beyond it the step shrinks in proportion.
"""

from algorithms.aggregation.greedy import one_by_one
from algorithms.aggregation.vocabulary import Aggregation


def delay_adaptive() -> Aggregation:
    """A step with every arriving gradient alone, of weight n / max(n, delay)."""
    return one_by_one(lambda workers, delay: workers / max(workers, delay))
