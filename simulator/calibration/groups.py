"""Which workers are alike?  All of them, two groups, or none."""

from typing import Literal, TypeAlias

import numpy as np

from simulator.cluster.law import Floats, Integers

Grouping: TypeAlias = Literal["all", "two", "each"]
LEAST = 2
"""Rows of each worker that an estimate of its own needs."""


def group_of(grouping: Grouping, values: Floats, worker: Integers, workers: int) -> Integers:
    """The group of every worker: 0, or 0 for fast and 1 for slow, or its own number."""
    if grouping == "all":
        return np.zeros(workers, np.int64)
    return np.arange(workers) if grouping == "each" else _two(values, worker, workers)


def _two(values: Floats, worker: Integers, workers: int) -> Integers:
    """The split into fast and slow workers with the least squares around both means."""
    count = np.bincount(worker, minlength=workers).astype(np.float64)
    mean = np.bincount(worker, values, workers) / np.maximum(count, 1)
    order = np.argsort(mean, kind="stable")
    number, total = np.cumsum(count[order])[:-1], np.cumsum((count * mean)[order])
    fast, slow = total[:-1] / number, (total[-1] - total[:-1]) / (count.sum() - number)
    gain = number * (count.sum() - number) * (slow - fast) ** 2
    group = np.zeros(workers, np.int64)
    group[order[int(np.argmax(gain)) + 1 :]] = 1
    return group


def groupings(worker: Integers, workers: int) -> list[Grouping]:
    """Those that such a sample can tell apart, the simplest first."""
    found: list[Grouping] = ["all"]
    if workers > 2:
        found.append("two")
    if workers > 1 and np.bincount(worker, minlength=workers).min() >= LEAST:
        found.append("each")
    return found
