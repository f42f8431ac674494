"""Laws that give every worker its seconds once."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from simulator.cluster.fields import LONGEST_SECONDS, one_per_worker
from simulator.cluster.law import Bits, Floats, Law, Steady
from simulator.cluster.laws import inner


@dataclass(frozen=True)
class Fixed(Steady):
    """The same seconds every time, one number or one per worker.

    >>> Fixed([1.0, 5.0]).base(2, np.zeros(2, np.uint64)).tolist()
    [1.0, 5.0]
    """

    seconds: float | list[float]
    short: ClassVar[str] = "seconds"  # a file may give this field instead of the table

    def base(self, workers: int, bits: Bits) -> Floats:
        return one_per_worker("seconds", self.seconds, workers)


@dataclass(frozen=True)
class Linear(Steady):
    """Worker 1 takes ``first``, the last one ``last``, and the others lie evenly between.

    >>> Linear(first=1.0, last=3.0).base(5, np.zeros(5, np.uint64)).tolist()
    [1.0, 1.5, 2.0, 2.5, 3.0]
    """

    first: Annotated[float, Ge(0), Le(LONGEST_SECONDS)]
    last: Annotated[float, Ge(0), Le(LONGEST_SECONDS)]

    def base(self, workers: int, bits: Bits) -> Floats:
        return np.linspace(self.first, self.last, workers)


@dataclass(frozen=True)
class Geometric(Steady):
    """Worker 1 takes ``first``, the last one ``last``, and each a fixed multiple of the one before.

    >>> Geometric(first=1.0, last=100.0).base(3, np.zeros(3, np.uint64)).tolist()
    [1.0, 10.0, 100.0]
    """

    first: Annotated[float, Gt(0), Le(LONGEST_SECONDS)]
    last: Annotated[float, Gt(0), Le(LONGEST_SECONDS)]

    def base(self, workers: int, bits: Bits) -> Floats:
        ratio, gaps = self.last / self.first, max(workers - 1, 1)
        # As in Power: scalar powers have the same last bit on all processors.
        return np.array([self.first * math.pow(ratio, i / gaps) for i in range(workers)])


@dataclass(frozen=True)
class Power(Steady):
    """Worker i of 1..n takes ``offset + scale * i**exponent``; a negative exponent: ever less.

    >>> Power(exponent=2.0, scale=0.5).base(3, np.zeros(3, np.uint64)).tolist()
    [0.5, 2.0, 4.5]
    """

    exponent: Annotated[float, Ge(-100), Le(100)]
    scale: float = 1.0
    offset: float = 0.0

    def base(self, workers: int, bits: Bits) -> Floats:
        # NumPy's vector powers differ in the last bit between processors; scalar ones do not.
        powers = np.array([math.pow(i, self.exponent) for i in range(1, workers + 1)])
        return self.offset + self.scale * powers


@dataclass(frozen=True)
class TwoSpeed(Steady):
    """The last ``slow_share`` of the workers take ``slow``, the others ``fast``.

    The number of slow workers is rounded, a half upwards.

    >>> TwoSpeed(fast=1.0, slow=9.0, slow_share=0.25).base(4, np.zeros(4, np.uint64)).tolist()
    [1.0, 1.0, 1.0, 9.0]
    """

    fast: float
    slow: float
    slow_share: Annotated[float, Ge(0), Le(1)] = 0.5

    def base(self, workers: int, bits: Bits) -> Floats:
        slow = math.floor(self.slow_share * workers + 0.5)
        seconds = np.full(workers, float(self.fast))
        seconds[workers - slow :] = self.slow
        return seconds


@dataclass(frozen=True)
class Permuted(Steady):
    """The seconds that another law gives, shuffled among the workers by the run's seed.

    >>> from simulator.cluster import Fixed
    >>> Permuted(Fixed([1.0, 5.0])).base(2, np.array([7, 3], np.uint64)).tolist()
    [5.0, 1.0]
    """

    of: Law
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("of", self.of, workers, bits)[np.argsort(bits, kind="stable")]
