"""Is the quadratic the one of the literature, and is its noise what it is said to be?

Known values (TR23 and Ringmaster settings), a dense matrix as the oracle of the tridiagonal
arithmetic, and the noise against its own moments.  Statistical tolerances are five standard
errors: a right sampler fails one such test in two million.
"""

from functools import cache
from math import cos, pi, sqrt

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from algorithms.tickets import Ticket
from simulator.objectives.quadratic import Quadratic, ascent

ROOT = jax.random.key(3)
SAMPLES = 4096
KINDS = ["isotropic", "shared", "progress"]


def dense(dimension):
    """A and b of f(x) = x'Ax/2 - b'x, as matrices."""
    ones = np.ones(dimension - 1)
    matrix = (2 * np.eye(dimension) - np.diag(ones, 1) - np.diag(ones, -1)) / 4
    offset = np.zeros(dimension)
    offset[0] = -1 / 4
    return matrix, offset


def some_point(dimension, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=dimension))


def measured(objective, point):
    return {name: float(v) for name, v in objective.evaluate(ROOT, point, 0, 1).items()}


@cache
def quadratic(noise="isotropic", scale=0.5, dimension=10):
    return Quadratic(dimension, noise=noise, scale=scale, probability=0.25)


def samples(objective, point, root=ROOT):
    """The noisy gradients of many tickets at one point, a row each."""
    tickets = np.stack([np.arange(SAMPLES) % 7, np.arange(SAMPLES) % 5, np.arange(SAMPLES)], 1)
    points = jnp.broadcast_to(point, (SAMPLES, len(point)))
    each, _ = objective.gradients(root, points, tickets.astype(np.int32), np.ones(SAMPLES))
    return np.asarray(each)


# The function


@pytest.mark.parametrize(
    ("dimension", "gap", "norm_squared"),
    [(1729, 442.770239, 550.770311), (1000, 258.030569, 320.468194)],
)
def test_the_known_values_at_the_initial_point(dimension, gap, norm_squared):
    objective = Quadratic(dimension)
    start = objective.initial_point(ROOT)
    np.testing.assert_array_equal(start[1:], 0)
    assert float(start[0]) == sqrt(dimension)
    found = measured(objective, start)
    assert found["gap"] == pytest.approx(gap, abs=1e-6)  # as printed: six decimals
    assert found["gradient_norm"] ** 2 == pytest.approx(norm_squared, abs=1e-6)


@pytest.mark.parametrize("dimension", [2, 3, 40])
def test_the_minimum_is_where_the_dense_system_says(dimension):
    matrix, offset = dense(dimension)
    best = np.linalg.solve(matrix, offset)
    lowest = best @ matrix @ best / 2 - offset @ best
    assert lowest == pytest.approx(-dimension / (8 * (dimension + 1)), rel=1e-12)
    found = measured(Quadratic(dimension), jnp.asarray(best))
    assert found == pytest.approx({"gap": 0, "gradient_norm": 0}, abs=1e-12)


@pytest.mark.parametrize("dimension", [2, 3, 40])
def test_the_curvature_is_the_dense_one_and_its_largest_is_as_printed(dimension):
    matrix, _ = dense(dimension)
    curvature = -np.asarray(jax.jacobian(ascent)(some_point(dimension)))
    np.testing.assert_allclose(curvature, matrix, atol=1e-15)
    largest = np.linalg.eigvalsh(curvature)[-1]
    assert largest == pytest.approx((1 + cos(pi / (dimension + 1))) / 2, rel=1e-12)


@pytest.mark.parametrize("dimension", [2, 3, 40])
def test_value_and_gradient_against_the_dense_function(dimension):
    matrix, offset = dense(dimension)

    def value(point):
        return offset @ point - point @ matrix @ point / 2

    point = some_point(dimension)
    exact = jax.grad(value)(point)
    np.testing.assert_allclose(ascent(point), exact, rtol=0, atol=1e-13)
    found = measured(Quadratic(dimension), point)
    highest = dimension / (8 * (dimension + 1))
    assert found["gap"] == pytest.approx(highest - float(value(point)), rel=1e-12)
    assert found["gradient_norm"] == pytest.approx(float(jnp.linalg.norm(exact)), rel=1e-12)


# The noise


@pytest.mark.parametrize("noise", ["isotropic", "shared"])
def test_gaussian_noise_is_unbiased_and_of_the_given_scale(noise):
    objective, point = quadratic(noise), some_point(10)
    errors = (samples(objective, point) - np.asarray(ascent(point))) / 0.5
    assert np.abs(errors.mean(0)).max() < 5 / sqrt(SAMPLES)
    # The square of a standard normal has variance 2.
    assert np.abs((errors**2).mean(0) - 1).max() < 5 * sqrt(2 / SAMPLES)


def test_isotropic_noise_is_independent_between_coordinates():
    point = some_point(10)
    errors = (samples(quadratic("isotropic"), point) - np.asarray(ascent(point))) / 0.5
    products = errors.T @ errors / SAMPLES
    assert np.abs(products[np.triu_indices(10, 1)]).max() < 5 / sqrt(SAMPLES)
    total = (errors**2).sum(1).mean()
    assert total == pytest.approx(10, abs=5 * sqrt(2 * 10 / SAMPLES))


