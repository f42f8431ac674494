"""Are exactly the used gradients computed, and is batching them only a matter of speed?

``groups`` is asked what it may put together; ``BatchedExecutor`` must give what its plain twin
gives ticket by ticket, in float64, for barrier methods, one-by-one methods and steps that mix
versions.
"""

from itertools import chain, islice

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from algorithms.methods import greedy, malenia, rennala, synchronous
from algorithms.tickets import Ticket
from simulator.cluster import Cluster, Fixed, Power
from simulator.engine import Simulation, Stop
from simulator.objectives.policies import perceptron
from simulator.objectives.policy_gradient import policy_gradient
from simulator.objectives.tables.linear_quadratic import LinearQuadraticTable
from simulator.objectives.tables.quadratic import QuadraticTable
from simulator.objectives.tables.tabular import TabularTable
from simulator.schedule import Step
from simulator.training.executor import (
    BatchedExecutor,
    DebugExecutor,
    Evaluated,
    RunContext,
)
from simulator.training.train import LARGEST, Group, groups

ROOT = jax.random.key(5)
BARRIERS = {"synchronous": synchronous(), "rennala": rennala(6), "malenia": malenia(6)}


def step(version, *tickets, weights=None):
    """A server step from (worker, version, index) triples, its mean unless said otherwise."""
    tickets = [Ticket(*ticket) for ticket in tickets]
    weights = [1 / len(tickets)] * len(tickets) if weights is None else list(weights)
    return Step(version, float(version), tickets, weights, 0, None)


def schedule(aggregation, *, steps, compute, workers):
    law = Fixed(compute)
    return list(Simulation(Cluster(workers, law), aggregation).steps(Stop(steps=steps)))


def newest(step):
    return max(step.versions)


# Groups


def whole(steps):
    """The groups without the empty one that ends them."""
    *found, last = groups(steps)
    assert last == Group([])
    return found


@pytest.mark.parametrize("name", BARRIERS)
def test_a_barrier_methods_group_is_one_step(name):
    steps = schedule(BARRIERS[name], steps=8, compute=[1.0, 2.0, 3.5], workers=3)
    found = whole(steps)
    assert [group.steps for group in found] == [[each] for each in steps]
    assert [group.following for group in found] == [*steps[1:], None]


def test_equal_workers_steps_go_together():
    steps = schedule(greedy(), steps=10, compute=1.0, workers=4)
    found = whole(steps)
    assert [len(group.steps) for group in found] == [4, 4, 2]
    assert [group.following for group in found] == [steps[4], steps[8], None]


@pytest.mark.parametrize("workers", [1, 2, 7, 30])
def test_a_group_needs_known_points_only_and_is_as_long_as_can_be(workers):
    simulation = Simulation(Cluster(workers, Power(exponent=0.5)), greedy())
    steps = list(simulation.steps(Stop(steps=300)))
    found = whole(steps)
    assert list(chain.from_iterable(group.steps for group in found)) == steps
    assert max(len(group.steps) for group in found) > (1 if workers > 1 else 0)
    for group in found:
        first = group.steps[0].version
        assert all(newest(each) <= first for each in group.steps)
        assert group.following is None or newest(group.following) > first


def test_a_group_has_at_most_as_many_tickets_as_the_largest_batch():
    steps = schedule(greedy(), steps=250, compute=1.0, workers=100)
    assert [len(group.steps) for group in whole(steps)] == [64, 64, 64, 58]
    many = [step(k, *[(k, 0, j) for j in range(30)]) for k in range(5)]
    assert [len(group.steps) for group in whole(many)] == [2, 2, 1]


def test_a_step_larger_than_any_batch_stands_alone():
    large = step(1, *[(0, 0, j) for j in range(LARGEST + 1)])
    steps = [step(0, (1, 0, 0)), large, step(2, (2, 0, 0))]
    assert [group.steps for group in whole(steps)] == [[each] for each in steps]


