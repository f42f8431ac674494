"""Which laws may fit?  Each with its fit by likelihood, standard errors, and distribution.

The workers of a *group* share a mean, or for Pareto a minimum; all groups share the shape.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from simulator.cluster.law import Floats, Integers


class Parameters(NamedTuple):
    """Estimates with standard errors: one scale for each group, and a shape for all."""

    scale: Floats
    scale_error: Floats
    shape: float = np.nan
    shape_error: float = np.nan


Fit: TypeAlias = Callable[[Floats, Integers, Floats], Parameters]
"""``parameters = fit(seconds, group, least)`` with the shortest seconds of each group."""


class Family(NamedTuple):
    """A law of durations that can be fitted."""

    law: str
    scale: str
    """The key of the law's seconds."""
    shape: str
    """The key of its shape, or nothing."""
    fit: Fit
    distribution: Callable[[Any, float], Any]
    """A distribution of SciPy from scales and a shape."""


def _sums(values: Floats, group: Integers) -> tuple[Floats, Floats]:
    """For each group the count and the sum."""
    count = np.bincount(group).astype(np.float64)
    return count, np.bincount(group, values).astype(np.float64)


def _log_normal(seconds: Floats, group: Integers, least: Floats) -> Parameters:
    logs = np.log(seconds)
    count, sums = _sums(logs, group)
    middle = sums / count
    free = max(len(logs) - len(count), 1)
    variance = float(((logs - middle[group]) ** 2).sum()) / free
    mean = np.exp(middle + variance / 2)
    error = mean * np.sqrt(variance / count + variance**2 / (2 * free))
    return Parameters(mean, error, variance**0.5, (variance / (2 * free)) ** 0.5)


def _exponential(seconds: Floats, group: Integers, least: Floats) -> Parameters:
    count, sums = _sums(seconds, group)
    return Parameters(sums / count, sums / count**1.5)


LARGEST_SHAPE = 1e6


def _gamma(seconds: Floats, group: Integers, least: Floats) -> Parameters:
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    count, sums = _sums(seconds, group)
    mean, size = sums / count, len(seconds)
    gap = float(np.log(mean[group] / seconds).sum()) / max(size - len(count), 1)

    def excess(shape: float) -> float:
        return float(np.log(shape) - digamma(shape)) - gap

    shape = LARGEST_SHAPE if excess(LARGEST_SHAPE) > 0 else brentq(excess, 1e-6, LARGEST_SHAPE)
    curvature = max(float(polygamma(1, shape)) - 1 / shape, 1e-300)
    error = 1 / np.sqrt(size * curvature)
    return Parameters(mean, mean / np.sqrt(shape * count), shape, float(error))


def _pareto(seconds: Floats, group: Integers, least: Floats) -> Parameters:
    count, logs = _sums(np.log(seconds / least[group]), group)
    free = max(len(seconds) - len(count), 2)
    shape = min((free - 1) / max(float(logs.sum()), 1e-12), 100.0)
    error = least / (count * shape)
    return Parameters(least * (1 - 1 / (count * shape + 1)), error, shape, shape / free**0.5)


def _lognorm(mean: Any, sigma: float) -> Any:
    from scipy.stats import lognorm

    return lognorm(sigma, scale=mean * np.exp(-(sigma**2) / 2))


def _expon(mean: Any, shape: float) -> Any:
    from scipy.stats import expon

    return expon(scale=mean)


def _gammas(mean: Any, shape: float) -> Any:
    from scipy.stats import gamma

    return gamma(shape, scale=mean / shape)


def _paretos(minimum: Any, shape: float) -> Any:
    from scipy.stats import pareto

    return pareto(shape, scale=minimum)


FAMILIES = (
    Family("exponential", "mean", "", _exponential, _expon),
    Family("gamma", "mean", "shape", _gamma, _gammas),
    Family("log-normal", "mean", "sigma", _log_normal, _lognorm),
    Family("pareto", "minimum", "shape", _pareto, _paretos),
)
