"""How steep and how high is the non-convex chain?  Bounds on F's derivatives, and its infimum."""

from math import comb, e, pi, sqrt

import numpy as np
from numpy.polynomial import Polynomial

LIPSCHITZ = 152
"""Of the gradient of F: ``bound(2)``, rounded up as in the literature."""


def height(length: int) -> float:
    """-inf F: all coordinates far out, where every Psi is e and every Phi is sqrt(2 pi e)."""
    return sqrt(2 * pi * e) * (1 + e * (length - 1))


def bound(order: int) -> float:
    """Of F's derivative of this order: the sum of C(k, j) sup|Psi^(j)| sup|Phi^(k-j)|.

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
    found, factor = [], Polynomial([e])
    for _ in range(order + 1):
        found.append(_supremum(factor, 1.0))
        factor = Polynomial([0, 0, -2]) * _derived(factor, 1.0)
    return found


def _suprema_of_slide(order: int) -> list[float]:
    """Phi' is sqrt(e) exp(-x^2 / 2)."""
    found, factor = [sqrt(2 * pi * e)], Polynomial([sqrt(e)])
    for _ in range(order):
        found.append(_supremum(factor, 0.5))
        factor = _derived(factor, 0.5)
    return found


def _derived(factor: Polynomial, rate: float) -> Polynomial:
    """P' - 2 r u P, the factor in the derivative of P(u) exp(-r u^2)."""
    derived: Polynomial = factor.deriv() - Polynomial([0, 2 * rate]) * factor
    return derived


def _supremum(factor: Polynomial, rate: float) -> float:
    """Of |P(u)| exp(-r u^2), which is at one of the places where the derivative is 0."""
    roots = _derived(factor, rate).roots()
    places = roots.real[np.abs(roots.imag) < 1e-6]
    return float(np.max(np.abs(factor(places)) * np.exp(-rate * places**2)))
