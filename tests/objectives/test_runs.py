"""Several runs in one call: each is what it is alone, in every objective."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest

from algorithms.local import ascent
from algorithms.tickets import Ticket
from simulator.objectives.catalogue import OBJECTIVES
from simulator.objectives.objective import Direction, Objective
from simulator.scenario.loading import check
from simulator.training.executor import BatchedExecutor, DebugExecutor
from simulator.training.laboratory import Laboratory

KINDS: dict[str, dict[str, Any]] = {
    "quadratic": {"kind": "quadratic", "dimension": 9, "variant": "random", "scale": 0.5},
    "chain": {"kind": "chain", "length": 7},
    "tabular": {"kind": "tabular", "states": 3, "actions": 2, "horizon": 9},
    "linear-quadratic": {"kind": "linear-quadratic", "horizon": 9},
    "CartPole-v1": {"kind": "policy-gradient", "environment": "CartPole-v1"},
    "Acrobot-v1": {"kind": "policy-gradient", "environment": "Acrobot-v1"},
}
SMALL = {"policy": {"hidden": [4]}, "horizon": 8, "dtype": "float64"}
TICKETS = np.array([[0, 0, 0], [1, 0, 0], [1, 3, 2], [0, 0, 0]], np.int32)
WEIGHTS = np.array([[0.5, -2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.25, 0.0]])
GOING = np.array([True, False, True])
RUNS = np.flatnonzero(GOING)
ROOTS = jax.random.split(jax.random.key(3), len(GOING))


@pytest.fixture(scope="module", params=KINDS)
def objective(request: pytest.FixtureRequest) -> Objective:
    given = KINDS[request.param]
    given = given | SMALL if given["kind"] == "policy-gradient" else given
    return OBJECTIVES[given["kind"]](**given).build(workers=2)


def points(objective: Objective) -> jax.Array:
    """A point for each run and ticket; there is none where nothing is weighed."""
    start = objective.initial_point(jax.random.key(0))
    away = np.random.default_rng(0).normal(size=(*WEIGHTS.shape, objective.dimension))
    return jnp.where(WEIGHTS[..., None] != 0, start + 0.1 * away, jnp.nan)


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_gradients_at_one_point(objective: Objective) -> None:
    at = points(objective)[:, 0].at[1].set(jnp.nan)
    found, steps = objective.gradient(ROOTS, at, TICKETS, WEIGHTS)
    assert (found.shape, steps.shape) == (at.shape, (3,))
    for run in RUNS:
        alone, taken = one_run.gradient(objective, ROOTS[run], at[run], TICKETS, WEIGHTS[run])
        close(found[run], alone)
        assert steps[run] == taken


def test_gradients_at_their_own_points(objective: Objective) -> None:
    at = points(objective)
    found, steps = objective.gradients(ROOTS, at, TICKETS, WEIGHTS)
    assert (found.shape, steps.shape) == (at.shape, WEIGHTS.shape)
    np.testing.assert_array_equal(np.asarray(found)[WEIGHTS == 0], 0)
    for run in RUNS:
        given = at[run], TICKETS, WEIGHTS[run]
        alone, taken = one_run.gradients(objective, ROOTS[run], *given)
        close(found[run], alone)
        np.testing.assert_array_equal(steps[run], taken)
    plain, length = objective.sample(ROOTS[2], at[2, 2], Ticket(*TICKETS[2].tolist()))
    close(found[2][2], 0.25 * plain)
    assert steps[2][2] == length


def test_evaluations(objective: Objective) -> None:
    at = points(objective)[:, 0]
    found = objective.evaluate(ROOTS, at, 4, 3, GOING)
    assert found.keys() == objective.metrics.keys()
    for run in RUNS:
        alone = one_run.evaluate(objective, ROOTS[run], at[run], 4, 3)
        for name, values in found.items():
            close(values[run], alone[name])


def test_local_work(objective: Objective) -> None:
    if objective.local is None:
        assert objective.on_host
        return
    values, at = objective.local(ascent(2, 0.01)), points(objective)
    found, steps = values.gradients(ROOTS, at, TICKETS, WEIGHTS)
    for run in RUNS:
        given = at[run], TICKETS, WEIGHTS[run]
        alone, taken = one_run.gradients(values, ROOTS[run], *given)
        close(found[run], alone)
        np.testing.assert_array_equal(steps[run], taken)


class Parabola(Objective):
    """The least that an objective says: J = -|x|^2 / 2, without noise."""

    dimension = 3
    metrics: ClassVar[Mapping[str, Direction]] = {"gap": "lower", "gradient_norm": "lower"}

    def initial_point(self, root: Any) -> Any:
        return np.ones(3)

    def gradient(self, roots: Any, points: Any, tickets: Any, weights: Any) -> Any:
        return -weights.sum(1)[:, None] * np.asarray(points), np.zeros(len(points), np.int32)

    def gradients(self, roots: Any, points: Any, tickets: Any, weights: Any) -> Any:
        each = np.where(weights[..., None] != 0, -weights[..., None] * points, 0)
        return each, np.zeros(weights.shape, np.int32)

    def sample(self, root: Any, point: Any, ticket: Ticket) -> Any:
        return -point, 0

    def evaluate(self, roots: Any, points: Any, step: int, episodes: int, going: Any) -> Any:
        norms = np.linalg.norm(points, axis=1)
        return {"gap": norms**2 / 2, "gradient_norm": norms}


@pytest.mark.parametrize("executor", [BatchedExecutor, DebugExecutor])
def test_an_objective_may_leave_out_what_is_optional(executor: Any) -> None:
    """Ten steps of ascent halve the point each time."""
    scenario = check(
        {
            "seeds": [0],
            "cluster": {"workers": 2, "compute": 1.0},
            "objective": {"kind": "quadratic", "dimension": 3},
            "evaluation": {"every_steps": 5},
            "stop": {"steps": 10},
            "methods": {"synchronous-pg": {"step": 0.5}},
        }
    )
    run = Laboratory(Parabola(), executor).run(scenario.restrict(["synchronous-pg"], [0]))
    assert (run.end, run.steps) == ("stop", 10)
    np.testing.assert_array_equal(run.point, np.full(3, 2.0**-10))
