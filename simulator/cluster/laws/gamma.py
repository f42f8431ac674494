"""Gamma durations: sums of exponential ones, from wildly scattered to almost constant."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, Le

from simulator.cluster.law import Bits, Floats, Law
from simulator.cluster.laws import inner
from simulator.cluster.random_words import uniforms

LEAST = np.finfo(np.float64).tiny
"""A small shape makes most durations smaller than any number; none of them is nothing."""


@dataclass(frozen=True)
class Gamma:
    """Gamma around ``mean`` with variance ``mean^2 / shape``; shape 1 is exponential."""

    mean: Law
    shape: Annotated[float, Gt(0), Le(1e6)]
    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("mean", self.mean, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        from scipy.special import gammaincinv

        quantile = gammaincinv(self.shape, uniforms(bits))
        factor: Floats = np.maximum(quantile / self.shape, LEAST)
        return base * factor
