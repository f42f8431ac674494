"""Two kinds of machines: some workers are fast, the last ones slow."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from simulator.cluster.law import Bits, Floats


@dataclass(frozen=True)
class TwoSpeed:
    """The last ``slow_share`` of the workers take ``slow``, the others ``fast``.

    The number of slow workers is rounded, a half upwards.

    >>> TwoSpeed(fast=1.0, slow=9.0, slow_share=0.25).base(4, np.zeros(4, np.uint64)).tolist()
    [1.0, 1.0, 1.0, 9.0]
    """

    fast: float
    slow: float
    slow_share: Annotated[float, Ge(0), Le(1)] = 0.5
    varies: ClassVar[bool] = False
    draws: ClassVar[bool] = False

    def base(self, workers: int, bits: Bits) -> Floats:
        slow = math.floor(self.slow_share * workers + 0.5)
        seconds = np.full(workers, float(self.fast))
        seconds[workers - slow :] = self.slow
        return seconds

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base
