"""When does the server step, with whose gradients, at what weight?  One small file per idea."""

from algorithms.aggregation.buffered import buffered
from algorithms.aggregation.delay_adaptive import delay_adaptive
from algorithms.aggregation.greedy import greedy
from algorithms.aggregation.local_rounds import local_rounds
from algorithms.aggregation.malenia import malenia
from algorithms.aggregation.mindflayer import mindflayer
from algorithms.aggregation.rennala import rennala
from algorithms.aggregation.ringleader import ringleader
from algorithms.aggregation.ringmaster import ringmaster
from algorithms.aggregation.synchronous import synchronous

SENDS_EACH = frozenset({buffered, delay_adaptive, greedy, ringleader, ringmaster})
"""Those whose workers send every gradient to the server; the others all-reduce local sums."""

__all__ = [
    "SENDS_EACH",
    "buffered",
    "delay_adaptive",
    "greedy",
    "local_rounds",
    "malenia",
    "mindflayer",
    "rennala",
    "ringleader",
    "ringmaster",
    "synchronous",
]
