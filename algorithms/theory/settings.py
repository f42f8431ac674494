"""Which settings does theory prescribe?  For E|grad J| <= eps on average over the steps.

Each method's file has its own prescription; here are their parts.  At ``factor`` = 1 settings are
those of the proofs, far too careful to be fast.  A larger ``factor`` multiplies step lengths and
divides batches and the number of steps (where the batch is given, it multiplies the weight of a
gradient instead).  A plain ascent diverges where its step reaches 2/L_g: from 4 on.

D = Delta; N = 144 sigma²/eps² is the batch whose mean is accurate enough by itself.
"""

from collections.abc import Callable
from functools import wraps
from math import ceil, inf, sqrt
from typing import NamedTuple, Protocol

from algorithms.theory.problem import Problem, check, ratio


class Settings(NamedTuple):
    """The settings for a scenario, and the length of its runs."""

    settings: dict[str, float | int]  # by the names of the method's own settings
    steps: int
    gradients: int  # of all steps; a lower bound, where the number of a step varies


class Prescribe(Protocol):
    """The settings for this problem and accuracy, on that many workers."""

    def __call__(
        self, problem: Problem, eps: float, workers: int, factor: float = 1.0
    ) -> Settings: ...


def prescription(rule: Callable[[Problem, float, int, float], Settings]) -> Prescribe:
    """Check the rule's arguments; a wrong number raises a ValueError that names it."""

    @wraps(rule)
    def checked(problem: Problem, eps: float, workers: int, factor: float = 1.0) -> Settings:
        check(problem, eps)
        if workers < 1:
            raise ValueError(f"workers = {workers!r}: must be 1 or more")
        if not 1 <= factor < inf:
            raise ValueError(f"factor = {factor!r}: must be 1, what the proofs ask for, or more")
        return rule(problem, eps, workers, factor)

    return checked


# The parts of prescriptions


def free_weight(problem: Problem, eps: float) -> float:
    """The weight of the newest gradients if batches may have any size."""
    curved = sqrt(problem.hessian_smoothness * eps) / problem.smoothness
    flat = ratio(eps**2, 18 * problem.smoothness * problem.gap)
    return min(1.0, max(curved, flat))


def step_length(problem: Problem, eps: float, weight: float, delay: int = 1) -> float:
    curved = weight * sqrt(ratio(eps, 24 * problem.hessian_smoothness))
    return min(eps / (3 * problem.smoothness * delay), curved)


def enough_gradients(problem: Problem, eps: float) -> float:
    """N: the batch whose mean is accurate enough by itself."""
    return 144 * (problem.deviation / eps) ** 2


def of_given_batch(
    problem: Problem, eps: float, batch: int, factor: float, delay: int = 1
) -> Settings:
    """NIGT with a given batch, from which the weight of the momentum follows."""
    free, enough = free_weight(problem, eps), enough_gradients(problem, eps)
    weight = min(free, ratio(batch, enough))
    length = step_length(problem, eps, weight, delay)
    forgotten = max(1.0, sqrt(enough / batch)) / weight
    steps = whole_steps(max(6 * problem.gap / (length * eps), forgotten), factor)
    bold = min(free, factor * ratio(batch, enough))
    return Settings({"step": factor * length, "momentum": bold}, steps, batch * steps)


def plain_ascent(problem: Problem, eps: float, batch: int, factor: float) -> tuple[float, int]:
    """The step length of plain ascent with batches of this size, and the number of steps."""
    noise = ratio(batch, (problem.deviation / eps) ** 2)
    length = min(1.0, noise) / (2 * problem.smoothness)
    return factor * length, whole_steps(2 * problem.gap / (length * eps**2), factor)


def delayed_ascent(problem: Problem, eps: float, delay: int, factor: float) -> Settings:
    """Plain ascent with gradients that are fewer than R = ``delay`` steps old.  Derived::

        gamma = min{1/(2 R L_g), eps²/(4 L_g sigma²)},   T = 4 D/(gamma eps²)

    The squared length of the steps since a gradient's point is at most 2 gamma² R times the sum of
    their |grad J|², and of sigma².  With gamma <= 1/(2 R L_g) these steps gained more than the
    former, and the mean of |grad J|² is at most 2 D/(gamma T) + 2 L_g gamma sigma²: half of eps²
    each.
    """
    noise = ratio(1.0, 2 * (problem.deviation / eps) ** 2)
    length = min(1 / delay, noise) / (2 * problem.smoothness)
    steps = whole_steps(4 * problem.gap / (length * eps**2), factor)
    return Settings({"step": factor * length}, steps, steps)


def whole_batch(gradients: float, factor: float = 1.0) -> int:
    return max(1, ceil(gradients / factor))


def whole_steps(needed: float, factor: float) -> int:
    return max(1, ceil(needed / factor))
