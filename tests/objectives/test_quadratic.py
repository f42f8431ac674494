"""Are the quadratics the ones of the literature, and is their noise what it is said to be?

Known values (TR23 and Ringmaster settings), dense matrices as the oracle of the tridiagonal
arithmetic, and the noise against its own moments.  Statistical tolerances are five standard
errors: a right sampler fails one such test in two million.
"""

from functools import cache, partial
from math import cos, pi, sqrt

import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest

from algorithms.tickets import Ticket
from simulator.objectives.exact.model import by_surrogate
from simulator.objectives.exact.tridiagonal import random
from simulator.objectives.sources import oracle_of
from simulator.objectives.tables.quadratic import QuadraticTable

ROOT = jax.random.key(3)
SAMPLES = 4096
WORKERS = 7
KINDS = ["isotropic", "shared", "progress"]
VARIANTS = ["tridiagonal", "random"]


def described(dimension=10, **settings):
    return QuadraticTable(kind="quadratic", dimension=dimension, **settings)


@cache
def quadratic(noise="isotropic", variant="tridiagonal", scale=0.5, dimension=10, **settings):
    chance = {"noise": noise, "scale": scale, "probability": 0.25}
    return described(dimension, variant=variant, **chance, **settings).build(WORKERS)


def dense(dimension):
    """A and b of f(x) = x'Ax/2 - b'x, as matrices."""
    ones = np.ones(dimension - 1)
    matrix = (2 * np.eye(dimension) - np.diag(ones, 1) - np.diag(ones, -1)) / 4
    offset = np.zeros(dimension)
    offset[0] = -1 / 4
    return matrix, offset


def dense_mean(quadratics):
    """The same of the mean of the workers' quadratics."""
    matrix, offset = dense(quadratics.dimension)
    shift = quadratics.shift * np.eye(quadratics.dimension)
    return quadratics.slopes.mean() * matrix + shift, -4 * quadratics.offsets.mean() * offset


def some_point(dimension=10, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=dimension))


def measured(objective, point):
    return {name: float(v) for name, v in one_run.evaluate(objective, ROOT, point, 0, 1).items()}


def ascent(objective, point):
    return np.asarray(objective.exact.ascent(point[None])[0])


def rows(many=SAMPLES):
    columns = [np.arange(many) % WORKERS, np.arange(many) % 5, np.arange(many)]
    return np.stack(columns, 1).astype(np.int32)


def samples(objective, point, root=ROOT):
    """The noisy gradients of many tickets at one point, and the exact ones, a row each."""
    points = jnp.broadcast_to(point, (SAMPLES, len(point)))
    each, _ = one_run.gradients(objective, root, points, rows(), np.ones(SAMPLES))
    return np.asarray(each), by_worker(objective, point)[rows()[:, 0]]


def by_worker(objective, point):
    """The exact gradient of every worker's own function."""
    return np.asarray(each_worker(objective)(jnp.arange(WORKERS), point))


@cache
def each_worker(objective):
    model = objective.model
    return jax.jit(lambda workers, at: jax.vmap(lambda i: model.of_worker(i, at))(workers))


# The function


@pytest.mark.parametrize(
    ("dimension", "gap", "norm_squared"),
    [(1729, 442.770239, 550.770311), (1000, 258.030569, 320.468194)],
)
def test_the_known_values_at_the_initial_point(dimension, gap, norm_squared):
    objective = described(dimension).build(WORKERS)
    start = objective.initial_point(ROOT)
    np.testing.assert_array_equal(start[1:], 0)
    assert float(start[0]) == sqrt(dimension)
    found = measured(objective, start)
    assert found["gap"] == pytest.approx(gap, abs=1e-6)  # as printed: six decimals
    assert found["gradient_norm"] ** 2 == pytest.approx(norm_squared, abs=1e-6)
    assert described(dimension).constants(WORKERS).gap.value == pytest.approx(gap, abs=1e-6)


@pytest.mark.parametrize("dimension", [2, 3, 40])
def test_the_curvature_is_the_dense_one_and_its_largest_is_as_printed(dimension):
    matrix, _ = dense(dimension)
    at_units = quadratic(dimension=dimension).exact.ascent(np.eye(dimension))
    curvature = dense(dimension)[1] - np.asarray(at_units)  # b - (b - A e_k)
    np.testing.assert_allclose(curvature, matrix, atol=1e-15)
    largest = np.linalg.eigvalsh(curvature)[-1]
    assert largest == pytest.approx((1 + cos(pi / (dimension + 1))) / 2, rel=1e-12)
    found = described(dimension).constants(WORKERS).smoothness
    assert found.value == pytest.approx(largest, rel=1e-12)


