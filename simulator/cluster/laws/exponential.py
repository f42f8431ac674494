"""Exponential durations: having lasted for long says nothing about how much longer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.cluster.law import Bits, Floats, Law
from simulator.cluster.laws import inner
from simulator.cluster.random_words import uniforms


@dataclass(frozen=True)
class Exponential:
    """Exponential around ``mean``: a computation is as likely to end now as at any other time."""

    mean: Law
    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("mean", self.mean, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return -base * np.log1p(-uniforms(bits))
