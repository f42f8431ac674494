"""The four constants of a problem that theory uses."""

from math import inf
from typing import NamedTuple


class Problem(NamedTuple):
    """The constants of an objective J that is maximised; norms are Euclidean.

    They scale together: with J in units of a and theta in units of b, ``smoothness`` is in a/b²,
    ``hessian_smoothness`` in a/b³, ``deviation`` in a/b and ``gap`` in a.
    """

    smoothness: float  # L_g: |grad J(x) - grad J(y)| <= L_g |x - y|; must be more than 0
    hessian_smoothness: float  # L_h: the same of the Hessian, in operator norm; 0 on a quadratic
    deviation: float
    """sigma: the standard deviation of one stochastic gradient, E |g - grad J|² <= sigma²."""
    gap: float  # Delta = J* - J(theta_0)


def check(problem: Problem, eps: float) -> None:
    """Raise a ValueError that names a wrong number."""
    _check("smoothness", problem.smoothness, positive=True)
    _check("hessian_smoothness", problem.hessian_smoothness)
    _check("deviation", problem.deviation)
    _check("gap", problem.gap)
    _check("eps", eps, positive=True)


def _check(name: str, value: float, *, positive: bool = False) -> None:
    good = 0 < value < inf if positive else 0 <= value < inf
    if not good:
        least = "more than 0" if positive else "0 or more"
        raise ValueError(f"{name} = {value!r}: must be a finite number, {least}")


def ratio(above: float, below: float) -> float:
    """The quotient; infinite, and so no bound, where the divisor is 0."""
    return above / below if below else inf
