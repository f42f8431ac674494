"""Seconds along a straight line: from the first worker's to the last one's."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from simulator.cluster.law import Bits, Floats

LONGEST = 1e18
"""Ends of a line are finite: what lies half way to infinity?"""


@dataclass(frozen=True)
class Linear:
    """Worker 1 takes ``first``, the last one ``last``, and the others lie evenly between.

    >>> Linear(first=1.0, last=3.0).base(5, np.zeros(5, np.uint64)).tolist()
    [1.0, 1.5, 2.0, 2.5, 3.0]
    """

    first: Annotated[float, Ge(0), Le(LONGEST)]
    last: Annotated[float, Ge(0), Le(LONGEST)]
    varies: ClassVar[bool] = False
    draws: ClassVar[bool] = False

    def base(self, workers: int, bits: Bits) -> Floats:
        return np.linspace(self.first, self.last, workers)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base
