"""How long does it take to collect gradients?  Fixed times h_i (Tyurin & Richtárik, NeurIPS 2023).

All workers start together, messages are free, and a worker starts again as soon as it finishes.
``seconds`` holds one h_i per worker; ``inf`` is a worker that never finishes.

The exact functions return the same float as a simulation: a worker's k-th gradient ends where its
h_i has been added to the clock k times, which is not always k h_i.  So their time grows with the
number of gradients in a round.
"""

from math import inf
from typing import Literal

import numpy as np

from algorithms.theory.finishes import (
    Finishes,
    Floats,
    Seconds,
    balanced,
    checked,
    first_time,
    in_all,
)

# Rounds


def rennala_time(seconds: Seconds, batch: int, begin: float = 0.0) -> float:
    """The time at which the batch is full: the least t with sum_i floor((t - begin)/h_i) >= M.

    >>> rennala_time([1.0, 2.0, float("inf")], batch=6)
    4.0
    """
    return first_time(checked(seconds), begin, in_all(batch))


def malenia_time(seconds: Seconds, batch: int, begin: float = 0.0) -> float:
    """The time at which the counts M_i are balanced: the least t with n² >= M sum_i 1/M_i.

    >>> malenia_time([1.0, 2.0], batch=6)   # at 6 s counts are 6 and 3: 4 >= 6 (1/6 + 1/3)
    6.0
    """
    return first_time(checked(seconds), begin, balanced(batch))


def synchronous_time(
    seconds: Seconds, upload: float | Seconds = 0.0, collective: Literal["max", "gather"] = "max"
) -> float:
    """The time at which every worker's gradient has arrived, with uploads of kappa_i = ``upload``.

    Uploads begin when all workers have computed (``max``) or each its own (``gather``).

    >>> synchronous_time([1.0, 3.0], [5.0, 1.0]), synchronous_time([1.0, 3.0], [5.0, 1.0], "gather")
    (8.0, 6.0)
    """
    h, kappa = checked(seconds), np.asarray(upload, np.float64)
    return float((h + kappa).max() if collective == "gather" else h.max() + kappa.max())


def greedy_arrivals(seconds: Seconds, until: float) -> int:
    """The gradients that arrive up to T, if workers never wait: sum_i floor(T/h_i).

    >>> greedy_arrivals([1.0, 2.0], until=4.0)
    6
    """
    h = checked(seconds)
    lengths = np.floor(until / h) + 1
    while (finishes := Finishes(h, 0.0, lengths, after=until)).last.min() <= until:
        lengths *= 2
    return int(finishes.before.sum())


# Bounds


def harmonic(seconds: Seconds) -> Floats:
    """A_1 .. A_n: the harmonic means of the m fastest, A_m = m / sum_{i<=m} 1/h_i.

    >>> harmonic([2.0, 1.0, float("inf")]).round(3).tolist()
    [1.0, 1.333, 2.0]
    """
    powers = np.cumsum(1 / np.sort(checked(seconds)))
    count = np.arange(1, len(powers) + 1)
    means: Floats = np.divide(count, powers, out=np.full(len(powers), inf), where=powers > 0)
    return means


def rennala_bound(
    seconds: Seconds, batch: int, in_flight: Literal["recall", "finish"] = "recall"
) -> float:
    """The upper bound min_m A_m (1 + M/m) of a round; twice that if obsolete work is finished.

    From floor(x) >= x - 1: by t the m fastest have done at least t m/A_m - m gradients.

    >>> rennala_bound([1.0, 2.0], batch=6)
    5.333333333333333
    """
    bound = float(_bounds(seconds, batch).min())
    return 2 * bound if in_flight == "finish" else bound


def rennala_best_m(seconds: Seconds, batch: int) -> int:
    """The m of the bound: the number of fastest workers that a batch should wait for.

    >>> rennala_best_m([1.0] * 9 + [100.0], batch=20)
    9
    """
    return int(np.argmin(_bounds(seconds, batch))) + 1


def _bounds(seconds: Seconds, batch: int) -> Floats:
    means = harmonic(seconds)
    bounds: Floats = means * (1 + batch / np.arange(1, len(means) + 1))
    return bounds


def malenia_bound(seconds: Seconds, batch: int) -> float:
    """The upper bound 2 max{max_i h_i, (M/n) mean_i h_i} of a round.

    >>> malenia_bound([1.0, 2.0], batch=6)
    9.0
    """
    h = checked(seconds)
    return float(2 * max(h.max(), batch / len(h) * h.mean()))
