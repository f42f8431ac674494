"""Which law fits?  The one that predicts held-out durations best, or none.

Each law is fitted to one half of every worker's rows and judged on the other half, in both
directions.  The simplest law within one standard error of the best is chosen.  It is good enough if
a Kolmogorov-Smirnov test on the held-out rows does not reject it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.calibration.families import FAMILIES, Family, Parameters
from simulator.calibration.groups import Grouping, group_of, groupings
from simulator.calibration.log import Sample
from simulator.cluster.law import Floats, Integers

REJECTED = 0.01
"""A law with a smaller p-value does not fit, unless its distance is CLOSE."""
CLOSE = 0.02
STEADY = 1e-3
"""Relative: times of a worker that differ by less do not vary."""


@dataclass(frozen=True)
class Candidate:
    """A law around the seconds of groups of workers, fitted to all rows."""

    law: str
    grouping: Grouping
    group: Integers
    """The group of each worker."""
    parameters: Parameters
    family: Family | None = None
    """None for seconds that do not vary."""
    scores: Floats | None = None
    """The logarithm of the density at each held-out row."""
    distance: float = 0.0
    p: float = 1.0
    """Of the Kolmogorov-Smirnov test, all workers together and each."""

    @property
    def good(self) -> bool:
        return self.p >= REJECTED or self.distance <= CLOSE

    @property
    def freedom(self) -> int:
        """The number of its parameters; a split into two groups counts as one."""
        own = {"all": 1, "two": 3, "each": len(self.group)}[self.grouping]
        return own + bool(self.family and self.family.shape)

    @property
    def score(self) -> float:
        return np.inf if self.scores is None else float(self.scores.mean())

    def distribution(self, worker: Any) -> Any:
        """The fitted distribution of these workers' seconds."""
        assert self.family
        return self.family.distribution(
            self.parameters.scale[self.group[worker]], self.parameters.shape
        )


def candidates(sample: Sample) -> list[Candidate]:
    """All laws for this sample, the chosen one first; only a fixed one if nothing varies."""
    if steady := _fixed(sample):
        return [steady]
    if (sample.seconds <= 0).any():  # no law but the empirical one has free transfers
        return []
    half = sample.half
    known = groupings(sample.worker[half == 1], sample.workers)
    found = [_fitted(sample, family, each, half) for family in FAMILIES for each in known]
    chosen = _chosen(found)
    return [chosen, *sorted((c for c in found if c is not chosen), key=lambda c: -c.score)]


def _chosen(found: list[Candidate]) -> Candidate:
    best = max(found, key=lambda candidate: candidate.score)
    close = [candidate for candidate in found if _within_an_error(candidate, best)]
    return min(close, key=lambda candidate: (candidate.freedom, -candidate.score))


def _within_an_error(candidate: Candidate, best: Candidate) -> bool:
    assert candidate.scores is not None
    assert best.scores is not None
    loss = best.scores - candidate.scores
    return bool(loss.mean() <= loss.std() / len(loss) ** 0.5)


def _fitted(sample: Sample, family: Family, grouping: Grouping, half: Integers) -> Candidate:
    scores, chances = np.empty(len(half)), np.empty(len(half))
    for held in (0, 1):
        known, rows = half != held, half == held
        group, parameters = _fit(sample, family, grouping, known)
        fitted = family.distribution(parameters.scale[group[sample.worker[rows]]], parameters.shape)
        with np.errstate(divide="ignore", over="ignore"):
            scores[rows] = fitted.logpdf(sample.seconds[rows])
            chances[rows] = fitted.cdf(sample.seconds[rows])
    group, parameters = _fit(sample, family, grouping, np.ones(len(half), bool))
    distance, p = _uniform(chances, sample.worker)
    return Candidate(family.law, grouping, group, parameters, family, scores, distance, p)


def _fit(
    sample: Sample, family: Family, grouping: Grouping, rows: Any
) -> tuple[Integers, Parameters]:
    """Groups and parameters from these rows; the shortest seconds are those of all rows."""
    worker, seconds = sample.worker[rows], sample.seconds[rows]
    group = group_of(grouping, np.log(seconds), worker, sample.workers)
    least = np.full(group.max() + 1, np.inf)
    np.minimum.at(least, group[sample.worker], sample.seconds)
    return group, family.fit(seconds, group[worker], least)


def _uniform(chances: Floats, worker: Integers) -> tuple[float, float]:
    """Are they uniform, all together and those of each worker?  Distance and p-value."""
    from scipy.stats import kstest

    together = kstest(chances, "uniform")
    workers = np.unique(worker)
    own = min(kstest(chances[worker == each], "uniform").pvalue for each in workers)
    p = min(1.0, 2 * min(together.pvalue, own * len(workers)))
    return float(together.statistic), float(p)


# Seconds that do not vary


def _fixed(sample: Sample) -> Candidate | None:
    """One number per worker, if each worker's times hardly differ."""
    parts = [np.sort(sample.seconds[sample.of(worker)]) for worker in range(sample.workers)]
    middle = np.array([np.median(part) for part in parts])
    spread = np.array([np.subtract(*np.quantile(part, [0.99, 0.01])) for part in parts])
    if (spread > STEADY * middle).any():
        return None
    worker = np.arange(sample.workers)
    for grouping in ("all", "two", "each"):
        group = group_of(grouping, middle, worker, sample.workers)
        seconds = np.array([np.median(middle[group == each]) for each in range(group.max() + 1)])
        if (np.abs(middle - seconds[group]) <= STEADY * middle).all():
            break
    error = np.array([spread[group == each].max() for each in range(group.max() + 1)])
    return Candidate("fixed", grouping, group, Parameters(seconds, error))
