"""Is a tabular policy's return what its definition says, and what its trajectories estimate?

Enumeration of all trajectories and a recursion over time are the oracles of the linear solve;
bounds are held against derivatives at random points.  Tolerances of statistics are five standard
errors.
"""

from functools import cache, partial
from itertools import product
from math import sqrt

import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest

from simulator.objectives.exact import mdps
from simulator.objectives.exact.model import by_surrogate
from simulator.objectives.objective import ticket_keys
from simulator.objectives.sources import oracle_of
from simulator.objectives.tables.tabular import SUPREMA, TabularTable, cut_off, derivatives

ROOT = jax.random.key(5)
SAMPLES = 8192
SMALL = {"states": 4, "actions": 3, "branching": 2, "discount": 0.8, "horizon": 12}
MDPS = {
    "garnet": SMALL,
    "chain": SMALL,
    "grid": {**SMALL, "actions": 4},
}


def table(**settings):
    return TabularTable(kind="tabular", **{**SMALL, **settings})


@cache
def built(mdp="garnet", workers=1, heterogeneity=0.0, **settings):
    chosen = {"mdp": mdp, "heterogeneity": heterogeneity, **MDPS[mdp], **settings}
    return table(**chosen).build(workers)


def process(objective):
    """The model's process in numpy."""
    model = objective.model
    return mdps.Mdp(*map(np.asarray, (model._transitions, model._rewards, model._first)))


def some_point(objective, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=objective.dimension))


def truncated(model, point, worker=0):
    """J_i up to the horizon, forward in time."""
    policy = jax.nn.softmax(point.reshape(model.states, model.actions))

    def step(where, h):
        both = where[:, None] * policy
        got = model.discount**h * jnp.sum(both * model._rewards[worker])
        return jnp.einsum("sa,sat->t", both, model._transitions[worker]), got

    return jax.lax.scan(step, model._first, jnp.arange(model.horizon))[1].sum()


@cache
def truncated_gradient(model):
    """Of J_i up to the horizon: a function of the point and the worker."""
    return jax.jit(jax.grad(lambda at, worker: truncated(model, at, worker)))


def rows(workers, many=SAMPLES):
    return np.stack([np.arange(many) % workers, np.zeros(many, int), np.arange(many)], 1)


def samples(objective, point, worker):
    tickets = rows(1).astype(np.int32) + np.array([worker, 0, 0], np.int32)
    points = jnp.broadcast_to(point, (SAMPLES, len(point)))
    return np.asarray(one_run.gradients(objective, ROOT, points, tickets, np.ones(SAMPLES))[0])


def assert_mean(found, expected):
    """Within five standard errors, in every coordinate."""
    found = np.asarray(found)
    error = found.std(0, ddof=1) / sqrt(len(found))
    assert np.all(np.abs(found.mean(0) - expected) <= 5 * error + 1e-12)


# The processes


@pytest.mark.parametrize("mdp", MDPS)
@pytest.mark.parametrize("heterogeneity", [0.0, 0.3, 1.0])
def test_probabilities_sum_to_one_and_rewards_are_between_zero_and_one(mdp, heterogeneity):
    found = process(built(mdp, 3, heterogeneity))
    assert len(found.rewards) == len(found.transitions) == (3 if heterogeneity else 1)
    assert found.transitions.min() >= 0
    np.testing.assert_allclose(found.transitions.sum(-1), 1, rtol=0, atol=1e-14)
    assert found.start.sum() == pytest.approx(1)
    assert found.rewards.min() >= 0
    assert found.rewards.max() <= 1


def test_a_garnet_has_its_branches():
    found = process(built(states=7, actions=2, branching=3)).transitions
    np.testing.assert_array_equal((found > 0).sum(-1), 3)


def test_a_chain_of_two_states():
    """By hand: both actions' probabilities and rewards."""
    moves, rewards, start = mdps.chain(2, 2)
    np.testing.assert_allclose(moves[0], [[0.1, 0.9], [0.9, 0.1]])
    np.testing.assert_allclose(moves[1], [[0.1, 0.9], [0.9, 0.1]])
    np.testing.assert_allclose(rewards, [[0, 0.1], [1, 0.1]])
    np.testing.assert_array_equal(start, [1, 0])


def test_a_grid_of_four_states():
    moves, rewards, _ = mdps.grid(4)
    # From the corner, down is meant: 0.9, and a quarter of 0.1; up and left stay at the wall.
    np.testing.assert_allclose(moves[0, 1], [0.05, 0.025, 0.925, 0])
    np.testing.assert_array_equal(moves[3], [[1, 0, 0, 0]] * 4)
    np.testing.assert_array_equal(rewards.sum(1), [0, 0, 0, 4])


