"""Which settings does the theory prescribe?  For E|grad J| <= eps on average over the steps.

``PARAMETERS`` has a function for each method.  At ``factor`` = 1 they are what the proofs ask for,
far too careful to be fast.  ``factor`` >= 1 is boldness: step lengths are multiplied by it,
batches divided (where the batch is given, the weight of a gradient is multiplied instead),
and so is the number of steps.  A plain ascent diverges where its step reaches 2/L_g: from 4 on.

With D = Delta; N = 144 sigma²/eps² is the batch whose mean is good enough by itself.
"""

from collections.abc import Callable
from functools import wraps
from math import ceil, inf, sqrt
from typing import NamedTuple, Protocol

from algorithms.theory.problem import Problem, check, ratio


class Settings(NamedTuple):
    """What to put into a scenario, and how far it will have to go."""

    settings: dict[str, float | int]
    """By the names of the method's own settings."""
    steps: int
    gradients: int
    """In all steps together, a larger first batch included; at least, where the number varies."""


class Rule(Protocol):
    """For this problem and accuracy, on so many workers."""

    def __call__(
        self, problem: Problem, eps: float, workers: int, factor: float = 1.0
    ) -> Settings: ...


# Normalised steps with momentum


def rennala_nigt(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """The choice that proves Theorem 4.4 of arXiv 2509.24305.  Derived, with safe constants::

        eta   = min{1, max{sqrt(L_h eps)/L_g, eps²/(18 L_g D)}}    the latter for L_h = 0
        alpha = min{eps/(3 L_g), eta sqrt(eps/(24 L_h))}
        M     = max{1, ceil(eta N)},   M_init = max{1, ceil(N)}
        T     = max{6 D/(alpha eps), 1/eta}

    Each of the five terms of the convergence bound is then at most eps/6.
    """
    weight, enough = _free_weight(problem, eps), _enough(problem, eps)
    batch, first = _batch(weight * enough, factor), _batch(enough, factor)
    length = _length(problem, eps, weight)
    steps = _steps(max(6 * problem.gap / (length * eps), 1 / weight), factor)
    settings = {"step": factor * length, "momentum": weight, "batch": batch, "initial_batch": first}
    return Settings(settings, steps, first + (steps - 1) * batch)


def malenia_nigt(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``rennala-nigt``: balanced counts have the variance of M gradients.  Derived.

    A round takes M gradients at least, and one of each worker.
    """
    found = rennala_nigt(problem, eps, workers, factor)
    first, batch = (max(workers, found.settings[name]) for name in ("initial_batch", "batch"))
    return found._replace(gradients=int(first + (found.steps - 1) * batch))


def synchronous_nigt(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """The same proof where M = M_init = n is given, so that eta must follow.  Derived::

        eta = min{that of rennala-nigt, n/N}
        T   = max{6 D/(alpha eps), max{1, sqrt(N/n)}/eta}

    and alpha from eta as there.  The first batch is small, too, and takes long to be forgotten.
    """
    return _of_given_batch(problem, eps, workers, factor)


def afedpg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``synchronous-nigt`` with batches of 1, and L_g n for L_g in the step.  Chosen.

    Among n equally fast workers a gradient is n - 1 updates old.  For n = 1 it is proven.
    """
    return _of_given_batch(problem, eps, 1, factor, delay=workers)


def ringmaster_nigt(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``afedpg`` with the threshold R for n, and R the M of ``rennala-nigt``.  Chosen.

    As with plain steps, then, R gradients one by one go as far as one batch of R.
    """
    enough = _enough(problem, eps)
    threshold = _batch(_free_weight(problem, eps) * enough)
    found = _of_given_batch(problem, eps, 1, factor, delay=threshold)
    return found._replace(settings={"threshold": threshold, **found.settings})


def _of_given_batch(
    problem: Problem, eps: float, batch: int, factor: float, delay: int = 1
) -> Settings:
    free, enough = _free_weight(problem, eps), _enough(problem, eps)
    weight = min(free, ratio(batch, enough))
    length = _length(problem, eps, weight, delay)
    forgotten = max(1.0, sqrt(enough / batch)) / weight
    steps = _steps(max(6 * problem.gap / (length * eps), forgotten), factor)
    bold = min(free, factor * ratio(batch, enough))
    return Settings({"step": factor * length, "momentum": bold}, steps, batch * steps)


def _free_weight(problem: Problem, eps: float) -> float:
    """The weight of the newest gradients if batches may be as large as it takes."""
    curved = sqrt(problem.hessian_smoothness * eps) / problem.smoothness
    flat = ratio(eps**2, 18 * problem.smoothness * problem.gap)
    return min(1.0, max(curved, flat))


def _length(problem: Problem, eps: float, weight: float, delay: int = 1) -> float:
    curved = weight * sqrt(ratio(eps, 24 * problem.hessian_smoothness))
    return min(eps / (3 * problem.smoothness * delay), curved)


def _enough(problem: Problem, eps: float) -> float:
    """N: the batch whose mean is good enough by itself."""
    return 144 * (problem.deviation / eps) ** 2


# Plain ascent


def rennala_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """Batches that are large enough for a long step.  Derived::

        S = max{1, ceil(sigma²/eps²)},   gamma = 1/(2 L_g),   T = 4 L_g D/eps²

    By smoothness a step gains gamma (1 - L_g gamma/2) |grad J|² less L_g gamma² sigma²/(2 S), so
    for gamma <= 1/(2 L_g) the mean of |grad J|² is at most 4 D/(3 gamma T), here 2/3 of eps², plus
    2 L_g gamma sigma²/(3 S), here 1/3.
    """
    noise = (problem.deviation / eps) ** 2
    length, steps = _plain(problem, eps, _batch(noise), factor)
    batch = _batch(noise, factor)
    return Settings({"step": length, "batch": batch}, steps, batch * steps)


def malenia_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``rennala-pg``: balanced counts have the variance of S gradients.  Derived.

    A round takes S gradients at least, and one of each worker.
    """
    found = rennala_pg(problem, eps, workers, factor)
    return found._replace(gradients=int(max(workers, found.settings["batch"]) * found.steps))


def synchronous_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """The proof of ``rennala-pg`` where S = n is given.  Derived.

    gamma = min{1/(2 L_g), n eps²/(2 L_g sigma²)}, and T = 2 D/(gamma eps²).
    """
    length, steps = _plain(problem, eps, workers, factor)
    return Settings({"step": length}, steps, workers * steps)


def ringmaster_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """Ringmaster (arXiv 2501.16168): no delay reaches R.  Derived::

        R = max{1, ceil(sigma²/eps²)},   gamma = min{1/(2 R L_g), eps²/(4 L_g sigma²)},
        T = 4 D/(gamma eps²)

    A gradient is taken where fewer than R steps before led from; their squared length is at most
    2 gamma² R times the sum of their |grad J|², and of sigma².  With gamma <= 1/(2 R L_g) the
    former are outweighed by what these steps gained, and the mean of |grad J|² is at most
    2 D/(gamma T) + 2 L_g gamma sigma²: half of eps² each.
    """
    threshold = _batch((problem.deviation / eps) ** 2)
    found = _delayed(problem, eps, threshold, factor)
    return found._replace(settings={"threshold": threshold, **found.settings})


def asynchronous_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``ringmaster-pg`` with R = n.  Derived where no delay reaches n, else chosen.

    Among equally fast workers every delay is n - 1; a slow worker's are longer than that.
    """
    return _delayed(problem, eps, workers, factor)


def delay_adaptive_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``asynchronous-pg``: the method itself shortens the steps of longer delays.  Chosen."""
    return _delayed(problem, eps, workers, factor)


def ringleader_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``ringmaster-pg`` with R = 2n - 1, for delays are 2n - 2 at most.  Chosen.

    The mean of n gradients has less noise than one; but each is in n steps, which adds up again.
    """
    return _delayed(problem, eps, 2 * workers - 1, factor)


def _plain(problem: Problem, eps: float, batch: int, factor: float) -> tuple[float, int]:
    noise = ratio(batch, (problem.deviation / eps) ** 2)
    length = min(1.0, noise) / (2 * problem.smoothness)
    return factor * length, _steps(2 * problem.gap / (length * eps**2), factor)


def _delayed(problem: Problem, eps: float, delay: int, factor: float) -> Settings:
    noise = ratio(1.0, 2 * (problem.deviation / eps) ** 2)
    length = min(1 / delay, noise) / (2 * problem.smoothness)
    steps = _steps(4 * problem.gap / (length * eps**2), factor)
    return Settings({"step": factor * length}, steps, steps)


# Whole numbers


def _batch(gradients: float, factor: float = 1.0) -> int:
    return max(1, ceil(gradients / factor))


def _steps(needed: float, factor: float) -> int:
    return max(1, ceil(needed / factor))


def _checked(rule: Callable[[Problem, float, int, float], Settings]) -> Rule:
    """The rule for numbers that make sense; others raise a ValueError that names them."""

    @wraps(rule)
    def ask(problem: Problem, eps: float, workers: int, factor: float = 1.0) -> Settings:
        check(problem, eps)
        if workers < 1:
            raise ValueError(f"workers = {workers!r}: must be 1 or more")
        if not 1 <= factor < inf:
            raise ValueError(f"factor = {factor!r}: must be 1, what the proofs ask for, or more")
        return rule(problem, eps, workers, factor)

    return ask


PARAMETERS: dict[str, Rule] = {
    "rennala-nigt": _checked(rennala_nigt),
    "malenia-nigt": _checked(malenia_nigt),
    "synchronous-nigt": _checked(synchronous_nigt),
    "afedpg": _checked(afedpg),
    "ringmaster-nigt": _checked(ringmaster_nigt),
    "rennala-pg": _checked(rennala_pg),
    "malenia-pg": _checked(malenia_pg),
    "synchronous-pg": _checked(synchronous_pg),
    "ringmaster-pg": _checked(ringmaster_pg),
    "asynchronous-pg": _checked(asynchronous_pg),
    "delay-adaptive-pg": _checked(delay_adaptive_pg),
    "ringleader-pg": _checked(ringleader_pg),
}
