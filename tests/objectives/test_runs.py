"""A batch of several runs is what the plain twin computes ticket by ticket, in every objective."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest

from algorithms.local import ascent, pack, variance_reduced
from algorithms.tickets import Ticket
from simulator.objectives import backward
from simulator.objectives.catalogue import OBJECTIVES
from simulator.objectives.objective import Direction, Objective, Values
from simulator.scenario.loading import check
from simulator.training.executor import BatchedExecutor, DebugExecutor
from simulator.training.laboratory import Laboratory

UNEQUAL = [
    {"options": {"length": 1.0, "gravity": 4.0}, "flag": 0.0},
    {"options": {"theta_threshold_radians": 0.06, "force_mag": 30}, "sign": -1, "flag": 1.0},
]
"""The second one's pole falls soon."""


def quadratic(noise: str, variant: str = "random") -> dict[str, Any]:
    chance = {"noise": noise, "scale": 0.5, "probability": 0.25}
    return {"kind": "quadratic", "dimension": 9, "variant": variant, **chance}


def policy(environment: str, **settings: Any) -> dict[str, Any]:
    """A small net, and one more step than whole blocks of time hold."""
    small = {"policy": {"hidden": [4]}, "horizon": 9, "dtype": "float64"}
    return {"kind": "policy-gradient", "environment": environment, **small, **settings}


KINDS: dict[str, dict[str, Any]] = {
    "isotropic": quadratic("isotropic"),
    "shared": quadratic("shared", "tridiagonal"),
    "progress": quadratic("progress"),
    "chain": {"kind": "chain", "length": 7},
    "tabular": {"kind": "tabular", "states": 3, "actions": 2, "horizon": 9, "heterogeneity": 0.5},
    "linear-quadratic": {"kind": "linear-quadratic", "horizon": 9, "heterogeneity": 0.5},
    "unequal carts": policy("CartPole-v1", workers=UNEQUAL),
    "separate trunks": policy(
        "Pendulum-v1",
        policy={"hidden": [4], "trunk": "separate", "observations": "standardised"},
    ),
    "pairs of carts": policy(
        "CartPole-v1",
        workers=UNEQUAL,
        episodes=2,
        baseline="leave-one-out",
        discounting="from-action",
    ),
    "discrete on the host": policy(
        "Acrobot-v1", policy={"hidden": [4], "observations": "standardised"}
    ),
    "robots": policy("Hopper-v4"),
    "several robots": policy(
        "Hopper-v4", episodes=3, baseline="leave-one-out", workers=[{"mass": 3.0}, {"gravity": 5.0}]
    ),
}
TICKETS = np.array([[0, 0, 0], [1, 0, 0], [1, 3, 2], [0, 0, 0]], np.int32)
WEIGHTS = np.array([[0.5, -2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.25, 0.0]])
GOING = np.array([True, False, True])
RUNS = np.flatnonzero(GOING)
ROOTS = jax.random.split(jax.random.key(3), len(GOING))


@pytest.fixture(scope="module", params=KINDS)
def objective(request: pytest.FixtureRequest) -> Iterator[Objective]:
    given = KINDS[request.param]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backward, "BLOCK", 4)
        yield OBJECTIVES[given["kind"]](**given).build(workers=2)


def points(objective: Objective) -> jax.Array:
    """A point for each run and ticket; there is none where nothing is weighed."""
    start = objective.initial_point(jax.random.key(0))
    away = np.random.default_rng(0).normal(size=(*WEIGHTS.shape, objective.dimension))
    return jnp.where(WEIGHTS[..., None] != 0, start + 0.5 * away, jnp.nan)


def close(ours: Any, theirs: Any) -> None:
    """Equal to 1e-12 of the largest entry, or of 1."""
    atol = 1e-12 * max(1, np.abs(theirs).max())
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)


def plain(values: Values, run: int, ticket: int, point: Any) -> tuple[Any, int]:
    """What the twin says of one ticket in one run, times its weight."""
    value, steps = values.sample(ROOTS[run], point, Ticket(*TICKETS[ticket].tolist()))
    return WEIGHTS[run, ticket] * value, steps


def assert_twins(values: Values, at: Any) -> None:
    """At one point per run, and each ticket at its own of ``at`` (R, B, d)."""
    total, taken = values.gradient(ROOTS, at[:, 0], TICKETS, WEIGHTS)
    each, lengths = values.gradients(ROOTS, at, TICKETS, WEIGHTS)
    assert (total.shape[0], each.shape[:2]) == (3, WEIGHTS.shape)
    np.testing.assert_array_equal(np.asarray(each)[WEIGHTS == 0], 0)
    np.testing.assert_array_equal(np.asarray(lengths)[WEIGHTS == 0], 0)
    for run in RUNS:
        used = np.flatnonzero(WEIGHTS[run])
        there = [plain(values, run, ticket, at[run, 0]) for ticket in used]
        close(total[run], sum(value for value, _ in there))
        assert taken[run] == sum(steps for _, steps in there)
        for ticket in used:
            value, steps = plain(values, run, ticket, at[run, ticket])
            close(each[run, ticket], value)
            assert lengths[run, ticket] == steps


def test_gradients_are_those_of_the_twin(objective: Objective) -> None:
    assert_twins(objective, points(objective))


def test_lengths_are_those_of_the_same_episodes(objective: Objective) -> None:
    """Alone as well as among others."""
    if objective.episodes is None:
        return
    at = points(objective)[0]
    found = objective.episodes.lengths(ROOTS[0], at, TICKETS, WEIGHTS[0])
    assert (found.shape, found.dtype) == ((4,), jnp.int32)
    expected = [plain(objective, 0, ticket, at[ticket])[1] for ticket in range(3)]
    assert found.tolist() == [*expected, 0]
    alone = objective.episodes.lengths(ROOTS[0], at[2:3], TICKETS[2:3], np.ones(1))
    assert alone.tolist() == expected[2:]


def test_evaluations_are_those_of_single_runs(objective: Objective) -> None:
    at = points(objective)[:, 0]
    found = objective.evaluate(ROOTS, at, 4, 3, GOING)
    assert found.keys() == objective.metrics.keys()
    for run in RUNS:
        alone = one_run.evaluate(objective, ROOTS[run], at[run], 4, 3)
        for name, values in found.items():
            close(values[run], alone[name])


@pytest.mark.parametrize("objective", ["isotropic", "tabular", "pairs of carts"], indirect=True)
def test_local_work_is_that_of_the_twin(objective: Objective) -> None:
    """Of a gradient's oracle, and of one that also weighs a sample at another point."""
    at = points(objective)
    assert objective.local is not None
    if objective.exact is not None:
        assert_twins(objective.local(ascent(2, 0.01)), at)
    if objective.metrics.keys() & {"value", "return"}:
        payload = jax.vmap(jax.vmap(lambda x: pack(x, x + 0.01, 0.1 * x, jnp.asarray(0.5))))(at)
        assert_twins(objective.local(variance_reduced(2, 0.1)), payload)


def test_an_environment_on_the_host_has_no_local_work() -> None:
    hosted = OBJECTIVES["policy-gradient"](**KINDS["robots"]).build(workers=2)
    assert (hosted.on_host, hosted.local) == (True, None)


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
def test_an_objective_may_omit_optional_members(executor: Any) -> None:
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