def test_a_workers_process_depends_on_the_seed_and_the_worker_alone():
    few, many = (process(built("garnet", n, 0.5)) for n in (2, 5))
    np.testing.assert_array_equal(many.transitions[:2], few.transitions)
    np.testing.assert_array_equal(many.rewards[:2], few.rewards)
    assert len(np.unique(many.rewards[:, 0, 0])) == 5
    other = process(built("garnet", 2, 0.5, problem_seed=1))
    assert np.all(other.rewards != few.rewards)


def test_heterogeneity_mixes_the_common_process_and_the_workers_own():
    none, half, full = (process(built("chain", 2, h)) for h in (0.0, 0.5, 1.0))
    for part in ("transitions", "rewards"):
        mixed = (getattr(none, part) + getattr(full, part)) / 2
        np.testing.assert_allclose(getattr(half, part), mixed, rtol=0, atol=1e-15)


# The function


def test_the_value_is_the_limit_of_the_truncated_one():
    objective = built()
    point = some_point(objective)
    value = float(objective.exact.measure(point[None])["value"][0])
    policy = np.asarray(jax.nn.softmax(point.reshape(4, -1)))
    moves, rewards, where = process(objective)
    for h in range(160):
        both = where[:, None] * policy
        value -= 0.8**h * (both * rewards[0]).sum()
        where = np.einsum("sa,sat->t", both, moves[0])
        assert -1e-12 <= value <= 0.8 ** (h + 1) / (1 - 0.8) + 1e-12


def test_the_truncated_value_is_the_sum_over_all_trajectories():
    objective = built(states=2, actions=2, branching=2, horizon=3)
    model, point = objective.model, some_point(objective)
    moves, rewards, start = process(objective)
    policy = np.asarray(jax.nn.softmax(point.reshape(2, 2)))
    total = 0.0
    for path in product(*[range(2)] * 6):
        states, actions = path[:3], path[3:]
        probability, got = start[states[0]], 0.0
        for h, (state, action) in enumerate(zip(states, actions, strict=True)):
            probability *= policy[state, action]
            got += 0.8**h * rewards[0, state, action]
            if h < 2:
                probability *= moves[0, state, action, states[h + 1]]
        total += probability * got
    assert float(truncated(model, point)) == pytest.approx(total, rel=1e-13)


def test_the_gradient_is_that_of_the_policy_gradient_theorem():
    """And what finite differences say, and of norm ``gradient_norm``."""
    objective = built("garnet", 3, 0.5)
    point = some_point(objective)
    moves, rewards, start = process(objective)
    policy = np.asarray(jax.nn.softmax(point.reshape(4, 3)))
    each = []
    for p, r in zip(moves, rewards, strict=True):
        system = np.eye(4) - 0.8 * np.einsum("sa,sat->st", policy, p)
        value = np.linalg.solve(system, (policy * r).sum(1))
        visits = np.linalg.solve(system.T, start)
        advantage = r + 0.8 * p @ value - value[:, None]
        each.append((visits[:, None] * policy * advantage).ravel())
    ascent = objective.exact.ascent(point[None])[0]
    np.testing.assert_allclose(ascent, np.mean(each, 0), rtol=0, atol=1e-13)
    found = jax.jit(jax.jacobian(objective.model.values))(point)
    np.testing.assert_allclose(found, each, rtol=0, atol=1e-13)
    points = point + 1e-5 * jnp.concatenate([jnp.eye(12), -jnp.eye(12)])
    above, below = objective.exact.measure(points)["value"].reshape(2, 12)
    np.testing.assert_allclose(ascent, (above - below) / 2e-5, rtol=0, atol=1e-9)
    norm = one_run.evaluate(objective, ROOT, point, 0, 1)["gradient_norm"]
    assert float(norm) == pytest.approx(np.linalg.norm(np.mean(each, 0)), rel=1e-12)


@pytest.mark.parametrize("mdp", MDPS)
def test_no_policy_is_better_than_the_best_one(mdp):
    objective = built(mdp)
    actions = objective.model.actions
    choices = np.array(list(product(range(actions), repeat=4)))
    sure = 800.0 * np.eye(actions)[choices].reshape(len(choices), -1)
    best = float(objective.exact.measure(jnp.asarray(sure))["value"].max())
    assert mdps.best_value(process(objective), 0.8)[0] == pytest.approx(best, rel=1e-12)


