"""A minimum and half a bell on top: what Gaussian noise makes of a computation's seconds."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.cluster.law import Bits, Floats, Law
from simulator.cluster.laws import inner
from simulator.cluster.random_words import uniforms


@dataclass(frozen=True)
class HalfNormal:
    """``minimum + |z|`` with z normal around 0 with standard deviation ``std``, per worker."""

    minimum: Law
    std: Law
    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        minimum = inner.seconds("minimum", self.minimum, workers, bits)
        return np.column_stack([minimum, inner.spread("std", self.std, workers, bits)])

    def vary(self, base: Floats, bits: Bits) -> Floats:
        from scipy.special import erfinv

        normal: Floats = np.sqrt(2) * erfinv(uniforms(bits))
        return base[:, 0] + base[:, 1] * normal
