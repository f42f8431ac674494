"""What do a few gradients show?  Their noise, and the steps of a plain ascent without noise.

Nothing is trained: the ascent follows the exact gradient of an objective that knows it.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.mistakes import Mistake
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    from jax import Array

    from simulator.objectives.objective import Exact, Objective

GRADIENTS = 64
MOST_STEPS = 20_000
"""Of the ascent without noise."""


class Start(NamedTuple):
    """An objective, the first seed's root of random keys, and its initial point."""

    objective: "Objective"
    root: "Array"
    point: "Array"

    @property
    def exact(self) -> "Exact":
        assert self.objective.exact is not None
        return self.objective.exact


def start_of(scenario: Scenario) -> Start:
    import jax

    from simulator.training.jax_setup import prepare

    prepare()
    objective, root = scenario.build_objective(), jax.random.key(scenario.seeds[0])
    return Start(objective, root, objective.initial_point(root))


def noise_scale(scenario: Scenario) -> float:
    """sigma²/|grad J|² at the initial point.

    The signal is exact if the objective knows it, else that of the gradients' mean, corrected for
    its error.
    """
    start = start_of(scenario)
    mean, variance = _mean_and_variance(scenario, start, start.point)
    if not math.isfinite(variance):
        raise Mistake("--probe: a gradient at the initial point is not finite; state --noise")
    squared = float(mean @ mean) - variance / GRADIENTS
    if start.objective.exact is not None:
        squared = float((np.asarray(start.exact.ascent(start.point[None])) ** 2).sum())
    if squared <= 0:
        raise Mistake(f"--probe: {GRADIENTS} gradients show no signal; state --noise")
    return variance / squared


def variance_at(scenario: Scenario, start: Start, point: "Array") -> float:
    """The variance of a gradient at this point, from real ones of the workers in turn."""
    return _mean_and_variance(scenario, start, point)[1]


def _mean_and_variance(
    scenario: Scenario, start: Start, point: "Array"
) -> tuple[np.ndarray, float]:
    from simulator.training.diagnostics import drawn, mean_and_variance

    workers = range(scenario.cluster.workers)
    return mean_and_variance(drawn(start.objective, start.root, point, workers, GRADIENTS))


def value(start: Start, metric: str, point: "Array") -> float:
    return float(start.exact.measure(point[None])[metric][0])


def noise_free(scenario: Scenario, start: Start, smoothness: float) -> "tuple[int, Array] | None":
    """The steps of length 1/L_g to the target along the exact gradient, and the point there.

    None if it is not reached.
    """
    import jax

    metric, target, exact = scenario.metric, scenario.stop.target, start.exact
    sign = 1.0 if scenario.higher_is_better else -1.0
    assert target is not None

    def missing(state: "tuple[Array, Array]") -> "Array":
        number, point = state
        reached = sign * (exact.measure(point[None])[metric][0] - target) >= 0
        return (number < MOST_STEPS) & ~reached

    def ascend(state: "tuple[Array, Array]") -> "tuple[Array, Array]":
        number, point = state
        return number + 1, point + exact.ascent(point[None])[0] / smoothness

    begin = (jax.numpy.zeros((), jax.numpy.int32), start.point)
    number, point = jax.lax.while_loop(missing, ascend, begin)
    return None if int(number) >= MOST_STEPS else (max(1, int(number)), point)
