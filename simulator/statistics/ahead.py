"""Which method leads, and by how much?  Times to several levels of a metric, seed by seed.

Methods share their random numbers, so times are compared within a seed.  A run that never reached a
level counts with its length, so that no ratio is too large.  The interval of a ratio is a bootstrap
over the seeds, widened for few of them as Student's t is.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.results.columns import Columns, groups
from simulator.statistics.samples import median, spread

SHARES = (0.25, 0.5, 0.75, 1.0)  # of the way from the start to the goal, for each level
LATE = 0.8  # the final metric of a run is its median after this part of its time
WIDE = 10.0  # a metric that falls by a larger factor has levels even in its logarithm
RESAMPLES = 10_000
Failed: TypeAlias = Collection[tuple[str, int]]  # runs that failed or stalled, by method and seed


class Arrival(NamedTuple):
    """The time at which a run reached a level, or else its length: infinite if it failed."""

    seconds: float
    gradients: float
    reached: bool


class Standing(NamedTuple):
    """A method at a level: its time, and the ratio to the leader's."""

    level: float
    method: str
    leader: str
    seeds: int
    reached: int
    seconds: float
    low: float
    high: float
    gradients: float
    times: float  # the leader's seconds: the geometric mean over the seeds
    times_low: float
    times_high: float
    at_least: bool  # some seed never reached the level, so the method is further behind

    @property
    def verdict(self) -> str:
        if self.method == self.leader and self.reached:
            return "leads"
        if not self.reached and not self.times_low <= 1:  # nan: no method reaches the level
            return "never"
        return "behind" if self.times_low > 1 else "not told apart"

    def as_row(self) -> dict[str, Any]:
        """Its fields and its verdict, by name."""
        return {**self._asdict(), "verdict": self.verdict}


# Levels


def levels_of(steps: Columns, metric: str, higher: bool, target: float | None) -> list[float]:
    """Levels on the way to the target, or else to the best method's final median, if it has one.

    >>> steps = {"method": ["a"] * 3, "seed": [0] * 3, "time": [0, 1, 9], "gap": [8.0, 2.0, 0.008]}
    >>> columns = {name: np.array(values, object) for name, values in steps.items()}
    >>> levels_of(columns, "gap", False, None)
    [1.4, 0.25, 0.045, 0.008]
    """
    runs = groups(steps, ("method", "seed"))
    values, times = (steps[name].astype(np.float64) for name in (metric, "time"))
    start = median([float(values[rows[0]]) for rows in runs.values()])
    goal = target if target is not None else _goal(runs, values, times, higher)
    if math.isnan(goal):
        return []
    if not higher and start > WIDE * goal > 0:
        levels = [start * (goal / start) ** share for share in SHARES]
    else:
        levels = [start + share * (goal - start) for share in SHARES]
    rounded = [float(f"{level:.2g}") for level in levels]
    if target is not None:
        rounded[-1] = goal
    return list(dict.fromkeys(rounded))


def _goal(
    runs: Mapping[tuple[str, int], Integers], values: Floats, times: Floats, higher: bool
) -> float:
    finals: dict[str, list[float]] = {}
    for (method, _), rows in runs.items():
        late = rows[times[rows] >= LATE * times[rows[-1]]]
        known = values[late][np.isfinite(values[late])]
        finals.setdefault(method, []).append(float(np.median(known)) if len(known) else math.nan)
    medians = [middle for each in finals.values() if np.isfinite(middle := float(np.median(each)))]
    return (max if higher else min)(medians, default=math.nan)


# Times


def arrivals(
    steps: Columns, metric: str, higher: bool, level: float, failed: Failed = frozenset()
) -> dict[str, dict[int, Arrival]]:
    """Every run's first evaluation at the level, by method and seed."""
    values = steps[metric].astype(np.float64)
    met = values >= level if higher else values <= level
    runs: dict[str, dict[int, Arrival]] = {}
    for (method, seed), rows in groups(steps, ("method", "seed")).items():
        reached = bool(met[rows].any())
        at = rows[met[rows].argmax()] if reached else rows[-1]
        seconds, gradients = float(steps["time"][at]), float(steps["gradients"][at])
        if not reached and (method, seed) in failed:
            seconds = math.inf
        runs.setdefault(method, {})[seed] = Arrival(seconds, gradients, reached)
    return runs


def standings(
    steps: Columns,
    metric: str,
    higher: bool,
    levels: Sequence[float],
    confidence: float,
    failed: Failed = frozenset(),
) -> list[Standing]:
    """Every method at every level, the leader first."""
    return [
        standing
        for level in levels
        for standing in _at(level, arrivals(steps, metric, higher, level, failed), confidence)
    ]


def _at(level: float, methods: dict[str, dict[int, Arrival]], confidence: float) -> list[Standing]:
    seconds = {
        method: [run.seconds if run.reached else math.nan for run in runs.values()]
        for method, runs in methods.items()
    }

    def order(method: str) -> tuple[bool, float]:
        """Methods that mostly reach it, then by the geometric mean, as the ratios are."""
        lasted = [_log(run, Arrival(1.0, 0.0, True)) for run in methods[method].values()]
        return math.isinf(median(seconds[method])), sum(lasted) / len(lasted)

    ahead = sorted(methods, key=order)
    leader = methods[ahead[0]]
    standing = []
    for method in ahead:
        runs = methods[method]
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


# Ratios


def ratio(
    runs: Mapping[int, Arrival], leader: Mapping[int, Arrival], confidence: float
) -> tuple[float, float, float]:
    """The ratio to the leader's seconds: the geometric mean over common seeds, and its interval.

    Seeds on which neither reached the level do not count.
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
    """The logarithm of a ratio; two runs at the level from the start are equal."""
    tiny = np.finfo(np.float64).tiny
    return math.log(max(run.seconds, tiny) / max(leader.seconds, tiny))


def interval(values: Floats, confidence: float, seed: int = 0) -> tuple[float, float]:
    """The bootstrap interval of a mean, with wider percentiles for few values.

    A plain percentile interval of n values is too short by sqrt((n - 1) / n) and by the tails of
    Student's t; these percentiles correct both for a normal distribution.  One value has no
    interval.

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