def test_shared_noise_is_one_number_for_all_coordinates():
    point = some_point(10)
    errors = samples(quadratic("shared"), point) - np.asarray(ascent(point))
    np.testing.assert_allclose(errors, np.repeat(errors[:, :1], 10, 1), rtol=0, atol=1e-14)
    total = (errors**2).sum(1).mean()  # scale^2 d, and ten times as uncertain as one coordinate
    assert total == pytest.approx(0.25 * 10, abs=5 * 0.25 * 10 * sqrt(2 / SAMPLES))


def test_no_scale_no_noise():
    point = some_point(10)
    for noise in ("isotropic", "shared"):
        found = samples(quadratic(noise, scale=0.0), point)
        np.testing.assert_array_equal(found, np.broadcast_to(ascent(point), found.shape))


@pytest.mark.parametrize(
    ("point", "reached"),
    [((2, 1, 0, 3, 0, 0, 0, 0, 0, 0), 3), ((0,) * 10, -1), ((1,) * 9 + (0,), 8), ((1,) * 10, 9)],
    ids=["a gap within", "nothing reached", "all but one", "all reached"],
)
def test_progress_noise_touches_only_what_is_not_reached_yet(point, reached):
    point = jnp.array(point, jnp.float64)
    exact, found = np.asarray(ascent(point)), samples(quadratic("progress"), point)
    known = np.s_[:, : reached + 1]
    np.testing.assert_array_equal(found[known], np.broadcast_to(exact, found.shape)[known])
    beyond = np.s_[:, reached + 1 :]
    expected = np.broadcast_to(exact, found.shape)[beyond]
    assert np.all((found[beyond] == 0) | (found[beyond] == 4 * expected))
    np.testing.assert_array_equal(found[:, reached + 2 :], 0)  # one new coordinate at a time


def test_progress_noise_is_unbiased_and_bernoulli():
    point = jnp.array([2.0, 1, 0, 3, 0, 0, 0, 0, 0, 0])
    new = samples(quadratic("progress"), point)[:, 4] / float(ascent(point)[4])
    # 1/p with probability p, else 0: the variance is (1 - p)/p = 3 for p = 1/4.
    assert new.mean() == pytest.approx(1, abs=5 * sqrt(3 / SAMPLES))
    assert set(np.unique(new)) == {0.0, 4.0}


# Tickets


@pytest.mark.parametrize("noise", KINDS)
def test_a_tickets_gradient_is_the_same_in_any_batch(noise):
    objective, point = quadratic(noise), some_point(10).at[6:].set(0)
    tickets = np.array([[0, 0, 0], [3, 1, 4], [1, 5, 9], [2, 6, 5], [3, 5, 8]], np.int32)
    points = jnp.broadcast_to(point, (5, 10))
    together, _ = objective.gradients(ROOT, points, tickets, np.ones(5))
    backwards, _ = objective.gradients(ROOT, points, tickets[::-1], np.ones(5))
    np.testing.assert_allclose(backwards[::-1], together, rtol=0, atol=1e-15)
    for place, row in enumerate(tickets):
        alone, _ = objective.gradients(ROOT, points[:1], row[None], np.ones(1))
        only, _ = objective.gradient(ROOT, point, tickets, np.eye(5)[place])
        plain, steps = objective.sample(ROOT, point, Ticket(*map(int, row)))
        assert steps == 0
        for found in (alone[0], only, plain):
            np.testing.assert_allclose(found, together[place], rtol=0, atol=1e-14)


def test_gradient_is_the_weighted_sum():
    objective, point = quadratic(), some_point(10)
    tickets = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 1]], np.int32)
    weights = np.array([0.5, 0.25, 2.0])
    each, _ = objective.gradients(ROOT, jnp.stack([point] * 3), tickets, weights)
    plain = [objective.sample(ROOT, point, Ticket(*map(int, row)))[0] for row in tickets]
    np.testing.assert_allclose(each, weights[:, None] * np.array(plain), rtol=0, atol=1e-14)
    total, _ = objective.gradient(ROOT, point, tickets, weights)
    np.testing.assert_allclose(total, weights @ np.array(plain), rtol=0, atol=1e-14)


def test_other_tickets_and_seeds_have_other_noise():
    point = some_point(10)
    draws = [
        quadratic().sample(root, point, ticket)[0]
        for root in (ROOT, jax.random.key(4))
        for ticket in [Ticket(0, 0, 0), Ticket(1, 0, 0), Ticket(0, 1, 0), Ticket(0, 0, 1)]
    ]
    assert len({draw.tobytes() for draw in map(np.asarray, draws)}) == len(draws)


def test_all_seeds_start_at_the_same_point():
    start, other = (quadratic().initial_point(jax.random.key(seed)) for seed in (0, 1))
    np.testing.assert_array_equal(start, other)
    assert start.dtype == jnp.float64


def test_looking_draws_nothing():
    point = some_point(10)
    looks = [quadratic().evaluate(jax.random.key(s), point, s, 1 + s) for s in range(2)]
    assert looks[0] == looks[1]
