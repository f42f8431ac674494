"""Is a linear controller's cost what its definition says, and what its trajectories estimate?

A recursion of covariances forward in time is the oracle of the Lyapunov equation, in numpy; so are
the numpy functions that the constants are made of.  Tolerances of statistics are five standard
errors.
"""

from functools import cache, partial
from math import sqrt

import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest

from simulator.objectives.exact.linear_systems import (
    Systems,
    best_gains,
    draw_systems,
    gradients,
    lyapunov,
    values,
)
from simulator.objectives.exact.model import by_surrogate
from simulator.objectives.objective import ticket_keys
from simulator.objectives.sources import oracle_of
from simulator.objectives.tables.linear_quadratic import LinearQuadraticTable

ROOT = jax.random.key(5)
SAMPLES = 8192
SMALL = {"states": 3, "actions": 2, "discount": 0.8, "horizon": 8, "noise": 0.3}


def table(**settings):
    return LinearQuadraticTable(kind="linear-quadratic", **{**SMALL, **settings})


@cache
def built(workers=1, heterogeneity=0.0):
    return table(heterogeneity=heterogeneity).build(workers)


def some_gain(seed=0):
    return 0.2 * np.random.default_rng(seed).normal(size=(2, 3))


def some_point(seed=0):
    return jnp.asarray(some_gain(seed).ravel())


def truncated(systems, point, worker=0, horizon=8):
    """J_i up to the horizon, from the covariances of states, forward in time."""
    gain, own, driven = point.reshape(2, 3), systems.own[worker], systems.driven[worker]
    closed, explored = own - driven @ gain, systems.exploration**2
    drift = jnp.asarray(systems.drift[worker])

    def step(covariance, h):
        acted = gain @ covariance @ gain.T + explored * jnp.eye(2)
        got = -(systems.discount**h) * (jnp.trace(covariance) / 3 + jnp.trace(acted) / 2)
        return closed @ covariance @ closed.T + drift, got

    return jax.lax.scan(step, jnp.eye(3), jnp.arange(horizon))[1].sum()


@cache
def truncated_gradient(objective):
    systems = objective.model._systems
    return jax.jit(jax.grad(partial(truncated, systems)), static_argnums=1)


def rows(workers):
    return np.stack([np.arange(SAMPLES) % workers, np.zeros(SAMPLES), np.arange(SAMPLES)], 1)


def samples(objective, point, worker=0):
    tickets = rows(1).astype(np.int32) + np.array([worker, 0, 0], np.int32)
    points = jnp.broadcast_to(point, (SAMPLES, len(point)))
    return np.asarray(one_run.gradients(objective, ROOT, points, tickets, np.ones(SAMPLES))[0])


def assert_mean(found, expected):
    """Within five standard errors, in every coordinate."""
    found = np.asarray(found)
    error = found.std(0, ddof=1) / sqrt(len(found))
    assert np.all(np.abs(found.mean(0) - expected) <= 5 * error + 1e-12)


# The systems


def test_without_control_no_mixture_makes_a_state_longer():
    for strength in (0.0, 0.4, 1.0):
        own, _ = draw_systems(5, shape=(2, 4), radius=0.7, strength=strength, seed=3)
        assert np.linalg.norm(own, 2, axis=(1, 2)).max() <= 0.7 * (1 + 1e-12)
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(own)), 0.7, rtol=1e-12)


def test_a_workers_system_depends_on_the_seed_and_the_worker_alone():
    few, many, other = (
        draw_systems(n, shape=(2, 4), radius=0.7, strength=0.5, seed=seed)
        for n, seed in ((2, 3), (5, 3), (2, 4))
    )
    for a, b, c in zip(few, many, other, strict=True):
        np.testing.assert_array_equal(a, b[:2])
        assert len(np.unique(b[:, 0, 0])) == 5
        assert np.all(a != c)


def test_lyapunov_equations_are_solved():
    random = np.random.default_rng(0)
    closed = 0.3 * random.normal(size=(5, 3, 3))
    step = random.normal(size=(3, 3))
    found = lyapunov(closed, step)
    np.testing.assert_allclose(found, step + closed @ found @ np.swapaxes(closed, 1, 2), atol=1e-13)


# The function