@pytest.mark.parametrize("dimension", [2, 3, 40])
@pytest.mark.parametrize("variant", VARIANTS)
def test_value_and_gradient_against_the_dense_function(dimension, variant):
    objective = quadratic(variant=variant, dimension=dimension)
    matrix, offset = dense_mean(described(dimension, variant=variant).quadratics(WORKERS))

    def value(point):
        return offset @ point - point @ matrix @ point / 2

    point, best = some_point(dimension), np.linalg.solve(matrix, offset)
    exact = jax.grad(value)(point)
    np.testing.assert_allclose(ascent(objective, point), exact, rtol=0, atol=1e-12)
    found = measured(objective, point)
    assert found["gap"] == pytest.approx(float(value(best) - value(point)), rel=1e-9)
    assert found["gradient_norm"] == pytest.approx(float(jnp.linalg.norm(exact)), rel=1e-12)


# Workers of their own


def test_workers_functions_are_random_as_they_should_be():
    many = random(dimension=3, workers=20_000, spread=3.0, curvature=0.001, seed=1)
    tilts = 4 * many.offsets / many.slopes + 1
    for found, mean in ((many.slopes, 1), (tilts, 0)):
        assert found.mean() == pytest.approx(mean, abs=5 * 3 / sqrt(20_000))
        assert found.var() == pytest.approx(9, abs=5 * 9 * sqrt(2 / 20_000))
    assert np.corrcoef(many.slopes, tilts)[0, 1] == pytest.approx(0, abs=5 / sqrt(20_000))


def test_no_spread_is_the_usual_quadratic_and_a_shift():
    table = described(variant="random", spread=0.0, curvature=2.0)
    plain, shifted = quadratic(), table.build(WORKERS)
    lowest = np.linalg.eigvalsh(dense(10)[0])[0]
    point = some_point()
    expected = ascent(plain, point) - (2.0 - lowest) * np.asarray(point)
    np.testing.assert_allclose(by_worker(shifted, point), [expected] * WORKERS, atol=1e-13)


@pytest.mark.parametrize("seed", range(4))  # of which some have a mean slope below 0
@pytest.mark.parametrize("dimension", [2, 40])
def test_the_mean_is_as_curved_as_was_asked_for(dimension, seed):
    table = described(dimension, variant="random", curvature=0.25, problem_seed=seed)
    values = np.linalg.eigvalsh(dense_mean(table.quadratics(workers=2))[0])
    assert values[0] == pytest.approx(0.25, rel=1e-12)
    assert table.constants(workers=2).smoothness.value == pytest.approx(values[-1], rel=1e-12)


def test_single_workers_may_be_curved_the_wrong_way():
    each = partial(by_worker, quadratic(variant="random"))
    base = each(jnp.zeros(10))
    matrices = np.stack([base - each(row) for row in jnp.eye(10)], axis=-1)
    np.testing.assert_allclose(matrices, matrices.swapaxes(1, 2), atol=1e-13)
    assert np.linalg.eigvalsh(matrices).min() < 0


@pytest.mark.parametrize("heterogeneity", [0.0, 0.3, 1.0])
def test_the_mean_of_the_workers_gradients_is_that_of_j(heterogeneity):
    objective = quadratic(variant="random", heterogeneity=heterogeneity)
    mean = by_worker(objective, some_point()).mean(0)
    np.testing.assert_allclose(mean, ascent(objective, some_point()), rtol=0, atol=1e-12)


