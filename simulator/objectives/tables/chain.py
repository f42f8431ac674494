"""Which settings does the chain have in a scenario, and what are its constants?"""

from collections.abc import Mapping
from math import comb, e, pi, sqrt
from typing import Annotated, ClassVar, Literal, TypeAlias

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.polynomial import Polynomial
from pydantic import Field

from simulator.objectives.objective import Direction, Objective, Size
from simulator.objectives.tables.objective import Constant, Constants, ExactTable, Share

LIPSCHITZ = 152
"""Lipschitz constant of the gradient of F: ``bound(2)``, rounded up as in the literature."""
Positive: TypeAlias = Annotated[float, Gt(0), Le(1e9)]


class ChainTable(ExactTable):
    """The non-convex worst case: a chain of coordinates, each hidden behind the one before."""

    kind: Literal["chain"] = "chain"
    length: Annotated[int, Ge(2), Le(10_000_000)] = Field(
        default=100, description="coordinates to find"
    )
    smoothness: Positive = Field(default=1.0, description="the gradient's Lipschitz constant")
    scale: Positive = Field(default=1.0, description="how far a coordinate has to go to be found")
    probability: Share = Field(default=0.1, description="that a gradient has the next coordinate")
    dtype: Literal["float64"] = "float64"

    metrics: ClassVar[Mapping[str, Direction]] = {
        "gradient_norm": "lower",
        "gap": "lower",
        "progress": "higher",
    }

    def size(self, workers: int) -> Size:
        return Size(self.length, np.dtype(self.dtype).itemsize)

    def build(self, workers: int) -> Objective:
        from simulator.objectives.exact.chain import Chain
        from simulator.objectives.exact.model import Sampled

        factor = self.smoothness * self.scale**2 / LIPSCHITZ
        chain = Chain(self.length, factor, self.scale, height(self.length), self.probability)
        return Sampled(chain)

    def constants(self, workers: int) -> Constants:
        """The constants of F, scaled: f = (L s^2 / 152) F(x / s)."""
        unit, s = self.smoothness / LIPSCHITZ, self.scale
        # A coordinate beyond the last non-zero one has at most sup Psi * Phi'(0) = e sqrt(e).
        spread = e**1.5 * sqrt((1 - self.probability) / self.probability)
        gap = height(self.length) - sqrt(2 * pi * e) / 2  # -F(0) is Phi(0)
        return Constants(
            smoothness=Constant(self.smoothness, "bound", "F's is at most 152"),
            hessian_smoothness=Constant(unit / s * bound(3), "bound", "from the links' suprema"),
            deviation=Constant(unit * s * spread, "bound", "the next coordinate of F's gradient"),
            gap=Constant(unit * s**2 * gap, "exact", "the infimum is approached, not attained"),
        )


def height(length: int) -> float:
    """-inf F, approached far out, where every Psi is e and every Phi is sqrt(2 pi e)."""
    return sqrt(2 * pi * e) * (1 + e * (length - 1))


def bound(order: int) -> float:
    """A bound of F's derivative of this order: the sum of C(k, j) sup|Psi^(j)| sup|Phi^(k-j)|.

    F is a sum of links h(x_{i-1}, x_i), of which at most one product Psi Phi is not 0.  Applied k
    times to a unit vector u, the derivative of all links together is at most the sum over j of

        C(k, j) sup|Psi^(j)| sup|Phi^(k-j)| (sum over i of |u_{i-1}|^j |u_i|^(k-j))

    and for k >= 2 the inner sum is at most sum |u_i|^k <= 1 by Hoelder.  The derivative being
    symmetric, unit vectors that differ give no more.  For k = 1 it bounds each coordinate.
    """
    gates, slides = _suprema_of_gate(order), _suprema_of_slide(order)
    return sum(comb(order, j) * gates[j] * slides[order - j] for j in range(order + 1))


def _suprema_of_gate(order: int) -> list[float]:
    """Psi is e exp(-u^2), u = 1 / (2x - 1): each derivative is -2 u^2 d/du of the one before."""
    suprema, factor = [], Polynomial([e])
    for _ in range(order + 1):
        suprema.append(_supremum(factor, 1.0))
        factor = Polynomial([0, 0, -2]) * _derived(factor, 1.0)
    return suprema


def _suprema_of_slide(order: int) -> list[float]:
    """Phi' is sqrt(e) exp(-x^2 / 2)."""
    suprema, factor = [sqrt(2 * pi * e)], Polynomial([sqrt(e)])
    for _ in range(order):
        suprema.append(_supremum(factor, 0.5))
        factor = _derived(factor, 0.5)
    return suprema


def _derived(factor: Polynomial, rate: float) -> Polynomial:
    """P' - 2 r u P, the factor in the derivative of P(u) exp(-r u^2)."""
    derived: Polynomial = factor.deriv() - Polynomial([0, 2 * rate]) * factor
    return derived


def _supremum(factor: Polynomial, rate: float) -> float:
    """The supremum of |P(u)| exp(-r u^2), which lies at a zero of the derivative."""
    roots = _derived(factor, rate).roots()
    places = roots.real[np.abs(roots.imag) < 1e-6]
    return float(np.max(np.abs(factor(places)) * np.exp(-rate * places**2)))
