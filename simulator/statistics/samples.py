"""How sure is a median of a few seeds?  Bootstrap intervals, where a run may never get there.

NaN stands for a run that never reached its target.  It counts as one that would need for ever:
it is larger than every number, and so a median of mostly such runs is infinite.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from simulator.cluster.law import Floats

CONFIDENCE, RESAMPLES = 0.9, 2000
LOW, HIGH = 0.2, 0.8  # the quantiles between which a band lies
Statistic = Callable[..., Any]  # of one or more samples along an ``axis``


def counted(values: ArrayLike) -> Floats:
    """Numbers in which what never happened is infinite."""
    numbers = np.array(values, dtype=np.float64)
    numbers[np.isnan(numbers)] = np.inf
    return numbers


def median(values: ArrayLike) -> float:
    """The median, where NaN is larger than all numbers; NaN of nothing.

    >>> median([3.0, 1.0, float("nan")]), median([3.0, float("nan"), float("nan")])
    (3.0, inf)
    """
    numbers = counted(values)
    return float(np.median(numbers)) if numbers.size else float("nan")


def spread(values: ArrayLike) -> tuple[float, float]:
    """The ends of the band: values that do occur, as none lies between a number and never.

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

    The same ``seed`` gives the same interval.  One value is its own interval: it says nothing of
    how far others would lie.

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
    """The statistic of resamples, each drawn from within its sample, or for all alike (paired)."""
    from scipy.stats import DegenerateDataWarning, bootstrap

    # SciPy refuses a single observation; two equal ones can only be drawn as themselves, too.
    several = [np.resize(sample, max(2, len(sample))) for sample in samples]
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        # Infinities make NaN of SciPy's own interval, which is not asked for.
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
    """Its middle part: values that do occur, as none lies between a number and infinity.

    >>> ends(np.array([1.0, 2.0, np.inf, np.inf]), 0.5)
    (1.0, inf)
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(distribution, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)