def test_heterogeneity_moves_the_workers_and_not_their_mean():
    point = some_point()
    none, some, full = (quadratic(variant="random", heterogeneity=h) for h in (0.0, 0.3, 1.0))
    mean = ascent(full, point)
    for objective in (none, some):
        np.testing.assert_allclose(ascent(objective, point), mean, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(by_worker(none, point), [ascent(none, point)] * WORKERS)
    away = by_worker(full, point) - mean
    assert np.linalg.norm(away, axis=1).min() > 0.1
    np.testing.assert_allclose(by_worker(some, point) - mean, 0.3 * away, rtol=0, atol=1e-12)


def test_a_worker_is_drawn_the_same_among_any_number():
    few, many = (random(5, n, spread=3.0, curvature=0.001, seed=0) for n in (3, 50))
    np.testing.assert_array_equal(few.slopes, many.slopes[:3])
    np.testing.assert_array_equal(few.offsets, many.offsets[:3])
    other = random(5, 3, spread=3.0, curvature=0.001, seed=1)
    assert not np.any(few.slopes == other.slopes)


def test_unequal_shares_settle_elsewhere():
    settings = {"variant": "random", "heterogeneity": 0.2}
    quadratics, model = described(**settings).quadratics(WORKERS), quadratic(**settings)
    shares = np.arange(1, WORKERS + 1) / sum(range(1, WORKERS + 1))
    biased = quadratics.stationary(shares)
    total = shares @ by_worker(model, jnp.asarray(biased))
    np.testing.assert_allclose(total, 0, atol=1e-12)
    assert measured(model, jnp.asarray(biased))["gap"] > 0.01
    equal = quadratics.stationary(np.full(WORKERS, 1 / WORKERS))
    assert measured(model, jnp.asarray(equal))["gap"] == pytest.approx(0, abs=1e-20)


# The noise


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("noise", ["isotropic", "shared"])
def test_gaussian_noise_is_unbiased_and_of_the_given_scale(noise, variant):
    found, exact = samples(quadratic(noise, variant), some_point())
    errors = (found - exact) / 0.5
    assert np.abs(errors.mean(0)).max() < 5 / sqrt(SAMPLES)
    # The square of a standard normal has variance 2.
    assert np.abs((errors**2).mean(0) - 1).max() < 5 * sqrt(2 / SAMPLES)
    if noise == "shared":  # one number for all coordinates
        np.testing.assert_allclose(errors, np.repeat(errors[:, :1], 10, 1), rtol=0, atol=1e-13)
    else:  # independent between coordinates
        products = errors.T @ errors / SAMPLES
        assert np.abs(products[np.triu_indices(10, 1)]).max() < 5 / sqrt(SAMPLES)


@pytest.mark.parametrize(
    ("point", "reached"),
    [((2, 1, 0, 3, 0, 0, 0, 0, 0, 0), 3), ((0,) * 10, -1), ((1,) * 9 + (0,), 8), ((1,) * 10, 9)],
    ids=["a gap within", "nothing reached", "all but one", "all reached"],
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_progress_noise_touches_only_unreached_coordinates(variant, point, reached):
    found, exact = samples(quadratic("progress", variant), jnp.array(point, jnp.float64))
    known, beyond = np.s_[:, : reached + 1], np.s_[:, reached + 1 :]
    np.testing.assert_allclose(found[known], exact[known], rtol=1e-14, atol=1e-14)
    lucky = found[beyond].any(1)[:, None]
    np.testing.assert_allclose(found[beyond], 4 * exact[beyond] * lucky, rtol=1e-14)
    np.testing.assert_array_equal(found[:, reached + 2 :], 0)  # one new coordinate at a time


@pytest.mark.parametrize("variant", VARIANTS)
def test_progress_noise_is_unbiased_and_bernoulli(variant):
    point = jnp.array([2.0, 1, 0, 3, 0, 0, 0, 0, 0, 0])
    found, exact = samples(quadratic("progress", variant), point)
    new = found[:, 4] / exact[:, 4]
    # 1/p with probability p, else 0: the variance is (1 - p)/p = 3 for p = 1/4.
    assert new.mean() == pytest.approx(1, abs=5 * sqrt(3 / SAMPLES))
    assert set(np.unique(new.round(12))) == {0.0, 4.0}


# The constants


@pytest.mark.parametrize("noise", ["isotropic", "shared"])
def test_gaussian_deviation_is_that_of_the_samples(noise):
    found, exact = samples(quadratic(noise, "random"), some_point())
    squares = ((found - exact) ** 2).sum(1)
    deviation = described(noise=noise, scale=0.5, variant="random").constants(WORKERS).deviation
    error = 5 * squares.std() / sqrt(SAMPLES)
    assert squares.mean() == pytest.approx(deviation.value**2, abs=error)
    assert deviation.status == "exact"


def furthest(quadratics, reached):
    """The largest |x_k| of points that end there, k coordinates, with f(x) <= f(x_0).

    On k coordinates f is a quadratic with matrix A_k, least at c: (x - c)_k^2 is largest at
    2 (f(x_0) - f(c)) (A_k^-1)_kk, where Cauchy-Schwarz is an equality.
    """
    matrix, offset = (part[..., :reached] for part in dense_mean(quadratics))
    inverse = np.linalg.inv(matrix[:reached])
    centre = inverse @ offset
    start = np.zeros(quadratics.dimension)
    start[0] = sqrt(quadratics.dimension)
    full, linear = dense_mean(quadratics)
    height = start @ full @ start / 2 - linear @ start + offset @ centre / 2
    return abs(centre[-1]) + sqrt(2 * height * inverse[-1, -1])


@pytest.mark.parametrize("variant", VARIANTS)
def test_progress_deviation_is_a_bound_and_no_loose_one(variant):
    table = described(noise="progress", variant=variant, probability=0.25)
    quadratics = table.quadratics(WORKERS)
    steepest = np.abs(quadratics.slopes).max()
    worst = max(steepest / 4 * furthest(quadratics, k) for k in range(1, 10))
    deviation = table.constants(WORKERS).deviation
    assert deviation.status == "bound"
    assert sqrt(3) * worst <= deviation.value <= 2 * sqrt(3) * worst
    certain = described(noise="progress", variant=variant, probability=1.0)
    assert certain.constants(WORKERS).deviation.value == 0


@pytest.mark.parametrize("dimension", [2, 40])
def test_the_gap_is_the_measured_one(dimension):
    objective = quadratic(variant="random", dimension=dimension)
    found = measured(objective, objective.initial_point(ROOT))["gap"]
    constants = described(dimension, variant="random").constants(WORKERS)
    assert constants.gap.value == pytest.approx(found, rel=1e-10)
    assert constants.hessian_smoothness == (0.0, "exact", "a quadratic")


# What else a sample says


@pytest.mark.parametrize("noise", KINDS)
def test_the_quick_estimate_is_the_surrogates_gradient(noise):
    model, point = quadratic(noise, "random").model, some_point().at[6:].set(0)
    ways = jax.jit(model.estimate), jax.jit(partial(by_surrogate, model))
    for worker in range(3):
        quick, slow = (f(jax.random.key(worker), jnp.int32(worker), point) for f in ways)
        np.testing.assert_allclose(quick[0], slow[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("noise", KINDS)
def test_a_sample_drawn_here_is_unbiased_elsewhere(noise):
    """Progress noise is, too, though another coordinate is the next one there."""
    model = quadratic(noise, "random").model
    oracle = oracle_of(model, jnp.int32(2))
    here, there = some_point().at[6:].set(0), some_point(seed=1).at[3:].set(0)
    drawn = jax.vmap(oracle.draw, (0, None))(jax.random.split(ROOT, SAMPLES), here)
    weights = jax.vmap(oracle.weight, (0, None, None))(drawn, here, there)
    np.testing.assert_array_equal(weights, 1)
    found = np.asarray(jax.jit(jax.vmap(oracle.gradient, (0, None)))(drawn, there))
    error = 5 * found.std(0) / sqrt(SAMPLES) + 1e-12
    assert np.all(np.abs(found.mean(0) - np.asarray(model.of_worker(2, there))) < error)


@pytest.mark.parametrize("noise", ["isotropic", "progress"])
def test_a_hessian_product_is_unbiased_and_the_derivative_of_its_sample(noise):
    model = quadratic(noise, "random").model
    oracle = oracle_of(model, jnp.int32(2))
    point, vector = some_point().at[6:].set(0), some_point(seed=1)
    drawn = jax.vmap(oracle.draw, (0, None))(jax.random.split(ROOT, SAMPLES), point)
    products = jax.jit(jax.vmap(oracle.hessian_product, (0, None, None)))
    found = np.asarray(products(drawn, point, vector))
    exact = jax.jacobian(lambda x: model.of_worker(2, x))(point) @ vector
    error = 5 * found.std(0) / sqrt(SAMPLES) + 1e-12
    assert np.all(np.abs(found.mean(0) - np.asarray(exact)) < error)
    step = vector.at[6:].set(0)  # a step that reaches nothing new: there the noise would jump
    change = oracle.gradient(drawn[0], point + step) - oracle.gradient(drawn[0], point)
    product = oracle.hessian_product(drawn[0], point, step)
    np.testing.assert_allclose(product, change, rtol=0, atol=1e-12)


# Tickets


def test_other_tickets_and_seeds_have_other_noise():
    point = some_point()
    draws = [
        quadratic().sample(root, point, ticket)[0]
        for root in (ROOT, jax.random.key(4))
        for ticket in [Ticket(0, 0, 0), Ticket(1, 0, 0), Ticket(0, 1, 0), Ticket(0, 0, 1)]
    ]
    assert len({draw.tobytes() for draw in map(np.asarray, draws)}) == len(draws)


# The table


@pytest.mark.parametrize(
    ("setting", "value"),
    [("heterogeneity", 0.5), ("spread", 1.0), ("curvature", 0.5), ("problem_seed", 1)],
)
def test_a_setting_without_effect_is_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} = {value}: .*say variant = 'random'"):
        described(**{setting: value}).check(WORKERS)
    described(variant="random", **{setting: value}).check(WORKERS)
