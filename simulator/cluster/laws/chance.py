"""Laws that vary the seconds of another law by chance each time."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from simulator.cluster.law import Bits, Chance, Floats, Law
from simulator.cluster.laws import inner
from simulator.cluster.random_words import uniforms


@dataclass(frozen=True)
class LogNormal(Chance):
    """``mean * exp(sigma * z - sigma^2 / 2)`` with z standard normal: ``mean`` on average."""

    mean: Law
    sigma: Annotated[float, Ge(0), Le(10)]

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("mean", self.mean, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        from scipy.special import ndtri

        normal = ndtri(uniforms(bits))
        return base * np.exp(self.sigma * normal - self.sigma**2 / 2)


@dataclass(frozen=True)
class Exponential(Chance):
    """Exponential around ``mean``: a computation is as likely to end now as at any other time."""

    mean: Law

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("mean", self.mean, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return -base * np.log1p(-uniforms(bits))


LEAST = np.finfo(np.float64).tiny  # with a small shape most durations would round to 0


@dataclass(frozen=True)
class Gamma(Chance):
    """Gamma around ``mean`` with variance ``mean^2 / shape``; shape 1 is exponential."""

    mean: Law
    shape: Annotated[float, Gt(0), Le(1e6)]

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("mean", self.mean, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        from scipy.special import gammaincinv

        quantile = gammaincinv(self.shape, uniforms(bits))
        factor: Floats = np.maximum(quantile / self.shape, LEAST)
        return base * factor


MOST = float(np.finfo(np.float64).max)  # an infinite factor times a minimum of 0 would be NaN


@dataclass(frozen=True)
class Pareto(Chance):
    """Longer than t with probability ``(minimum / t)^shape``; no mean for a shape up to 1."""

    minimum: Law
    shape: Annotated[float, Gt(0), Le(100)]

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("minimum", self.minimum, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        with np.errstate(over="ignore"):
            factor = np.exp(-np.log1p(-uniforms(bits)) / self.shape)
            return base * np.minimum(factor, MOST)


@dataclass(frozen=True)
class HalfNormal(Chance):
    """``minimum + |z|`` with z normal around 0 with standard deviation ``std``, per worker."""

    minimum: Law
    std: Law

    def base(self, workers: int, bits: Bits) -> Floats:
        minimum = inner.seconds("minimum", self.minimum, workers, bits)
        return np.column_stack([minimum, inner.spread("std", self.std, workers, bits)])

    def vary(self, base: Floats, bits: Bits) -> Floats:
        from scipy.special import erfinv

        normal: Floats = np.sqrt(2) * erfinv(uniforms(bits))
        return base[:, 0] + base[:, 1] * normal


@dataclass(frozen=True)
class HalfCauchy(Chance):
    """``minimum + |x|`` with x Cauchy around 0: half of the time more than ``scale`` is added."""

    minimum: Law
    scale: Law

    def base(self, workers: int, bits: Bits) -> Floats:
        minimum = inner.seconds("minimum", self.minimum, workers, bits)
        return np.column_stack([minimum, inner.spread("scale", self.scale, workers, bits)])

    def vary(self, base: Floats, bits: Bits) -> Floats:
        chance = uniforms(bits)
        # Near a right angle the tangent is only rounding error: use the complementary angle.
        angle = np.pi / 2 * np.minimum(chance, 1 - chance)
        return base[:, 0] + base[:, 1] * np.where(chance < 0.5, np.tan(angle), 1 / np.tan(angle))


@dataclass(frozen=True)
class SlowDown(Chance):
    """With this ``probability`` a computation takes ``factor`` times as long as usual."""

    of: Law
    probability: Annotated[float, Ge(0), Le(1)]
    factor: Annotated[float, Ge(1), Le(1e9)]

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("of", self.of, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base * np.where(uniforms(bits) > 1 - self.probability, self.factor, 1.0)


@dataclass(frozen=True)
class NeverFinishes(Chance):
    """With this ``probability`` a computation never ends; otherwise it takes its usual time."""

    of: Law
    probability: Annotated[float, Ge(0), Lt(1)]

    def base(self, workers: int, bits: Bits) -> Floats:
        return inner.seconds("of", self.of, workers, bits)

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return np.where(uniforms(bits) > 1 - self.probability, np.inf, base)
