"""Is the signal-to-noise ratio of a step what it says, and does looking change nothing?"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import compiled_once, run_scenario

from algorithms.tickets import Ticket
from simulator.objectives.tables.quadratic import QuadraticTable
from simulator.scenario.loading import check
from simulator.schedule import Step
from simulator.training.diagnostics import SignalToNoise

__all__ = ["compiled_once"]  # the fixture

ROOT, DIMENSION, WORKERS = jax.random.key(7), 12, 3


def quadratic(scale):
    return QuadraticTable(kind="quadratic", dimension=DIMENSION, scale=scale).build(WORKERS)


def step(weights, version=0):
    tickets = [Ticket(k % WORKERS, version, k) for k in range(len(weights))]
    return Step(version, 1.0, tickets, weights, len(weights), None)


def ratio(objective, weights, many):
    point = jnp.linspace(-1, 1, DIMENSION)
    found = SignalToNoise(objective, many, objective.exact).of(ROOT, {0: point}, step(weights))
    return found, float(jnp.linalg.norm(objective.exact.ascent(point[None])[0]))


@pytest.mark.parametrize("weights", [[1.0], [0.25] * 4, [0.5, 0.1, 0.1]])
def test_on_the_quadratic_it_is_known(weights):
    """|m| |sum w| over scale sqrt(d sum w^2); the variance is estimated from many gradients."""
    scale, many = 0.3, 2000
    found, signal = ratio(quadratic(scale), weights, many)
    noise = scale * math.sqrt(DIMENSION * sum(weight**2 for weight in weights))
    # The standard error of a deviation from m samples of d numbers is 1/sqrt(2 m d) of it.
    tolerance = 5 / math.sqrt(2 * many * DIMENSION)
    assert found == pytest.approx(abs(sum(weights)) * signal / noise, rel=tolerance)


def test_it_is_estimated_alike_on_inexact_objectives():
    """The same numbers without the exact gradient."""
    objective, many = quadratic(0.3), 4000
    known, signal = ratio(objective, [0.5, 0.5], many)
    point = jnp.linspace(-1, 1, DIMENSION)
    guessed = SignalToNoise(objective, many).of(ROOT, {0: point}, step([0.5, 0.5]))
    # The mean's error along the signal is scale / sqrt(m).
    assert guessed == pytest.approx(known, rel=5 * 0.3 / math.sqrt(many) / signal)


def test_without_noise_it_is_infinite_and_without_gradients_unknown():
    objective = quadratic(0.0)
    assert ratio(objective, [0.5, 0.5], 8)[0] == math.inf
    assert math.isnan(SignalToNoise(objective, 8).of(ROOT, {}, step([])))


def scenario(evaluation, methods, objective):
    return check(
        {
            "seeds": [0],
            "cluster": {"workers": 3, "compute": [1.0, 1.5, 2.5]},
            "objective": objective,
            "evaluation": {"episodes": 4, **evaluation},
            "stop": {"steps": 6},
            "methods": methods,
        }
    )


METHODS = {
    "rennala-nigt": {"batch": 4, "step": 0.05, "momentum": 0.3},
    "ringleader-pg": {"step": 0.05},
    "fedbuff": {"buffer": 2, "local_steps": 2, "local_step": 0.05, "step": 1.0},
    "fedsvrpg-m": {"local_steps": 2, "local_step": 0.05, "step": 0.05, "momentum": 0.5},
}
OBJECTIVES = {
    "quadratic": {"kind": "quadratic", "dimension": 6, "scale": 0.1},
    "cartpole": {
        "kind": "policy-gradient",
        "environment": "CartPole-v1",
        "horizon": 8,
        "policy": {"hidden": [2]},
    },
}


@pytest.mark.parametrize(
    ("objective", "labels"),
    [
        ("quadratic", [*METHODS]),
        ("cartpole", ["fedbuff"]),
        pytest.param("cartpole", [*METHODS], marks=pytest.mark.nightly),
    ],
)
def test_a_run_records_it_now_and_then_and_goes_the_same_way(objective, labels):
    methods = {label: METHODS[label] for label in labels}
    looking = scenario({"diagnostics_every_steps": 2}, methods, OBJECTIVES[objective])
    plain = scenario({}, methods, OBJECTIVES[objective])
    for run, other in zip(run_scenario(looking), run_scenario(plain), strict=True):
        np.testing.assert_array_equal(run.parameters(), other.parameters())
        found = run.columns()["signal_to_noise"]
        assert np.isfinite(found[2::2]).all(), run.method
        assert np.isnan(found[[0, 1, 3, 5]]).all()
        assert "signal_to_noise" not in other.columns()
