"""Computations that get lost: now and then one never ends."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Lt

from simulator.cluster.law import Bits, Floats, Law
from simulator.cluster.laws import inner
from simulator.cluster.random_words import uniforms


@dataclass(frozen=True)
class NeverFinishes:
    """With this ``probability`` a computation never ends; otherwise it takes its usual time."""

    of: Law
    probability: Annotated[float, Ge(0), Lt(1)]
    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("of", self.of, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return np.where(uniforms(bits) > 1 - self.probability, np.inf, base)
