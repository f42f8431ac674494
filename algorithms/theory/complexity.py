"""How long until E|grad J| <= eps?  Seconds up to a constant factor, logarithms left out.

The formulas follow Tables 1 and 2 of arXiv 2509.24305 and their sources.  D = Delta, h_i are the
seconds of a gradient, and A_m is the harmonic mean of the m fastest.  Where a table has powers of
eps alone, the problem's constants are derived here, or 1 if that was not possible.

kappa, the seconds of an upload, is a number or one per worker.
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
    """A formula, and where its parts come from.

    >>> from algorithms.methods import METHODS
    >>> problem = Problem(smoothness=1.0, hessian_smoothness=0.0, deviation=1.0, gap=1.0)
    >>> METHODS["synchronous-pg"].complexity([1.0, 2.0], 0.5, problem, eps=0.5)
    Prediction(compute=24.0, communication=6.0)
    """

    predict: Predict
    compute: Status
    communication: Status
    constants: bool
    """Whether the problem's constants are in it, and not only powers of eps, n and h."""

    def __call__(
        self, seconds: Seconds, kappa: float | Seconds, problem: Problem, eps: float
    ) -> Prediction:
        check(problem, eps)
        h = checked(seconds)
        return self.predict(h, _transfers(kappa, len(h)), problem, eps)


def lower_bound(
    seconds: Seconds, kappa: float | Seconds, problem: Problem, eps: float
) -> Prediction:
    """A lower bound for all methods of this kind, up to a constant factor.

    The communication, kappa eps^(-12/7), is Theorem G.1; its constants D L_g^(3/7) L_h^(2/7) make
    it independent of units.  Derived: computing takes as many gradients one after the other, and
    sigma² sqrt(L_h) D eps^(-7/2) in all, which m workers share.
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


# The parts of the methods' formulas


class Terms(NamedTuple):
    """Steps without noise (S), and the gradients that the noise adds (N)."""

    steps: float
    noise: float


TermsOf: TypeAlias = Callable[[Problem, float], Terms]
Compute: TypeAlias = Callable[[Floats, float, float], float]
"""The seconds of computing, from h, S and N."""


def pg_terms(problem: Problem, eps: float) -> Terms:
    """Plain ascent: S = L_g D/eps² and N = S sigma²/eps²."""
    steps = problem.smoothness * problem.gap / eps**2
    return Terms(steps, (problem.deviation / eps) ** 2 * steps)


def nigt_terms(problem: Problem, eps: float) -> Terms:
    """NIGT, with C = sqrt(L_h) D/eps^(3/2): S = L_g D/eps² + C and N = (sigma²/eps²) (1 + C)."""
    curved = curvature(problem, eps)
    noise = (problem.deviation / eps) ** 2 * (1 + curved)
    return Terms(pg_terms(problem, eps).steps + curved, noise)


def curvature(problem: Problem, eps: float) -> float:
    return sqrt(problem.hessian_smoothness) * problem.gap / (eps * sqrt(eps))


def by_rounds(terms: TermsOf, compute: Compute) -> Predict:
    """For methods with an all-reduce: each step adds the slowest upload."""

    def predict(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
        steps, noise = terms(problem, eps)
        return Prediction(compute(h, steps, noise), product(kappa.max(), steps))

    return predict


def by_arrivals(terms: TermsOf, compute: Compute) -> Predict:
    """For methods that send each gradient: worker i has a cycle of h_i + kappa_i."""

    def predict(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
        steps, noise = terms(problem, eps)
        computing, cycles = compute(h, steps, noise), compute(h + kappa, steps, noise)
        return Prediction(computing, cycles - computing if cycles < inf else cycles)

    return predict


def of_the_fastest(h: Floats, steps: float, noise: float) -> float:
    """min_m A_m (steps + noise/m)."""
    means = harmonic(h)
    if not np.isfinite(means[0]):
        return inf
    seconds: Floats = means * (steps + noise / np.arange(1, len(h) + 1))
    return float(seconds.min())


def of_all_workers(h: Floats, steps: float, noise: float) -> float:
    """max h steps + mean h noise/n."""
    return product(float(h.max()), steps) + product(float(h.mean()), noise / len(h))


def product(seconds: float | np.float64, times: float) -> float:
    """``seconds * times``, where infinity times 0 is 0."""
    return float(seconds * times) if times else 0.0


def _transfers(kappa: float | Seconds, workers: int) -> Floats:
    each: Floats = np.broadcast_to(np.asarray(kappa, np.float64), (workers,))
    if not (each >= 0).all():
        at = int(np.argmin(each >= 0))
        raise ValueError(f"kappa[{at}] = {each[at]}: must be 0 seconds or more")
    return each
