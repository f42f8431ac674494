"""What an objective's table says of it before it is built is true of what is built."""

from typing import Any

import jax
import pytest

from simulator.objectives.catalogue import (
    OBJECTIVES,
    ChainTable,
    LinearQuadraticTable,
    PolicyGradientTable,
    QuadraticTable,
    TabularTable,
)
from simulator.objectives.environments.catalogue import OWN
from simulator.objectives.objective import Size

ROOT = jax.random.key(0)


def policy_gradient(environment: str, **settings: Any) -> PolicyGradientTable:
    return PolicyGradientTable(kind="policy-gradient", environment=environment, **settings)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", [[1], [64, 64], [32, 5, 7]])
@pytest.mark.parametrize("environment", [*OWN, "Acrobot-v1", "MountainCarContinuous-v0"])
def test_the_size_of_a_policys_points(environment: str, hidden: list[int], dtype: str) -> None:
    table = policy_gradient(environment, policy={"hidden": hidden}, dtype=dtype)
    built = table.build(workers=2)
    assert table.size(workers=2) == Size(built.dimension, {"float32": 4, "float64": 8}[dtype])
    assert (
        built.initial_point(ROOT).nbytes
        == table.size(workers=2).dimension * table.size(workers=2).itemsize
    )


def test_a_separate_trunk_has_a_size_of_its_own() -> None:
    shared, separate = (
        policy_gradient("Pendulum-v1", policy={"hidden": [6], "trunk": trunk})
        for trunk in ("shared", "separate")
    )
    assert (shared.size(2).dimension, separate.size(2).dimension) == (24 + 14, 2 * (24 + 7))
    assert separate.build(workers=2).dimension == separate.size(2).dimension


@pytest.mark.parametrize("environment", ["CartPole-v1", "Acrobot-v1"])
def test_discrete_actions_have_no_trunk_to_separate(environment: str) -> None:
    table = policy_gradient(environment, policy={"trunk": "separate"})
    with pytest.raises(ValueError, match=r"^policy.trunk = 'separate': is for continuous"):
        table.check(workers=2)


def test_options_change_the_size_where_they_change_the_environment() -> None:
    small, large = (
        policy_gradient("FrozenLake-v1", environment_options={"map_name": name})
        for name in ("4x4", "8x8")
    )
    assert small.size(workers=2).dimension == small.build(workers=2).dimension
    assert large.size(workers=2).dimension - small.size(workers=2).dimension == (64 - 16) * 64
    assert policy_gradient("Pendulum-v1", environment_options={"max_torque": 3.0}).size(workers=2)


@pytest.mark.parametrize("dimension", [2, 100, 1729])
def test_the_size_of_a_quadratics_points(dimension: int) -> None:
    table = QuadraticTable(kind="quadratic", dimension=dimension)
    start = table.build(workers=2).initial_point(ROOT)
    assert table.size(workers=2) == Size(dimension, 8) == Size(len(start), start.dtype.itemsize)


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
    tables = {
        "chain": ChainTable(kind="chain"),
        "policy-gradient": policy_gradient("CartPole-v1"),
        "quadratic": QuadraticTable(kind="quadratic"),
        "tabular": TabularTable(kind="tabular"),
        "linear-quadratic": LinearQuadraticTable(kind="linear-quadratic"),
    }
    assert set(tables) == set(OBJECTIVES)
    for table in tables.values():
        assert (table.build(workers=2).episodes is not None) == table.plays
