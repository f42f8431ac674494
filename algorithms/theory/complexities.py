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
from algorithms.theory.problem import Problem, check, ratio
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

    >>> problem = Problem(smoothness=1.0, hessian_smoothness=0.0, deviation=1.0, gap=1.0)
    >>> COMPLEXITIES["synchronous-pg"]([1.0, 2.0], 0.5, problem, eps=0.5)
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


def complexity(
    method: str, seconds: Seconds, kappa: float | Seconds, problem: Problem, eps: float
) -> float:
    """Computation and communication together, in seconds up to a constant factor.

    >>> problem = Problem(smoothness=1.0, hessian_smoothness=0.0, deviation=1.0, gap=1.0)
    >>> complexity("synchronous-pg", [1.0, 2.0], 0.5, problem, eps=0.5)
    30.0
    """
    return COMPLEXITIES[method](seconds, kappa, problem, eps).total


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
    return Prediction(_of_the_fastest(h, in_a_row, noise), _each(slowest, in_a_row))


# One function per row.  S and N are the two terms of each: the steps if there were no noise, and
# what the noise asks for in gradients.  For plain ascent S = L_g D/eps² and N = S sigma²/eps²; for
# NIGT S = L_g D/eps² + sqrt(L_h) D/eps^(3/2) and N = (sigma²/eps²) (1 + sqrt(L_h) D/eps^(3/2)).