def test_steps_before_an_error_come_out_first():
    steps = [step(0, (0, 0, 0)), step(1, (1, 0, 0)), step(2, (0, 1, 0))]

    def broken():
        yield from steps
        raise LookupError("no worker left")

    stream = groups(broken())
    assert next(stream).steps == steps[:2]
    last = next(stream)
    assert last.steps == steps[2:]
    assert last.following is None
    assert next(stream) == Group([])
    with pytest.raises(LookupError, match="no worker left"):
        next(stream)


def test_an_error_at_once_comes_after_the_empty_group():
    def broken():
        raise LookupError("no worker at all")
        yield

    stream = groups(broken())
    assert next(stream) == Group([])
    with pytest.raises(LookupError):
        next(stream)


def test_with_lengths_every_step_comes_out_before_the_next():
    taken = []
    steps = (each for each in [step(k, (0, 0, k)) for k in range(3)] if not taken.append(each))
    for count, group in enumerate(groups(steps, ahead=False), 1):
        assert len(taken) == min(count, 3)
        assert len(group.steps) == (count <= 3)


def test_the_loop_reads_one_step_ahead():
    steps = [step(k, (0, k, 0)) for k in range(9)]
    taken = []
    stream = groups(each for each in steps if not taken.append(each))
    list(islice(stream, 3))
    assert len(taken) == 4


# Batched against plain


@pytest.fixture(scope="module")
def quadratic():
    table = QuadraticTable(kind="quadratic", dimension=12, variant="random", scale=0.3)
    return table.build(workers=LARGEST + 3)


@pytest.fixture(scope="module")
def cartpole():
    return policy_gradient("CartPole-v1", policy=perceptron((4,)), horizon=6, dtype="float64")


@pytest.fixture(params=["quadratic", "cartpole"])
def objective(request):
    return request.getfixturevalue(request.param)


def points(objective, versions):
    """A point of its own for every version, so that mixing them up cannot go unnoticed."""
    start, random = objective.initial_point(ROOT), np.random.default_rng(0)
    return {v: start + 0.3 * jnp.asarray(random.normal(size=start.shape)) for v in range(versions)}


def alone(executor, known, group):
    """What an executor finds for a single run."""
    rows = {version: point[None] for version, point in known.items()}
    found = executor.evaluate(RunContext(ROOT[None], rows, np.array([True]), {}), group)
    assert all(len(part) == 1 for each in found for part in each)
    return [Evaluated(*(part[0] for part in each)) for each in found]


def both(objective, group):
    """The group's gradients, batched and plain; they must be equal."""
    known = points(objective, 1 + max(map(newest, group)))
    fast = alone(BatchedExecutor(objective), known, group)
    plain = alone(DebugExecutor(objective), known, group)
    assert len(fast) == len(plain) == len(group)
    for one, other in zip(fast, plain, strict=True):
        assert one.gradient.dtype == other.gradient.dtype == jnp.float64
        np.testing.assert_allclose(one.gradient, other.gradient, rtol=1e-12, atol=1e-12)
        assert int(one.environment_steps) == int(other.environment_steps)
    return fast


def test_rennala(objective):
    *_, last = schedule(rennala(3), steps=2, compute=[1.0, 2.5], workers=2)
    assert len(last.tickets) == 3  # not a size of a batch: one row is padding
    both(objective, [last])


def test_malenia_with_unequal_weights_in_chunks(quadratic):
    (only,) = schedule(malenia(4), steps=1, compute=[1.0, 65.0, 65.5], workers=3)
    assert len(only.tickets) > LARGEST
    assert len(set(only.weights)) == 2
    both(quadratic, [only])


def test_greedy_groups(objective):
    steps = schedule(greedy(), steps=12, compute=[1.0, 1.7, 2.9], workers=3)
    found = [group.steps for group in whole(steps)]
    mixed = [g for g in found if len({newest(each) for each in g}) > 1]
    results = both(objective, mixed[-1])
    assert not np.allclose(results[0].gradient, results[1].gradient)