def test_the_value_is_the_limit_of_the_truncated_one():
    """In JAX by a linear system, in numpy by doubling, and forward in time."""
    objective = built(3, 0.5)
    systems, point = objective.model._systems, some_point()
    workers = len(systems.own)
    limits = [float(truncated(systems, point, worker, 600)) for worker in range(workers)]
    found, limited = objective.model.values(point)
    assert np.all(limited)
    np.testing.assert_allclose(found, limits, rtol=1e-12)
    np.testing.assert_allclose(values(systems, some_gain()), limits, rtol=1e-12)
    measured = one_run.evaluate(objective, ROOT, point, 0, 1)
    assert float(measured["value"]) == pytest.approx(np.mean(limits), rel=1e-12)


def test_one_state_by_hand():
    """A = a, B = b: P = (1 + K^2) / (1 - g (a - b K)^2), and a step's noise counts g / (1 - g)."""
    systems = Systems(np.array([[[0.9]]]), np.array([[[0.5]]]), 0.8, 0.3, 0.2)
    cost = (1 + 0.4**2) / (1 - 0.8 * (0.9 - 0.5 * 0.4) ** 2)
    drift = 0.3**2 + (0.5 * 0.2) ** 2
    expected = -cost * (1 + 0.8 / 0.2 * drift) - 0.2**2 / 0.2
    assert values(systems, np.array([[0.4]]))[0] == pytest.approx(expected, rel=1e-13)


def test_the_gradient_is_the_closed_form_and_that_of_finite_differences():
    objective = built(3, 0.5)
    systems, point = objective.model._systems, some_point()
    ascent = np.asarray(objective.exact.ascent(point[None])[0])
    exact = gradients(systems, some_gain())
    np.testing.assert_allclose(ascent, exact.mean(0).ravel(), rtol=1e-11)
    moves = 1e-5 * np.eye(6).reshape(6, 2, 3)
    ahead, behind = (values(systems, some_gain() + way * moves).mean(1) for way in (1, -1))
    np.testing.assert_allclose(ascent, (ahead - behind) / 2e-5, rtol=1e-6, atol=1e-6)
    norm = objective.exact.measure(point[None])["gradient_norm"][0]
    assert float(norm) == pytest.approx(np.linalg.norm(ascent), rel=1e-13)


def test_a_gain_that_is_not_stable_has_no_value():
    """Just beyond the edge, far beyond it, and where but one worker is unstable."""
    objective = built(3, 0.5)
    systems = objective.model._systems
    direction = some_gain(1)
    sizes = np.linspace(0, 30, 600)
    gains = sizes[:, None, None] * direction
    closed = systems.own - systems.driven @ gains[:, None]
    radii = np.abs(np.linalg.eigvals(sqrt(0.8) * closed)).max(-1)
    assert {0, 1, 2, 3} >= set((radii < 1).sum(1)) >= {0, 2, 3}
    stable = (radii < 1).all(1)
    measured = objective.exact.measure(jnp.asarray(gains.reshape(600, 6)))
    np.testing.assert_array_equal(np.isfinite(measured["value"]), stable)
    np.testing.assert_array_equal(measured["value"][~stable], -np.inf)
    np.testing.assert_array_equal(np.isnan(measured["gradient_norm"]), ~stable)
    np.testing.assert_array_equal(np.isfinite(values(systems, gains)), radii < 1)
    ascent = objective.exact.ascent(jnp.asarray(gains.reshape(600, 6)))
    np.testing.assert_array_equal(np.isnan(ascent).all(1), ~stable)


def test_the_best_gain_is_a_maximum():
    objective = built(3, 0.5)
    systems = objective.model._systems
    random = np.random.default_rng(0)
    for worker, gain in enumerate(best_gains(systems)):
        assert np.abs(gradients(systems, gain)[worker]).max() < 1e-12
        best = values(systems, gain)[worker]
        others = gain + 0.3 * random.normal(size=(50, 2, 3))
        assert values(systems, others)[:, worker].max() < best


# Samples


def test_each_workers_gradients_are_unbiased_for_its_truncated_return():
    objective, point = built(2, 1.0), some_point()
    found = [samples(objective, point, worker) for worker in range(2)]
    for worker in range(2):
        assert_mean(found[worker], truncated_gradient(objective)(point, worker))
    apart = np.abs(found[0].mean(0) - found[1].mean(0))
    assert np.any(apart > 10 * found[0].std(0) / sqrt(SAMPLES))