# Samples


def test_trajectories_are_those_of_the_process():
    """Possible, with its rewards, and in each state with each action as often as it says."""
    objective = built()
    moves, rewards, where = process(objective)
    model, point = objective.model, some_point(objective)
    keys = ticket_keys(ROOT, jnp.asarray(rows(1), jnp.int32))
    draw = jax.jit(jax.vmap(model.draw, (0, None, None)))
    states, actions, returns = map(np.asarray, draw(keys, 0, point))
    assert np.all(moves[0, states[:, :-1], actions[:, :-1], states[:, 1:]] > 0)
    got = 0.8 ** np.arange(12) * rewards[0, states, actions]
    np.testing.assert_allclose(returns, got[:, ::-1].cumsum(1)[:, ::-1], rtol=0, atol=1e-14)
    policy = np.asarray(jax.nn.softmax(point.reshape(4, -1)))
    for h in range(12):
        both = where[:, None] * policy
        found = np.zeros_like(both)
        np.add.at(found, (states[:, h], actions[:, h]), 1 / SAMPLES)
        assert np.all(np.abs(found - both) <= 5 * np.sqrt(both * (1 - both) / SAMPLES))
        where = np.einsum("sa,sat->t", both, moves[0])


def test_each_workers_gradients_are_unbiased_for_its_truncated_return():
    objective = built("garnet", 2, 1.0)
    point = some_point(objective)
    found = [samples(objective, point, worker) for worker in range(2)]
    for worker in range(2):
        exact = truncated_gradient(objective.model)(point, worker)
        assert_mean(found[worker], exact)
    apart = np.abs(found[0].mean(0) - found[1].mean(0))
    error = sqrt(2) * np.max([f.std(0) for f in found], 0) / sqrt(SAMPLES)
    assert np.any(apart > 10 * error)


def test_the_mean_of_all_workers_is_the_ascent_but_for_the_horizon():
    objective = built("garnet", 4, 0.6)
    point = some_point(objective)
    each = [truncated_gradient(objective.model)(point, worker) for worker in range(4)]
    bias = float(jnp.linalg.norm(sum(each) / 4 - objective.exact.ascent(point[None])[0]))
    assert 0 < bias <= cut_off(0.8, 12)


def test_the_quick_estimate_is_the_surrogates_gradient():
    objective = built("garnet", 3, 0.5)
    model, point = objective.model, some_point(objective)
    keys, workers = jax.random.split(ROOT, 6), jnp.arange(6, dtype=jnp.int32) % 3
    quick, steps = jax.jit(jax.vmap(model.estimate, (0, 0, None)))(keys, workers, point)
    surrogate = jax.vmap(partial(by_surrogate, model), (0, 0, None))
    plain, plain_steps = jax.jit(surrogate)(keys, workers, point)
    np.testing.assert_allclose(quick, plain, rtol=0, atol=1e-12)
    assert set(map(int, steps)) == set(map(int, plain_steps)) == {12}


def test_weights_and_hessian_products_are_unbiased():
    objective = built("garnet", 2, 0.5, horizon=4)
    model, point = objective.model, some_point(objective)
    other = point + 0.1 * some_point(objective, 1)
    vector = some_point(objective, 2)

    def one(key):
        oracle = oracle_of(model, 1)
        sample = oracle.draw(key, point)
        weight = oracle.weight(sample, point, other)
        product = oracle.hessian_product(sample, point, vector)
        return weight, weight * oracle.gradient(sample, other), product

    keys = ticket_keys(ROOT, jnp.asarray(rows(2), jnp.int32))
    weights, weighted, products = jax.jit(jax.vmap(one))(keys)

    def gradient(at):
        return truncated_gradient(model)(at, 1)

    assert_mean(weights, 1)
    assert_mean(weighted, gradient(other))
    assert_mean(products, jax.jvp(gradient, (point,), (vector,))[1])


# Tickets


# The constants


def test_the_largest_moments_hold_for_any_distribution():
    """Of a, b and c, for random policies and directions, many of them almost the worst."""
    random = np.random.default_rng(0)
    seen = np.zeros(3)
    for actions in (2, 2, 3, 5):
        policy = random.dirichlet(np.full(actions, 0.5), 20_000)
        u = random.normal(size=policy.shape) * random.random(policy.shape) ** 3
        u /= np.linalg.norm(u, axis=1, keepdims=True)
        x = u - (policy * u).sum(1, keepdims=True)
        v, k = ((policy * x**j).sum(1, keepdims=True) for j in (2, 3))
        for j, size in enumerate([x, x**2 - v, x**3 - 3 * v * x - k]):
            seen[j] = max(seen[j], (policy * size**2).sum(1).max())
    assert np.all(np.sqrt(seen) <= SUPREMA)
    assert seen[0] > 0.499  # the first is attained


