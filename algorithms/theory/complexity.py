"""How long until E|grad J| <= eps?  Seconds up to a constant factor, logarithms left out.

From Tables 1 and 2 of arXiv 2509.24305 and what they rest on, with D = Delta, h_i the seconds of a
gradient and A_m the harmonic mean of the m fastest.  Where the tables have powers of eps alone, the
constants of the problem are derived, or, if that was not possible, taken for 1.

kappa is a number, or one per worker: then an all-reduce takes the largest, and a worker who sends
each gradient by itself has a cycle of h_i + kappa_i.
"""

from collections.abc import Callable
from math import inf, sqrt
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from algorithms.theory.finishes import Floats, Seconds, checked
from algorithms.theory.problem import Problem, check
from algorithms.theory.times import harmonic


class Prediction(NamedTuple):
    """Seconds, up to a constant factor."""

    compute: float
    communication: float

    @property
    def total(self) -> float:
        return self.compute + self.communication


Predict: TypeAlias = Callable[[Floats, Floats, Problem, float], Prediction]
Status: TypeAlias = Literal["published", "derived"]


class Complexity(NamedTuple):
    """A formula, and how far it is to be trusted.

    >>> from algorithms.methods import METHODS
    >>> problem = Problem(smoothness=1.0, hessian_smoothness=0.0, deviation=1.0, gap=1.0)
    >>> METHODS["synchronous-pg"].complexity([1.0, 2.0], 0.5, problem, eps=0.5)
    Prediction(compute=24.0, communication=6.0)
    """

    predict: Predict
    compute: Status
    communication: Status
    constants: bool
    """Whether the problem's constants are in it; if not, it is in powers of eps, n and h alone."""

    def __call__(
        self, seconds: Seconds, kappa: float | Seconds, problem: Problem, eps: float
    ) -> Prediction:
        check(problem, eps)
        h = checked(seconds)
        return self.predict(h, _transfers(kappa, len(h)), problem, eps)


def lower_bound(
    seconds: Seconds, kappa: float | Seconds, problem: Problem, eps: float
) -> Prediction:
    """What no method of this kind can beat, up to a constant factor.

    The communication, kappa eps^(-12/7), is Theorem G.1; its constants D L_g^(3/7) L_h^(2/7) are
    those that make it independent of units.  Derived: computing takes as many gradients one after
    the other, and sigma² sqrt(L_h) D eps^(-7/2) in all, which m workers share.
    """
    check(problem, eps)
    h = checked(seconds)
    in_a_row = (
        problem.gap
        * problem.smoothness ** (3 / 7)
        * problem.hessian_smoothness ** (2 / 7)
        * eps ** (-12 / 7)
    )
    noise = problem.deviation**2 * sqrt(problem.hessian_smoothness) * problem.gap * eps**-3.5
    slowest = float(_transfers(kappa, len(h)).max())
    return Prediction(of_the_fastest(h, in_a_row, noise), product(slowest, in_a_row))


# What the methods' formulas are made of.  S and N are the two terms of each: the steps if there
# were no noise, and what the noise asks for in gradients.  For plain ascent S = L_g D/eps² and
# N = S sigma²/eps²; for NIGT S = L_g D/eps² + sqrt(L_h) D/eps^(3/2) and
# N = (sigma²/eps²) (1 + sqrt(L_h) D/eps^(3/2)).


def nigt_steps(problem: Problem, eps: float) -> float:
    return pg_steps(problem, eps) + curvature(problem, eps)


def nigt_noise(problem: Problem, eps: float) -> float:
    return (problem.deviation / eps) ** 2 * (1 + curvature(problem, eps))


def curvature(problem: Problem, eps: float) -> float:
    return sqrt(problem.hessian_smoothness) * problem.gap / (eps * sqrt(eps))


def pg_steps(problem: Problem, eps: float) -> float:
    return problem.smoothness * problem.gap / eps**2


def pg_noise(problem: Problem, eps: float) -> float:
    return (problem.deviation / eps) ** 2 * pg_steps(problem, eps)


def of_the_fastest(h: Floats, steps: float, noise: float) -> float:
    """min_m A_m (steps + noise/m)."""
    means = harmonic(h)
    if not np.isfinite(means[0]):
        return inf
    seconds: Floats = means * (steps + noise / np.arange(1, len(h) + 1))
    return float(seconds.min())


def of_everybody(h: Floats, steps: float, noise: float) -> float:
    return product(float(h.max()), steps) + product(float(h.mean()), noise / len(h))


def of_cycles(h: Floats, kappa: Floats, seconds: Callable[[Floats], float]) -> Prediction:
    """Where every gradient is sent by itself: what the transfers add is communication."""
    compute, both = seconds(h), seconds(h + kappa)
    return Prediction(compute, both - compute if both < inf else both)


def product(seconds: float | np.float64, times: float) -> float:
    """So many times; what never ends is no matter if it is not done at all."""
    return float(seconds * times) if times else 0.0


def _transfers(kappa: float | Seconds, workers: int) -> Floats:
    each: Floats = np.broadcast_to(np.asarray(kappa, np.float64), (workers,))
    if not (each >= 0).all():
        at = int(np.argmin(each >= 0))
        raise ValueError(f"kappa[{at}] = {each[at]}: must be 0 seconds or more")
    return each
