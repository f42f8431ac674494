"""How long do rounds take if speeds change?  The universal model (Tyurin, arXiv 2408.04929).

Worker i has power v_i(t) >= 0, in gradients per second: 1/h_i for fixed times, 0 in an outage.  It
completes floor(integral of v_i) gradients in [t0, t1]; ``work(worker, t0, t1)`` is that integral.
The times returned are the first floats at which the counts, as ``work`` rounds them, are enough.
"""

from collections.abc import Callable
from math import floor, inf
from typing import TypeAlias

import numpy as np

from algorithms.theory.finishes import Enough, balanced, in_all

Work: TypeAlias = Callable[[int, float, float], float]


def fixed_power(seconds: list[float]) -> Work:
    """The power of fixed times: 1/h_i.

    >>> fixed_power([1.0, 2.0])(1, 3.0, 7.0)
    2.0
    """
    return lambda worker, t0, t1: (t1 - t0) / seconds[worker]


def universal_rennala(work: Work, workers: int, batch: int, begin: float = 0.0) -> float:
    """The time at which a round from ``begin`` has M gradients: min{t : sum_i floor(work_i) >= M}.

    >>> universal_rennala(fixed_power([1.0, 2.0]), workers=2, batch=6, begin=10.0)
    14.0
    """
    return _first(work, workers, in_all(batch), begin)


def universal_malenia(work: Work, workers: int, batch: int, begin: float = 0.0) -> float:
    """The time at which a round from ``begin`` has balanced counts."""
    return _first(work, workers, balanced(batch), begin)


def universal_synchronous(work: Work, workers: int, begin: float = 0.0) -> float:
    """The time at which a round from ``begin`` has a gradient of every worker."""
    return _first(work, workers, lambda counts: bool(counts.min() >= 1), begin)


def universal_arrivals(work: Work, workers: int, until: float) -> int:
    """The gradients that arrive up to ``until``, if workers never wait."""
    return sum(floor(work(worker, 0.0, until)) for worker in range(workers))


def round_ends(end_of: Callable[[float], float], rounds: int, begin: float = 0.0) -> list[float]:
    """T_1, T_2, ...: the ends of rounds that follow each other, T_{k+1} = end_of(T_k).

    >>> work = fixed_power([1.0, 2.0])
    >>> round_ends(lambda t: universal_rennala(work, 2, 6, begin=t), rounds=3)
    [4.0, 8.0, 12.0]
    """
    ends = [begin]
    while len(ends) <= rounds and ends[-1] < inf:
        ends.append(end_of(ends[-1]))
    return ends[1:]


def _first(work: Work, workers: int, enough: Enough, begin: float) -> float:

    def over(time: float) -> bool:
        done = [floor(work(worker, begin, time)) for worker in range(workers)]
        return enough(np.array(done, np.float64))

    span = 1.0
    while not over(begin + span):
        span *= 2
        if begin + span == inf:
            return inf
    low, high = begin, begin + span
    while low < (middle := low + (high - low) / 2) < high:
        low, high = (low, middle) if over(middle) else (middle, high)
    return high
