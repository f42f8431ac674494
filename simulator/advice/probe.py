"""What do a few gradients show?  Their noise."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.mistakes import Mistake
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    from jax import Array

    from simulator.objectives.objective import Exact, Objective

GRADIENTS = 64


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
