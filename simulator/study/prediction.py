"""How long should a method take, by theory?  Seconds up to a constant, for one scenario."""

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
"""Of random durations, whose mean stands for them."""


def predicted(scenario: Scenario, label: str) -> float:
    """What theory says of this method here; NaN where it says nothing.

    It speaks of the seconds until the gradient's norm is below some eps, of workers whose times
    have a mean, and of transfers that do not wait for each other.
    """
    known, target = METHODS[scenario.methods[label].method].complexity, scenario.stop.target
    steady = scenario.cluster.speed is None and not scenario.build_cluster().outages
    asked = target is not None and scenario.metric == "gradient_norm" and scenario.objective.exact
    if known is None or not (asked and steady):
        return math.nan
    assert target is not None
    seconds, transfers = _seconds(scenario)
    found = known(seconds, transfers, problem_of(scenario, label), target).total
    return found if math.isfinite(found) else math.nan


def _seconds(scenario: Scenario) -> tuple[Floats, Floats]:
    """Of a gradient, and of its way to the server and back, for each worker."""
    cluster, vector = scenario.build_cluster(), vector_of(scenario)
    seed = scenario.timing_seed(scenario.seeds[0])
    ways = cluster.uploads(seed, vector), cluster.downloads(seed, vector)
    up, down = (_mean(way, cluster.workers) for way in ways)
    return _mean(cluster.computations(seed), cluster.workers), up + down


def _mean(times: Durations | Transfers, workers: int) -> Floats:
    """Over draws, where there is chance."""
    many = DRAWS if times.varies else 1
    drawn: Floats = np.mean([times.all(np.full(workers, k)) for k in range(many)], axis=0)
    return drawn