def _rennala_nigt(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """min_m A_m (S + N/m) + kappa S (Theorem 4.4)."""
    steps, noise = _nigt_steps(problem, eps), _nigt_noise(problem, eps)
    return Prediction(_of_the_fastest(h, steps, noise), _each(kappa.max(), steps))


def _malenia_nigt(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """max h S + mean h N/n + kappa S (Theorem 5.1)."""
    steps, noise = _nigt_steps(problem, eps), _nigt_noise(problem, eps)
    return Prediction(_of_everybody(h, steps, noise), _each(kappa.max(), steps))


def _synchronous_nigt(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """(max h + kappa) T: the steps of NIGT with batches of n (see ``parameters``).

    T = L_g D/eps² + sqrt(L_h) D/(eta eps^(3/2)) + max{1, sigma/(eps sqrt(n))}/eta, with
    1/eta = 1 + min{L_g/sqrt(L_h eps), L_g D/eps²} + sigma²/(n eps²).
    """
    noise = (problem.deviation / eps) ** 2 / len(h)
    curved = ratio(problem.smoothness, sqrt(problem.hessian_smoothness * eps))
    memory = 1 + min(curved, _pg_steps(problem, eps)) + noise
    forgotten = max(1.0, sqrt(noise)) * memory
    steps = _pg_steps(problem, eps) + _curvature(problem, eps) * memory + forgotten
    return Prediction(_each(h.max(), steps), _each(kappa.max(), steps))


def _synchronous_pg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """(max h + kappa) (S + N/n)."""
    steps = _pg_steps(problem, eps) + _pg_noise(problem, eps) / len(h)
    return Prediction(_each(h.max(), steps), _each(kappa.max(), steps))


def _rennala_pg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """min_m A_m (S + N/m) + kappa S."""
    steps, noise = _pg_steps(problem, eps), _pg_noise(problem, eps)
    return Prediction(_of_the_fastest(h, steps, noise), _each(kappa.max(), steps))


def _malenia_pg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """max h S + mean h N/n + kappa S."""
    steps, noise = _pg_steps(problem, eps), _pg_noise(problem, eps)
    return Prediction(_of_everybody(h, steps, noise), _each(kappa.max(), steps))


def _ringmaster_pg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """min_m A_m (S + N/m), A_m of the cycles: the optimum of TR23, which Ringmaster attains."""
    steps, noise = _pg_steps(problem, eps), _pg_noise(problem, eps)
    return _of_cycles(h, kappa, lambda cycle: _of_the_fastest(cycle, steps, noise))


def _ringleader_pg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """max h S + mean h N/n, of the cycles: the optimum of TR23, which Ringleader attains."""
    steps, noise = _pg_steps(problem, eps), _pg_noise(problem, eps)
    return _of_cycles(h, kappa, lambda cycle: _of_everybody(cycle, steps, noise))


def _asynchronous_pg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """sqrt(max h A_n) S + A_n N/n, of the cycles, those who never finish left out.

    sqrt(d_max d_mean) S + N updates (arXiv 2206.08307), of which n/A_n come in a second; the
    delays d are n on average, and as many as come during the longest cycle, n max h/A_n, at most.
    """
    steps, noise = _pg_steps(problem, eps), _pg_noise(problem, eps)

    def seconds(cycle: Floats) -> float:
        finite = cycle[np.isfinite(cycle)]
        if not finite.size:
            return inf
        mean = float(harmonic(finite)[-1])
        return sqrt(finite.max() * mean) * steps + mean * noise / finite.size

    return _of_cycles(h, kappa, seconds)


def _delay_adaptive_pg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """A_n (S + N/n), of the cycles: d_mean S + N updates (arXiv 2206.08307), as above."""
    steps, noise = _pg_steps(problem, eps), _pg_noise(problem, eps)
    return _of_cycles(h, kappa, lambda c: _each(harmonic(c)[-1], steps + noise / len(c)))


def _afedpg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """A_n (n^(4/3) eps^(-7/3) + eps^(-7/2)/n), of the cycles.

    That gives the published range of the communication: kappa eps^(-7/2) for n = 1, and at the
    best n, eps^(-1/2), kappa eps^-3.
    """
    n = len(h)
    many = n ** (4 / 3) * eps ** (-7 / 3) + eps**-3.5 / n
    return _of_cycles(h, kappa, lambda cycle: _each(harmonic(cycle)[-1], many))


COMPLEXITIES: dict[str, Complexity] = {
    "rennala-nigt": Complexity(_rennala_nigt, "published", "published", True),
    "malenia-nigt": Complexity(_malenia_nigt, "published", "published", True),
    "afedpg": Complexity(_afedpg, "published", "derived", False),
    "synchronous-nigt": Complexity(_synchronous_nigt, "derived", "derived", True),
    "synchronous-pg": Complexity(_synchronous_pg, "derived", "derived", True),
    "rennala-pg": Complexity(_rennala_pg, "published", "derived", True),
    "malenia-pg": Complexity(_malenia_pg, "published", "derived", True),
    "ringmaster-pg": Complexity(_ringmaster_pg, "published", "derived", True),
    "ringleader-pg": Complexity(_ringleader_pg, "published", "derived", True),
    "asynchronous-pg": Complexity(_asynchronous_pg, "derived", "derived", True),
    "delay-adaptive-pg": Complexity(_delay_adaptive_pg, "derived", "derived", True),
}


# What they are made of


def _nigt_steps(problem: Problem, eps: float) -> float:
    return _pg_steps(problem, eps) + _curvature(problem, eps)


def _nigt_noise(problem: Problem, eps: float) -> float:
    return (problem.deviation / eps) ** 2 * (1 + _curvature(problem, eps))


def _curvature(problem: Problem, eps: float) -> float:
    return sqrt(problem.hessian_smoothness) * problem.gap / (eps * sqrt(eps))


def _pg_steps(problem: Problem, eps: float) -> float:
    return problem.smoothness * problem.gap / eps**2


def _pg_noise(problem: Problem, eps: float) -> float:
    return (problem.deviation / eps) ** 2 * _pg_steps(problem, eps)


def _of_the_fastest(h: Floats, steps: float, noise: float) -> float:
    """min_m A_m (steps + noise/m)."""
    means = harmonic(h)
    if not np.isfinite(means[0]):
        return inf
    seconds: Floats = means * (steps + noise / np.arange(1, len(h) + 1))
    return float(seconds.min())


def _of_everybody(h: Floats, steps: float, noise: float) -> float:
    return _each(float(h.max()), steps) + _each(float(h.mean()), noise / len(h))


def _of_cycles(h: Floats, kappa: Floats, seconds: Callable[[Floats], float]) -> Prediction:
    """Where every gradient is sent by itself: what the transfers add is communication."""
    compute, both = seconds(h), seconds(h + kappa)
    return Prediction(compute, both - compute if both < inf else both)


def _each(seconds: float | np.float64, times: float) -> float:
    """So many times; what never ends is no matter if it is not done at all."""
    return float(seconds * times) if times else 0.0


def _transfers(kappa: float | Seconds, workers: int) -> Floats:
    each: Floats = np.broadcast_to(np.asarray(kappa, np.float64), (workers,))
    if not (each >= 0).all():
        at = int(np.argmin(each >= 0))
        raise ValueError(f"kappa[{at}] = {each[at]}: must be 0 seconds or more")
    return each
