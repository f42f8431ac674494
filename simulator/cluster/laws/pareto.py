"""Pareto durations: never shorter than a minimum, with a tail that falls like a power."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, Le

from simulator.cluster.law import Bits, Floats, Law
from simulator.cluster.laws import inner
from simulator.cluster.random_words import uniforms

MOST = float(np.finfo(np.float64).max)
"""A small shape makes some factors greater than any number; times a minimum of 0 they are 0."""


@dataclass(frozen=True)
class Pareto:
    """Longer than t with probability ``(minimum / t)^shape``; no mean for a shape up to 1."""

    minimum: Law
    shape: Annotated[float, Gt(0), Le(100)]
    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("minimum", self.minimum, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        with np.errstate(over="ignore"):
            factor = np.exp(-np.log1p(-uniforms(bits)) / self.shape)
            return base * np.minimum(factor, MOST)
