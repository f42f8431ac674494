"""A minimum and half a Cauchy tail on top: delays so heavy that they have no mean."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.cluster.law import Bits, Floats, Law
from simulator.cluster.laws import inner
from simulator.cluster.random_words import uniforms


@dataclass(frozen=True)
class HalfCauchy:
    """``minimum + |x|`` with x Cauchy around 0: half of the time more than ``scale`` is added."""

    minimum: Law
    scale: Law
    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        minimum = inner.seconds("minimum", self.minimum, workers, bits)
        return np.column_stack([minimum, inner.spread("scale", self.scale, workers, bits)])

    def vary(self, base: Floats, bits: Bits) -> Floats:
        chance = uniforms(bits)
        # Near a right angle the tangent is nothing but rounding: there, take the other angle's.
        angle = np.pi / 2 * np.minimum(chance, 1 - chance)
        return base[:, 0] + base[:, 1] * np.where(chance < 0.5, np.tan(angle), 1 / np.tan(angle))
