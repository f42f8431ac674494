"""A power of the worker's number: h_i = offset + scale * i^exponent (sqrt(i) in the paper)."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from simulator.cluster.law import Bits, Floats


@dataclass(frozen=True)
class Power:
    """Worker i of 1..n takes ``offset + scale * i**exponent``; a negative exponent: ever less.

    >>> Power(exponent=2.0, scale=0.5).base(3, np.zeros(3, np.uint64)).tolist()
    [0.5, 2.0, 4.5]
    """

    exponent: Annotated[float, Ge(-100), Le(100)]
    scale: float = 1.0
    offset: float = 0.0
    varies: ClassVar[bool] = False
    draws: ClassVar[bool] = False

    def base(self, workers: int, bits: Bits) -> Floats:
        # Scalar powers: NumPy's vector ones differ in the last bit between processors, and a
        # schedule should be the same on every machine.
        powers = np.array([math.pow(i, self.exponent) for i in range(1, workers + 1)])
        return self.offset + self.scale * powers

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base
