"""How long does a method take by theory?  Seconds up to a constant, for one scenario."""

import math

import numpy as np

from algorithms.methods import METHODS
from simulator.cluster import Durations
from simulator.cluster.law import Floats
from simulator.cluster.network import Transfers
from simulator.scenario.prescription import problem_of
from simulator.scenario.scenario import Scenario
from simulator.training.schedules import vector_of

DRAWS = 200
"""Random durations are replaced by the mean of so many."""


def predicted(scenario: Scenario, label: str) -> float:
    """The method's time to the target by theory, or NaN.

    Theory knows the time until the gradient's norm is below some eps, for workers whose times
    have a mean, and for transfers that do not wait for each other.
    """
    complexity, target = METHODS[scenario.methods[label].method].complexity, scenario.stop.target
    cluster = scenario.build_cluster()
    steady = cluster.speed is None and not cluster.outages
    steady &= cluster.updates(0, vector_of(scenario)).free
    known = scenario.metric == "gradient_norm" and scenario.objective.exact and steady
    if complexity is None or target is None or not known:
        return math.nan
    seconds, transfers = _seconds(scenario)
    total = complexity(seconds, transfers, problem_of(scenario, label), target).total
    return total if math.isfinite(total) else math.nan


def _seconds(scenario: Scenario) -> tuple[Floats, Floats]:
    """Seconds of a gradient, and of both transfers, for each worker."""
    cluster, vector = scenario.build_cluster(), vector_of(scenario)
    seed = scenario.timing_seed(scenario.seeds[0])
    up, down = cluster.uploads(seed, vector), cluster.downloads(seed, vector)
    transfers = _mean(up, cluster.workers) + _mean(down, cluster.workers)
    return _mean(cluster.computations(seed), cluster.workers), transfers


def _mean(times: Durations | Transfers, workers: int) -> Floats:
    draws = DRAWS if times.varies else 1
    mean: Floats = np.mean([times.all(np.full(workers, k)) for k in range(draws)], axis=0)
    return mean
