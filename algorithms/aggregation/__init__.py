"""When does the server step, with whose gradients, at what weight?  One small file per idea."""

from algorithms.aggregation.greedy import greedy
from algorithms.aggregation.malenia import malenia
from algorithms.aggregation.rennala import rennala
from algorithms.aggregation.synchronous import synchronous

SENDS_EACH = frozenset({greedy})
"""Those whose workers send every gradient to the server; the others all-reduce local sums."""

__all__ = ["SENDS_EACH", "greedy", "malenia", "rennala", "synchronous"]
