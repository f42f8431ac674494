"""When does the server step, with whose gradients, at what weight?  One small file per idea."""

from algorithms.aggregation.greedy import greedy
from algorithms.aggregation.malenia import malenia
from algorithms.aggregation.rennala import rennala
from algorithms.aggregation.synchronous import synchronous

__all__ = ["greedy", "malenia", "rennala", "synchronous"]