def third_derivative(model, point, u):
    def along(t):
        return model.value(point + t * u)

    return jax.grad(jax.grad(jax.grad(along)))(0.0)


def test_the_bounds_of_the_derivatives_hold():
    objective = built("garnet", 3, 0.3)
    constants = table(heterogeneity=0.3).constants(3)
    first, _, _ = derivatives(0.8)
    model = objective.model
    hessians = jax.jit(jax.vmap(jax.hessian(model.value)))
    third = jax.jit(jax.vmap(lambda at, u: third_derivative(model, at, u)))
    random = np.random.default_rng(1)
    points = jnp.asarray(3 * random.random((40, 1)) * random.normal(size=(40, model.dimension)))
    directions = random.normal(size=points.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert float(jnp.linalg.norm(objective.exact.ascent(points), axis=1).max()) <= first
    curvatures = np.linalg.norm(hessians(points), 2, axis=(1, 2))
    assert curvatures.max() <= constants.smoothness.value
    assert float(jnp.abs(third(points, directions)).max()) <= constants.hessian_smoothness.value


def test_the_bounds_are_within_reach():
    """One state, two actions with rewards 1 and 0, no future: a logistic curve, solved by hand."""
    first, second, third = derivatives(1e-9)
    x = np.linspace(-6, 6, 2001)
    p = 1 / (1 + np.exp(-x))
    slope = p * (1 - p)
    found = (
        sqrt(2) * slope.max(),
        2 * np.abs(slope * (1 - 2 * p)).max(),
        sqrt(8) * np.abs(slope * (1 - 6 * slope)).max(),
    )
    for bound, attained in zip((first, second, third), found, strict=True):
        assert attained <= bound <= 2 * attained
    assert first == pytest.approx(found[0], abs=1e-6)


@pytest.mark.parametrize("discount", [0.5, 0.9, 0.99])
def test_smoothness_is_below_the_closed_form(discount):
    """With E|Z2| <= E Z1^2 + E v <= h + 1 alone, for rewards within [0, 1]."""
    _, second, _ = derivatives(discount)
    assert second <= 0.5 / (1 - discount) ** 2


def test_the_bound_of_the_deviation_holds():
    objective = built("garnet", 2, 0.3)
    deviation = table(heterogeneity=0.3).constants(2).deviation
    for seed in range(2):
        point = (1 + seed) * some_point(objective, seed)
        exact = jax.jit(jax.jacobian(objective.model.values))(point)
        for worker in range(2):
            found = samples(objective, point, worker) - exact[worker]
            assert (found**2).sum(1).mean() <= deviation.value**2
    assert deviation.status == "bound"


def test_the_gap_is_exact_for_equal_workers_and_otherwise_a_bound():
    alike, unlike = (table(heterogeneity=h).constants(3) for h in (0.0, 0.5))
    assert (alike.gap.status, unlike.gap.status) == ("exact", "bound")
    for constants, objective in ((alike, built()), (unlike, built("garnet", 3, 0.5))):
        model = objective.model
        best = mdps.best_value(process(objective), 0.8).mean()
        start = float(model.value(model.start()))
        assert constants.gap.value == pytest.approx(best - start, rel=1e-12)
        assert 0.5 * constants.gap.value < climb(model) - start <= constants.gap.value


def climb(model):
    """The value after much plain ascent."""
    step = jax.jit(lambda at: at + 20 * model.ascent(at))
    point = model.start()
    for _ in range(400):
        point = step(point)
    return float(model.value(point))


# The table


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"branching": 5}, "branching = 5: at most states = 4"),
        ({"mdp": "grid", "states": 10}, "states = 10: a grid is square: 9 or 16"),
        ({"mdp": "grid"}, "actions = 3: a grid has 4"),
        ({"states": 1000, "actions": 1000, "branching": 2}, "are more than"),
    ],
)
def test_a_check_names_the_mistake(settings, message):
    with pytest.raises(ValueError, match=message):
        table(**settings).check(2)


def test_the_default_horizon_omits_little():
    for discount in (0.1, 0.9, 0.99):
        horizon = table(discount=discount, horizon=None).build(1).model.horizon
        assert discount**horizon < 1.0001e-4 < discount ** (horizon - 1)
