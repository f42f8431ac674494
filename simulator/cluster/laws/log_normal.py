"""Log-normal durations: drawn anew for each computation, around a mean that another law gives."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from simulator.cluster.law import Bits, Floats, Law
from simulator.cluster.laws import inner
from simulator.cluster.random_words import uniforms


@dataclass(frozen=True)
class LogNormal:
    """``mean * exp(sigma * z - sigma^2 / 2)`` with z standard normal: ``mean`` on average."""

    mean: Law
    sigma: Annotated[float, Ge(0), Le(10)]
    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("mean", self.mean, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        from scipy.special import ndtri

        normal = ndtri(uniforms(bits))
        return base * np.exp(self.sigma * normal - self.sigma**2 / 2)
