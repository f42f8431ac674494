"""Fixed seconds: one number for everybody, or one per worker; ``inf`` never finishes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.cluster.law import Bits, Floats


@dataclass(frozen=True)
class Fixed:
    """The same seconds every time, one number or one per worker.

    >>> Fixed([1.0, 5.0]).base(2, np.zeros(2, np.uint64)).tolist()
    [1.0, 5.0]
    """

    seconds: float | list[float]
    varies: ClassVar[bool] = False
    draws: ClassVar[bool] = False

    def base(self, workers: int, bits: Bits) -> Floats:
        if isinstance(self.seconds, int | float):
            return np.full(workers, float(self.seconds))
        if len(self.seconds) != workers:
            raise ValueError(
                f"seconds has {len(self.seconds)} entries for {workers} workers: "
                "give one per worker, or a single number"
            )
        return np.array(self.seconds, dtype=np.float64)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base
