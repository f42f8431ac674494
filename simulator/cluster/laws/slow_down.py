"""Stragglers by chance: now and then a computation takes several times as long."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from simulator.cluster.law import Bits, Floats, Law
from simulator.cluster.laws import inner
from simulator.cluster.random_words import uniforms


@dataclass(frozen=True)
class SlowDown:
    """With this ``probability`` a computation takes ``factor`` times as long as usual."""

    of: Law
    probability: Annotated[float, Ge(0), Le(1)]
    factor: Annotated[float, Ge(1), Le(1e9)]
    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("of", self.of, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base * np.where(uniforms(bits) > 1 - self.probability, self.factor, 1.0)
