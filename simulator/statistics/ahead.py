"""Which method is ahead, and by how much?  Times to several levels of a metric, seed by seed.

Methods share their random numbers, so times are compared within a seed.  A run that never came to a
level counts with the time for which it was watched: that makes no ratio too large.  The interval
of a ratio is a bootstrap over the seeds, widened for few of them as Student's t is.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.results.columns import Columns, groups
from simulator.statistics.samples import median, spread

SHARES = (0.25, 0.5, 0.75, 1.0)  # levels are these parts of the way from the start to the goal
LATE = 0.8  # what a run comes to is its median metric after this part of its time
WIDE = 10.0  # a metric that falls by more has levels evenly apart in its logarithm
RESAMPLES = 10_000
Failed: TypeAlias = Collection[tuple[str, int]]  # runs that failed or stalled, by method and seed


class Arrival(NamedTuple):
    """When a run came to a level, or how long it was watched in vain: for ever if it failed."""

    seconds: float
    gradients: float
    reached: bool


class Standing(NamedTuple):
    """A method at a level: its time, and how many times the leader's it is."""

    level: float
    method: str
    leader: str
    seeds: int
    reached: int
    seconds: float
    low: float
    high: float
    gradients: float
    times: float  # of the leader's seconds: the geometric mean over the seeds
    times_low: float
    times_high: float
    at_least: bool
    """Whether some seed never came to the level, so that the method is further behind."""

    @property
    def verdict(self) -> str:
        if self.method == self.leader:
            return "leads"
        if not self.reached:
            return "never" if self.times_low > 1 else "not told apart"
        return "behind" if self.times_low > 1 else "not told apart"


# Levels


def levels_of(steps: Columns, metric: str, higher: bool, target: float | None) -> list[float]:
    """Parts of the way to the target, or, without one, to what half of the best method's seeds do.

    >>> steps = {"method": ["a"] * 3, "seed": [0] * 3, "time": [0, 1, 9], "gap": [8.0, 2.0, 0.008]}
    >>> columns = {name: np.array(values, object) for name, values in steps.items()}
    >>> levels_of(columns, "gap", False, None)
    [1.4, 0.25, 0.045, 0.008]
    """
    runs = groups(steps, ("method", "seed"))
    values, times = (steps[name].astype(np.float64) for name in (metric, "time"))
    start = median([float(values[rows[0]]) for rows in runs.values()])
    goal = target if target is not None else _goal(runs, values, times, higher)
    if not higher and start > WIDE * goal > 0:
        found = [start * (goal / start) ** share for share in SHARES]
    else:
        found = [start + share * (goal - start) for share in SHARES]
    digits = [float(f"{level:.2g}") for level in found[:-1]]
    last = goal if target is not None else float(f"{found[-1]:.2g}")
    return list(dict.fromkeys([*digits, last]))


def _goal(
    runs: Mapping[tuple[str, int], Integers], values: Floats, times: Floats, higher: bool
) -> float:
    """The best of the methods' medians, late in their runs."""
    found: dict[str, list[float]] = {}
    for (method, _), rows in runs.items():
        late = rows[times[rows] >= LATE * times[rows[-1]]]
        known = values[late][np.isfinite(values[late])]
        found.setdefault(method, []).append(float(np.median(known)) if len(known) else math.nan)
    medians = [middle for each in found.values() if np.isfinite(middle := float(np.median(each)))]
    return (max if higher else min)(medians, default=math.nan)


# Times


def arrivals(
    steps: Columns, metric: str, higher: bool, level: float, failed: Failed = frozenset()
) -> dict[str, dict[int, Arrival]]:
    """Every run's first evaluation at the level, by method and seed."""
    values = steps[metric].astype(np.float64)
    met = values >= level if higher else values <= level
    found: dict[str, dict[int, Arrival]] = {}
    for (method, seed), rows in groups(steps, ("method", "seed")).items():
        there = rows[met[rows]]
        at = there[0] if len(there) else rows[-1]
        seconds, gradients = float(steps["time"][at]), float(steps["gradients"][at])
        if not len(there) and (method, seed) in failed:
            seconds = math.inf
        found.setdefault(method, {})[seed] = Arrival(seconds, gradients, len(there) > 0)
    return found


def standings(
    steps: Columns,
    metric: str,
    higher: bool,
    levels: Sequence[float],
    confidence: float,
    failed: Failed = frozenset(),
) -> list[Standing]:
    """Every method at every level, the first to come there first."""
    return [
        standing
        for level in levels
        for standing in _at(level, arrivals(steps, metric, higher, level, failed), confidence)
    ]


def _at(level: float, found: dict[str, dict[int, Arrival]], confidence: float) -> list[Standing]:
    seconds = {method: _seconds(runs) for method, runs in found.items()}

    def order(method: str) -> tuple[float, float]:
        return median(seconds[method]), median([run.seconds for run in found[method].values()])

    ahead = sorted(found, key=order)
    leader = found[ahead[0]]
    standing = []
    for method in ahead:
        runs = found[method]
        middle, low, high = ratio(runs, leader, confidence)
        gradients = [run.gradients if run.reached else math.nan for run in runs.values()]
        standing.append(
            Standing(
                level,
                method,
                ahead[0],
                len(runs),
                sum(run.reached for run in runs.values()),
                median(seconds[method]),
                *spread(seconds[method]),
                median(gradients),
                middle,
                low,
                high,
                not all(run.reached for run in runs.values()),
            )
        )
    return standing


def _seconds(runs: Mapping[int, Arrival]) -> list[float]:
    return [run.seconds if run.reached else math.nan for run in runs.values()]


# Ratios


def ratio(
    runs: Mapping[int, Arrival], leader: Mapping[int, Arrival], confidence: float
) -> tuple[float, float, float]:
    """How many times the leader's seconds: the geometric mean over common seeds, and its interval.

    Seeds on which neither came to the level say nothing.
    """
    logs = [
        _log(runs[seed], leader[seed])
        for seed in runs
        if seed in leader and (runs[seed].reached or leader[seed].reached)
    ]
    if not logs:
        return math.nan, math.nan, math.nan
    low, high = interval(np.array(logs), confidence)
    return math.exp(sum(logs) / len(logs)), math.exp(low), math.exp(high)


def _log(run: Arrival, leader: Arrival) -> float:
    """Of a ratio; where both were there from the start, they are equal."""
    tiny = np.finfo(np.float64).tiny
    return math.log(max(run.seconds, tiny) / max(leader.seconds, tiny))


def interval(values: Floats, confidence: float, seed: int = 0) -> tuple[float, float]:
    """The bootstrap interval of a mean, with the wider percentiles that few values need.

    A plain percentile interval of n values is too short by sqrt((n - 1) / n) and by the tails of
    Student's t.  The percentiles here are those at which a normal distribution makes up for both.
    One value has no interval: it could be anything.

    >>> low, high = interval(np.array([1.0, 2.0, 3.0]), 0.9)
    >>> (low, high)
    (1.0, 3.0)
    """
    from scipy.stats import norm, t

    count = len(values)
    if count < 2:
        return -math.inf, math.inf
    wide = math.sqrt(count / (count - 1)) * t.ppf((1 + confidence) / 2, count - 1)
    tail = float(norm.cdf(-wide))
    with np.errstate(invalid="ignore"):
        drawn = np.random.default_rng(seed).choice(values, (RESAMPLES, count)).mean(axis=1)
    low, high = np.quantile(drawn, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)
