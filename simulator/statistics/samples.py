"""Medians of a few seeds with bootstrap intervals.

NaN stands for a run that never reached its target, and counts as infinite: so a median of mostly
such runs is infinite.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from simulator.cluster.law import Floats

CONFIDENCE, RESAMPLES = 0.9, 2000
LOW, HIGH = 0.2, 0.8  # quantiles of a band
Statistic = Callable[..., Any]  # of samples, along an ``axis``


def counted(values: ArrayLike) -> Floats:
    """Values with infinity for NaN."""
    numbers = np.array(values, dtype=np.float64)
    numbers[np.isnan(numbers)] = np.inf
    return numbers


def median(values: ArrayLike) -> float:
    """The median, with NaN as infinity; NaN for no values.

    >>> median([3.0, 1.0, float("nan")]), median([3.0, float("nan"), float("nan")])
    (3.0, inf)
    """
    numbers = counted(values)
    return float(np.median(numbers)) if numbers.size else float("nan")


def spread(values: ArrayLike) -> tuple[float, float]:
    """The ends of the band, as values that occur: none lies between a number and infinity.

    >>> spread([1.0, 2.0, 3.0, float("nan")])
    (1.0, inf)
    """
    numbers = counted(values)
    low = np.quantile(numbers, LOW, method="lower")
    return float(low), float(np.quantile(numbers, HIGH, method="higher"))


def interval(
    values: ArrayLike,
    statistic: Statistic = np.median,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """The percentile bootstrap interval of a statistic of values; NaN counts as infinite.

    The same ``seed`` gives the same interval.  One value is its own interval.

    >>> interval([4.0, 4.0, 4.0]), interval([7.0])
    ((4.0, 4.0), (7.0, 7.0))
    """
    numbers = counted(values)
    if numbers.size == 0:
        return float("nan"), float("nan")
    return ends(resampled([numbers], statistic, seed=seed, resamples=resamples), confidence)


def resampled(
    samples: list[Floats],
    statistic: Statistic,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    paired: bool = False,
) -> Floats:
    """The statistic of resamples, drawn from each sample, or from all alike if ``paired``."""
    from scipy.stats import DegenerateDataWarning, bootstrap

    # SciPy refuses a single observation; two equal ones give the same resamples.
    several = [np.resize(sample, max(2, len(sample))) for sample in samples]
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        # Infinities make SciPy's own interval NaN; it is not used.
        warnings.simplefilter("ignore", DegenerateDataWarning)
        drawn = bootstrap(
            several,
            statistic,
            n_resamples=resamples,
            paired=paired,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    return np.asarray(drawn.bootstrap_distribution, dtype=np.float64)


def ends(distribution: Floats, confidence: float) -> tuple[float, float]:
    """The ends of the middle part, as values that occur.

    >>> ends(np.array([1.0, 2.0, np.inf, np.inf]), 0.5)
    (1.0, inf)
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(distribution, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)
