"""What an objective's table says of it before it is built is true of what is built."""

from typing import Any

import jax
import numpy as np
import one_run
import pytest

from simulator.objectives.catalogue import OBJECTIVES, PolicyGradientTable
from simulator.objectives.objective import Size

ROOT = jax.random.key(0)


def policy_gradient(environment: str, **settings: Any) -> PolicyGradientTable:
    return PolicyGradientTable(kind="policy-gradient", environment=environment, **settings)


@pytest.mark.parametrize(
    ("environment", "hidden", "dtype"),
    [
        ("CartPole-v1", [64, 64], "float32"),
        ("Pendulum-v1", [32, 5, 7], "float64"),
        ("Acrobot-v1", [1], "float64"),
        ("MountainCarContinuous-v0", [3], "float32"),
    ],
)
def test_the_size_of_a_policys_points(environment: str, hidden: list[int], dtype: str) -> None:
    table = policy_gradient(environment, policy={"hidden": hidden}, dtype=dtype)
    start = table.build(workers=2).initial_point(ROOT)
    assert table.size(workers=2) == Size(len(start), start.dtype.itemsize)
    assert start.dtype == dtype


@pytest.mark.parametrize("kind", sorted(OBJECTIVES.keys() - {"policy-gradient"}))
def test_an_exact_objective_starts_alike_for_all_seeds(kind: str) -> None:
    table = OBJECTIVES[kind](kind=kind)
    built = table.build(workers=3)
    start, other = (built.initial_point(jax.random.key(seed)) for seed in (0, 1))
    np.testing.assert_array_equal(start, other)
    assert table.size(3) == Size(len(start), start.dtype.itemsize) == Size(built.dimension, 8)
    looks = [one_run.evaluate(built, jax.random.key(s), start, s, 1 + s) for s in range(2)]
    assert looks[0] == looks[1]
    assert looks[0].keys() == built.metrics.keys() == table.metrics.keys()
    assert built.exact is not None


def test_a_separate_trunk_has_a_size_of_its_own() -> None:
    shared, separate = (
        policy_gradient("Pendulum-v1", policy={"hidden": [6], "trunk": trunk})
        for trunk in ("shared", "separate")
    )
    assert (shared.size(2).dimension, separate.size(2).dimension) == (24 + 14, 2 * (24 + 7))
    assert separate.build(workers=2).dimension == separate.size(2).dimension


def test_discrete_actions_have_no_trunk_to_separate() -> None:
    table = policy_gradient("CartPole-v1", policy={"trunk": "separate"})
    with pytest.raises(ValueError, match=r"^policy.trunk = 'separate': is for continuous"):
        table.check(workers=2)


def test_options_change_the_size_with_the_environment() -> None:
    small, large = (
        policy_gradient("FrozenLake-v1", environment_options={"map_name": name})
        for name in ("4x4", "8x8")
    )
    assert small.size(workers=2).dimension == small.build(workers=2).dimension
    assert large.size(workers=2).dimension - small.size(workers=2).dimension == (64 - 16) * 64
    assert policy_gradient("Pendulum-v1", environment_options={"max_torque": 3.0}).size(workers=2)


@pytest.mark.parametrize("environment", ["Acrobat-v1", "CartPole-v1"])
def test_no_environment_no_size(environment: str) -> None:
    """The errors are those of a check."""
    table = policy_gradient(environment, environment_options={"lenght": 1})
    with pytest.raises(ValueError, match=r"^environment") as checked:
        table.check(workers=2)
    with pytest.raises(ValueError, match=r"^environment") as measured:
        table.size(workers=2)
    assert str(measured.value) == str(checked.value)


def test_a_table_knows_whether_its_objective_plays() -> None:
    for kind, table in OBJECTIVES.items():
        more = {"environment": "CartPole-v1"} if kind == "policy-gradient" else {}
        given = table(kind=kind, **more)
        assert (given.build(workers=2).episodes is not None) == given.plays


def test_a_gradient_of_several_episodes_costs_as_much_as_all_of_them() -> None:
    one, four = (policy_gradient("CartPole-v1", episodes=count) for count in (1, 4))
    assert four.episode_steps == 4 * one.episode_steps
    single, several = (table.cost(table.size(2), 2, episodes=32) for table in (one, four))
    assert several == single._replace(gradient=4 * single.gradient, rows=4 * single.rows)