def test_the_quick_estimate_is_the_surrogates_gradient():
    model, point = built(3, 0.5).model, some_point()
    keys, workers = jax.random.split(ROOT, 6), jnp.arange(6, dtype=jnp.int32) % 3
    quick, steps = jax.jit(jax.vmap(model.estimate, (0, 0, None)))(keys, workers, point)
    surrogate = jax.vmap(partial(by_surrogate, model), (0, 0, None))
    plain, plain_steps = jax.jit(surrogate)(keys, workers, point)
    np.testing.assert_allclose(quick, plain, rtol=0, atol=1e-12)
    assert set(map(int, steps)) == set(map(int, plain_steps)) == {8}


def test_weights_and_hessian_products_are_unbiased():
    model, point = table(horizon=3).build(1).model, some_point()
    systems = model._systems
    other, vector = point + 0.1 * some_point(1), some_point(2)

    def one(key):
        oracle = oracle_of(model, 0)
        sample = oracle.draw(key, point)
        weight = oracle.weight(sample, point, other)
        product = oracle.hessian_product(sample, point, vector)
        return weight, weight * oracle.gradient(sample, other), product

    keys = ticket_keys(ROOT, jnp.asarray(rows(1), jnp.int32))
    weights, weighted, products = jax.jit(jax.vmap(one))(keys)
    gradient = jax.grad(partial(truncated, systems, horizon=3))
    assert_mean(weights, 1)
    assert_mean(weighted, gradient(other))
    assert_mean(products, jax.jvp(gradient, (point,), (vector,))[1])


# Tickets


# The constants


def test_the_gap_is_exact_for_equal_workers_and_otherwise_a_bound():
    alike, unlike = (table(heterogeneity=h).constants(3) for h in (0.0, 0.5))
    assert (alike.gap.status, unlike.gap.status) == ("exact", "bound")
    systems = built().model._systems
    best = values(systems, best_gains(systems)[0])[0]
    start = values(systems, np.zeros((2, 3)))[0]
    assert alike.gap.value == pytest.approx(best - start, rel=1e-13)
    systems = built(3, 0.5).model._systems
    gain = np.zeros((2, 3))
    for _ in range(500):
        gain = gain + 0.02 * gradients(systems, gain).mean(0)
    climbed = (values(systems, gain) - values(systems, np.zeros((2, 3)))).mean()
    assert 0.1 < climbed <= unlike.gap.value


def test_the_curvature_is_that_of_autodiff_along_the_way():
    """At the start and the best gain, it is no larger; at the larger of them, not far below."""
    constants, objective = table().constants(1), built()
    systems = objective.model._systems
    hessian = jax.jit(jax.jacobian(objective.model.ascent))
    ends = [np.zeros(6), best_gains(systems)[0].ravel()]
    hessians = [np.asarray(hessian(jnp.asarray(end))) for end in ends]
    largest = max(np.linalg.norm(h, 2) for h in hessians)
    # Finite differences of size 1e-5 have errors of about 1e-10, squared and scaled.
    assert largest <= constants.smoothness.value * (1 + 1e-6)
    assert constants.smoothness.value <= 4 * largest
    steepness = np.linalg.norm(hessians[0] - hessians[1], 2) / np.linalg.norm(ends[0] - ends[1])
    assert steepness <= constants.hessian_smoothness.value * (1 + 1e-6)
    assert constants.smoothness.status == constants.hessian_smoothness.status == "estimate"


def test_the_deviation_is_that_of_the_objectives_own_samples():
    """In numpy and in JAX: at the start, the worst place or close to it."""
    constants, objective = table().constants(1), built()
    start = np.zeros(6)
    errors = samples(objective, jnp.asarray(start)) - np.asarray(
        objective.exact.ascent(start[None])[0]
    )
    squares = (errors**2).sum(1)
    error = 5 * squares.std() * sqrt(1 / SAMPLES + 1 / 256)
    assert squares.mean() - error <= constants.deviation.value**2 <= 4 * squares.mean()
    assert constants == table().constants(1)  # its random numbers are fixed


def test_the_constants_look_at_no_more_than_some_workers():
    few, many = (table(heterogeneity=0.2).constants(n) for n in (16, 40))
    assert few[:3] == many[:3]
    assert few.gap != many.gap
