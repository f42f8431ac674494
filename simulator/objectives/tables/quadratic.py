"""Which settings does the quadratic have in a scenario, and what are its constants?"""

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field

from simulator.objectives.exact.tridiagonal import Quadratics, drawn_together, random, the_usual
from simulator.objectives.objective import Direction, Objective, Size
from simulator.objectives.tables.objective import Constant, Constants, ExactTable, Share

if TYPE_CHECKING:
    from simulator.objectives.exact.noise import Noise

OF_RANDOM = ("heterogeneity", "spread", "curvature", "problem_seed")


class QuadraticTable(ExactTable):
    """A tridiagonal quadratic with noisy gradients: gap and gradient norm are exact."""

    kind: Literal["quadratic"] = "quadratic"
    dimension: Annotated[int, Ge(2), Le(10_000_000)] = 100
    variant: Literal["tridiagonal", "random"] = Field(
        default="tridiagonal", description="the same for all workers, or each its own"
    )
    heterogeneity: Annotated[float, Ge(0), Le(1)] = Field(
        default=1.0, description="of random ones: 0 gives every worker their mean"
    )
    spread: Annotated[float, Ge(0), Le(1e6)] = Field(
        default=3.0, description="of random ones: the deviation of their random numbers"
    )
    curvature: Annotated[float, Gt(0), Le(1e6)] = Field(
        default=0.001, description="of random ones: the least of their mean"
    )
    problem_seed: Annotated[int, Ge(0)] = Field(
        default=0, description="of random ones: all seeds of a scenario share them"
    )
    noise: Literal["isotropic", "shared", "progress"] = "isotropic"
    scale: Annotated[float, Ge(0)] = Field(
        default=0.01, description="of isotropic and shared noise"
    )
    probability: Share = Field(default=0.1, description="of progress noise")
    dtype: Literal["float64"] = "float64"

    metrics: ClassVar[Mapping[str, Direction]] = {"gap": "lower", "gradient_norm": "lower"}

    @property
    def alike(self) -> bool:
        return self.variant == "tridiagonal" or not self.heterogeneity

    def check(self, workers: int) -> None:
        """Refuse settings of random quadratics where all are the same."""
        for name in OF_RANDOM if self.variant == "tridiagonal" else ():
            value = getattr(self, name)
            if value != type(self).model_fields[name].default:
                remedy = "the workers' quadratics are alike; say variant = 'random'"
                raise ValueError(f"{name} = {value}: {remedy}")

    def size(self, workers: int) -> Size:
        return Size(self.dimension, np.dtype(self.dtype).itemsize)

    def quadratics(self, workers: int) -> Quadratics:
        if self.variant == "tridiagonal":
            return the_usual(self.dimension, workers)
        seed, spread, curvature = self.problem_seed, self.spread, self.curvature
        drawn = random(self.dimension, workers, spread, curvature, seed)
        return drawn_together(drawn, self.heterogeneity)

    def build(self, workers: int) -> Objective:
        from simulator.objectives.exact.model import Sampled
        from simulator.objectives.exact.quadratic import Quadratic

        return Sampled(Quadratic(self.quadratics(workers), self._noise()))

    def constants(self, workers: int) -> Constants:
        """Exact, but for the deviation of progress noise."""
        quadratics = self.quadratics(workers)
        return Constants(
            smoothness=Constant(quadratics.smoothness, "exact", "the largest eigenvalue"),
            hessian_smoothness=Constant(0.0, "exact", "a quadratic"),
            deviation=self._deviation(quadratics),
            gap=Constant(quadratics.gap, "exact", "the minimum solves a linear system"),
        )

    def _noise(self) -> "Noise":
        from simulator.objectives.exact.noise import Gaussian, Progress

        if self.noise == "progress":
            return Progress(self.probability)
        return Gaussian(self.scale, shared=self.noise == "shared")

    def _deviation(self, quadratics: Quadratics) -> Constant:
        if self.noise != "progress":
            return Constant(self.scale * sqrt(self.dimension), "exact", "scale * sqrt(d)")
        reason = "where f(x) <= f(x_0): the next coordinate of the gradient is bounded there"
        factor = (1 - self.probability) / self.probability
        return Constant(sqrt(factor) * next_coordinate(quadratics), "bound", reason)


def next_coordinate(quadratics: Quadratics) -> float:
    """A bound of the coordinate that progress noise multiplies, of any worker where f(x) <= f(x_0).

    Beyond the last non-zero x_k only coordinate k + 1 of a gradient is not 0: worker i's is
    a_i x_k / 4, that of the mean a x_k / 4 with a the mean slope.  By Cauchy-Schwarz in the norm of
    A, |e'A(x - x*)|^2 <= e'Ae (x - x*)'A(x - x*) <= A_11 2 gap bounds the mean's, hence worker i's
    by |a_i / a| times as much.  At x = 0, worker i's is its offset.
    """
    ratio = float(np.abs(quadratics.slopes).max()) / abs(quadratics.slope)
    of_mean = sqrt(2 * quadratics.diagonal * quadratics.gap)
    return max(ratio * of_mean, float(np.abs(quadratics.offsets).max()))
