"""The seconds of another law, dealt out anew: which worker is the slow one is up to the seed."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.cluster.law import Bits, Floats, Law
from simulator.cluster.laws import inner


@dataclass(frozen=True)
class Permuted:
    """The seconds that another law gives, shuffled among the workers by the run's seed.

    >>> from simulator.cluster import Fixed
    >>> Permuted(Fixed([1.0, 5.0])).base(2, np.array([7, 3], np.uint64)).tolist()
    [5.0, 1.0]
    """

    of: Law
    varies: ClassVar[bool] = False
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("of", self.of, workers, bits)[np.argsort(bits, kind="stable")]

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base
