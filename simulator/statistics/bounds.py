"""Lower bounds of a ratio from a few seeds: one-sided tests, from their definitions."""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

Test: TypeAlias = Literal["every-seed", "sign", "paired-t"]


def fewest_seeds(test: Test, confidence: float) -> int:
    """The fewest seeds with which the test can reach this confidence.

    >>> fewest_seeds("sign", 0.95), fewest_seeds("paired-t", 0.95), fewest_seeds("every-seed", 0.95)
    (5, 2, 1)
    """
    if test == "sign":
        return next(seeds for seeds in range(1, 1000) if 0.5**seeds <= 1 - confidence)
    return 2 if test == "paired-t" else 1


def lower_bound(ratios: Sequence[float], test: Test, confidence: float) -> float:
    """The one-sided lower bound of the ratio, by this test.

    >>> lower_bound([2.0, 3.0, 4.0, 5.0, 6.0], "sign", 0.95)  # all five above: 1 in 32 by chance
    2.0
    >>> lower_bound([2.0, 8.0], "every-seed", 0.95)
    2.0
    >>> round(lower_bound([5.0, 5.0, 5.0], "paired-t", 0.95), 9)
    5.0
    """
    match test:
        case "every-seed":
            return min(ratios)
        case "sign":
            return sorted(ratios)[below(len(ratios), 1 - confidence)]
        case "paired-t":
            return _of_the_mean(ratios, confidence)


def below(count: int, risk: float) -> int:
    """The rank of the value that bounds the median from below, with this risk.

    The median is below the value of rank k (from 0) with the probability that of ``count`` coins at
    most k show heads.

    >>> below(5, 0.05), below(8, 0.05), below(20, 0.05)
    (0, 1, 5)
    """
    chance, rank = 0.5**count, 0
    while (chance := chance + math.comb(count, rank + 1) * 0.5**count) <= risk:
        rank += 1
    return rank


def _of_the_mean(ratios: Sequence[float], confidence: float) -> float:
    """The bound of the geometric mean; logarithms of ratios are less skewed."""
    if min(ratios) <= 0 or max(ratios) == math.inf:
        return 0.0  # such a mean has no bound
    import numpy as np
    from scipy.stats import t

    logs = np.log(ratios)
    count = len(logs)
    error = float(np.std(logs, ddof=1)) / math.sqrt(count)
    quantile = float(t.ppf(confidence, count - 1))
    return math.exp(float(np.mean(logs)) - quantile * error)
