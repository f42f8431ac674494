"""How much of a comparison fits into one figure?  Some seconds, and some of the workers."""

from typing import TYPE_CHECKING

import numpy as np

from simulator.cluster import Cluster
from simulator.results.results import Results

if TYPE_CHECKING:
    import pandas as pd

ROUNDS = 4
"""How many steps of a method to show."""

GRADIENTS, MOST_GRADIENTS = 16, 160
"""How many gradients per worker to show at best, and at all."""

ALL_ROWS, SOME_ROWS = 40, 20
"""Up to how many workers are all shown, and how many of more are."""


def opening_seconds(results: Results) -> float:
    """How much of a comparison to draw, judged by the server steps of its first seed.

    The first few steps of as many methods as can be, while the gradients of a worker can still
    be told apart: a synchronous step at 100 s is not waited for where others do hundreds till then.
    """
    steps, runs = results.steps, results.runs
    workers = results.scenario.cluster.workers
    first = steps[steps["seed"] == steps["seed"].iloc[0]]
    moving = [run for _, run in first.groupby("method") if run["time"].iloc[-1] > 0]
    ends = {float(time) for run in moving for time in run["time"].iloc[1 : ROUNDS + 1]}
    if not ends:
        return float(runs["simulated_seconds"].max()) or 1.0
    readable = [time for time in ends if _gradients(moving, time) <= GRADIENTS * workers]
    seconds = max(readable, default=min(ends))
    return seconds * min(1.0, MOST_GRADIENTS * workers / max(1, _gradients(moving, seconds)))


def _gradients(runs: "list[pd.DataFrame]", seconds: float) -> float:
    """How many the busiest method has used by then; a run that is over counts as going on."""
    return max(
        float(np.interp(seconds, run["time"], run["gradients"]))
        * max(1.0, seconds / float(run["time"].iloc[-1]))
        for run in runs
    )


def some_workers(cluster: Cluster) -> list[int]:
    """All workers, or, if they are too many for a figure, some from the fastest to the slowest.

    >>> from simulator.cluster import Cluster, Power
    >>> some_workers(Cluster(1000, Power(exponent=-1.0)))[:3]
    [0, 53, 105]
    """
    n = cluster.workers
    if n <= ALL_ROWS:
        return list(range(n))
    by_speed = np.argsort(cluster.computations(seed=0).nominal, kind="stable")
    return sorted(by_speed[np.linspace(0, n - 1, SOME_ROWS).round().astype(np.int64)].tolist())