def test_a_group_of_more_tickets_than_one_batch_holds(quadratic):
    """``groups`` makes none, but an executor does not rely on that."""
    both(quadratic, [step(k, (k, k % 3, 0)) for k in range(LARGEST + 3)])


def test_one_step_may_mix_versions(quadratic):
    """As a method with a table of old gradients would."""
    both(quadratic, [step(6, (0, 0, 2), (1, 3, 0), (2, 5, 0), weights=[0.2, 0.3, 0.5])])


def test_a_group_of_steps_that_mix_versions(objective):
    both(objective, [step(6, (0, 0, 2), (1, 3, 0), weights=[0.4, 0.1]), step(7, (2, 5, 0))])


# Gradients away from their ticket's point


@pytest.fixture(scope="module")
def pendulum():
    return policy_gradient("Pendulum-v1", policy=perceptron((4,)), horizon=6, dtype="float64")


@pytest.fixture(scope="module")
def tabular():
    return TabularTable(kind="tabular", states=3, actions=2, horizon=6).build(workers=3)


@pytest.fixture(scope="module")
def linear():
    return LinearQuadraticTable(kind="linear-quadratic", states=2, horizon=6).build(workers=3)


SIX = [(0, 1, 0), (1, 0, 2), (2, 2, 0), (0, 3, 1), (1, 3, 3), (2, 3, 4)]
MIXED = {
    Ticket(0, 1, 0): ((1, 0.0), (2, 0.3), (4, 0.9)),
    Ticket(1, 0, 2): ((0, 0.0), (3, 0.5)),
    Ticket(2, 2, 0): ((2, 0.0), (3, 0.0)),
    Ticket(1, 3, 3): ((3, 0.0), (4, 1.0)),
}


def away(importance=None, mixtures=None):
    """A step at version 4 with gradients of four versions."""
    found = step(4, *SIX, weights=[0.3, -1.0, 0.2, 0.5, 0.1, 1.5])
    return found._replace(importance=importance, mixtures=mixtures)


AWAY = [("quadratic", 1.2, None), ("cartpole", 1.2, None), ("cartpole", 1.2, MIXED)]
AWAY += [("tabular", 1.2, None), ("tabular", None, MIXED), ("tabular", 1.2, MIXED)]
AWAY += [("pendulum", None, MIXED), ("linear", 1.2, MIXED)]


@pytest.mark.parametrize(("name", "importance", "mixtures"), AWAY)
def test_importance_and_mixtures(name, importance, mixtures, request):
    objective = request.getfixturevalue(name)
    (found,) = both(objective, [away(importance, mixtures)])
    known = points(objective, 5)
    (plain,) = alone(BatchedExecutor(objective), known, [away()])
    assert np.abs(found.gradient - plain.gradient).max() > 1e-3


def test_a_group_of_mixtures_is_one_batch(tabular):
    first = step(4, *SIX[:2])._replace(mixtures=MIXED)
    second = step(5, *SIX[2:])._replace(mixtures=MIXED)
    both(tabular, [first, second])


def test_with_the_points_of_the_tickets_nothing_changes(objective):
    """A weight of 1 changes the rounding alone."""
    there = step(3, (0, 3, 0), (1, 3, 0), (1, 3, 1))
    known = points(objective, 4)
    plain, weighed = (
        alone(BatchedExecutor(objective), known, [each])[0]
        for each in (there, there._replace(importance=1e9))
    )
    np.testing.assert_allclose(weighed.gradient, plain.gradient, rtol=1e-12, atol=1e-14)
    assert int(weighed.environment_steps) == int(plain.environment_steps)


def test_steps_wait_for_the_points_that_they_need():
    old = [step(version, (version, 0, 0)) for version in range(3)]
    assert [group.steps for group in whole(old)] == [old]
    weighted = [each._replace(importance=2.0) for each in old]
    assert [group.steps for group in whole(weighted)] == [[each] for each in weighted]
    mixed = old[2]._replace(mixtures={Ticket(2, 0, 0): ((0, 0.0), (1, 0.5))})
    assert [group.steps for group in whole([*old[:2], mixed])] == [old[:2], [mixed]]
