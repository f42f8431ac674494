"""Is the chain the worst case of the literature, and are its bounds bounds?

The function against a plain loop with SciPy's integral, its gradient against finite differences,
and every bound against derivatives by autodiff where they are largest.
"""

from functools import cache, partial
from itertools import pairwise
from math import e, exp, sqrt

import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest
from scipy.integrate import quad

from simulator.objectives.exact.chain import chain, gate, slide
from simulator.objectives.exact.model import by_surrogate
from simulator.objectives.sources import oracle_of
from simulator.objectives.tables.chain import ChainTable, bound

ROOT = jax.random.key(3)
SAMPLES = 4096
LENGTH = 6


def described(**settings):
    return ChainTable(kind="chain", **{"length": LENGTH, "probability": 0.25, **settings})


@cache
def built(**settings):
    return described(**settings).build(workers=3)


def some_points(many=200, length=LENGTH, far=2.0):
    return jnp.asarray(np.random.default_rng(0).normal(scale=far, size=(many, length)))


def derivatives(function, order, places):
    for _ in range(order):
        function = jax.grad(function)
    return np.abs(jax.jit(jax.vmap(function))(places))


# The function


def by_hand(point):
    """F as it is written, one link at a time."""

    def psi(x):
        return exp(1 - 1 / (2 * x - 1) ** 2) if x > 0.5 else 0.0

    def phi(x):
        return sqrt(e) * quad(lambda t: exp(-t * t / 2), -np.inf, x)[0]

    links = [psi(-a) * phi(-b) - psi(a) * phi(b) for a, b in pairwise(point)]
    return -psi(1) * phi(point[0]) + sum(links)


@pytest.mark.parametrize("point", [(0.0,) * 5, (2.0, 1.0, -0.6, -3.0, 0.4), (0.5, -0.5, 0.7, 1, 0)])
def test_the_function_is_the_written_one(point):
    assert float(chain(jnp.array(point))) == pytest.approx(by_hand(point), rel=1e-7, abs=1e-9)


def test_the_gradient_is_that_of_finite_differences():
    points, steps = some_points(5), 1e-6 * jnp.eye(LENGTH)
    value = jax.jit(jax.vmap(jax.vmap(built().model.value)))
    sides = [value(points[:, None] + sign * steps) for sign in (1, -1)]
    # Rounding: 1e-16 of a value of 0.5, over the step; the third derivative is 1e-12 of it.
    slopes = (sides[0] - sides[1]) / 2e-6
    np.testing.assert_allclose(built().exact.ascent(points), slopes, rtol=0, atol=1e-8)


def test_a_barely_open_gate_gives_no_nan():
    edges = jnp.array([-0.5, 0.5, np.nextafter(0.5, 1), np.nextafter(0.5, 0), 0.51, 0.0, 1e6])
    for order in range(4):
        found = derivatives(gate, order, edges)
        assert np.all(np.isfinite(found)), order
        np.testing.assert_array_equal(found[[0, 1, 2, 3, 5]], 0)


@pytest.mark.parametrize(("smoothness", "scale"), [(304.0, 1.0), (152.0, 3.0), (0.7, 0.1)])
def test_scaling_scales(smoothness, scale):
    plain = built(smoothness=152.0)
    scaled = built(smoothness=smoothness, scale=scale)
    points, ratio = some_points(), smoothness / 152
    expected, found = plain.exact.measure(points), scaled.exact.measure(scale * points)
    np.testing.assert_allclose(found["gap"], ratio * scale**2 * expected["gap"], rtol=1e-10)
    slopes = ratio * scale * expected["gradient_norm"]
    np.testing.assert_allclose(found["gradient_norm"], slopes, rtol=1e-10)
    np.testing.assert_array_equal(found["progress"], expected["progress"])


# A worst case


def test_the_gap_closes_far_out_and_not_sooner():
    objective = built(smoothness=152.0)
    far = objective.exact.measure(jnp.full((1, LENGTH), 1e6))
    assert float(far["gap"][0]) == pytest.approx(0, abs=1e-9)
    assert np.all(np.asarray(objective.exact.measure(some_points())["gap"]) > 0)


@pytest.mark.parametrize("length", [2, 3, 100])
def test_the_gap_at_the_start(length):
    table = described(length=length, smoothness=152.0)
    objective = table.build(workers=3)
    found = float(one_run.evaluate(objective, ROOT, objective.initial_point(ROOT), 0, 1)["gap"])
    assert table.constants(3).gap.value == pytest.approx(found, rel=1e-12)
    assert found <= 12 * length  # as printed


def test_no_gradient_is_small_before_the_last_coordinate_is_found():
    objective, points = built(smoothness=152.0), some_points(2000, far=1.5)
    reached = np.random.default_rng(1).integers(0, LENGTH + 1, len(points))
    # Some have a way to go beyond what is found, and others nothing at all there.
    damped = jnp.clip(points, -0.999, 0.999) * (np.arange(len(points)) % 2)[:, None]
    points = jnp.where(np.arange(LENGTH) < reached[:, None], points, damped)
    found = objective.exact.measure(points)
    norms, unfinished = np.asarray(found["gradient_norm"]), np.asarray(found["progress"]) < LENGTH
    assert norms[unfinished].min() > 1
    finished = objective.exact.measure(jnp.full((1, LENGTH), 1e6))
    assert float(finished["progress"][0]) == LENGTH
    assert float(finished["gradient_norm"][0]) < 1e-6


@pytest.mark.parametrize(
    ("point", "progress"),
    [((0, 0, 0, 0, 0, 0), 0), ((-3, 0, 0, 0, 0, 0), 1), ((0, 2.9, 3, 0, 2.9, 0), 3)],
)
def test_progress_is_the_last_coordinate_that_went_far_enough(point, progress):
    found = built(scale=3.0).exact.measure(jnp.array([point], jnp.float64))
    assert float(found["progress"][0]) == progress


def test_a_gradient_shows_one_new_coordinate_and_only_from_half_way():
    gradients = built().exact.ascent(np.tri(LENGTH, k=-1))  # row k has found k coordinates
    assert [np.flatnonzero(row)[-1] for row in gradients] == list(range(LENGTH))
    short = built().exact.ascent(0.5 * np.eye(LENGTH)[:1])
    assert np.flatnonzero(short[0]).tolist() == [0]


# The bounds


@cache
def on_a_fine_grid(function, order):
    return derivatives(function, order, jnp.linspace(-30, 30, 60_001)).max()


@pytest.mark.parametrize("order", range(4))
def test_the_suprema_are_those_of_a_fine_grid(order):
    """A link's bound is made of them, so all orders together leave no other suprema."""
    gates = [on_a_fine_grid(gate, j) for j in range(order + 1)]
    slides = [on_a_fine_grid(slide, j) for j in range(order + 1)]
    binomials = [[1], [1, 1], [1, 2, 1], [1, 3, 3, 1]][order]
    found = sum(b * g * s for b, g, s in zip(binomials, gates, reversed(slides), strict=True))
    # The grid misses a supremum by little, and Psi's own by 1 / 59^2, as it is not attained.
    assert 0.999 * bound(order) <= found <= bound(order) * (1 + 1e-12)


def test_the_bounds_are_the_printed_ones():
    assert 22 < bound(1) <= 23
    assert 151 < bound(2) <= 152


def test_no_hessian_and_no_change_of_one_exceeds_its_bound():
    table = described(smoothness=2.0, scale=0.5)
    model, constants = table.build(3).model, table.constants(3)
    points, hessian = 0.5 * some_points(400, far=1.0), jax.jit(jax.vmap(jax.hessian(model.value)))
    hessians = hessian(points)
    largest = np.linalg.norm(hessians, ord=2, axis=(1, 2)).max()
    assert 0.1 * constants.smoothness.value < largest <= constants.smoothness.value
    nearby = hessian(points + 1e-4 / sqrt(LENGTH))
    changes = np.linalg.norm(nearby - hessians, ord=2, axis=(1, 2)).max() / 1e-4
    assert 0.02 * constants.hessian_smoothness.value < changes
    assert changes <= constants.hessian_smoothness.value


def test_the_deviation_is_a_bound_and_no_loose_one():
    table = described(smoothness=2.0, scale=0.5)
    deviation, reached = table.constants(3).deviation, np.repeat(range(LENGTH), 20)
    points = np.where(np.arange(LENGTH) < reached[:, None], 0.5 * some_points(120), 0)
    points[-1] = 1e3 * np.eye(LENGTH)[0]
    reached[-1] = 1
    beyond = np.where(np.arange(LENGTH) >= reached[:, None], table.build(3).exact.ascent(points), 0)
    variances = 3 * (beyond**2).sum(1)  # (1 - p)/p = 3
    assert variances.max() <= deviation.value**2
    assert variances[-1] == pytest.approx(deviation.value**2, rel=1e-5)
    assert deviation.status == "bound"
    assert described(probability=1.0).constants(3).deviation.value == 0


# Samples


def test_samples_are_unbiased_and_their_variance_is_bernoullis():
    objective, point = built(), jnp.array([1.2, 0.9, 0.8, 0, 0, 0])
    tickets = np.stack([np.arange(SAMPLES) % 3, *[np.arange(SAMPLES)] * 2], 1).astype(np.int32)
    points = jnp.broadcast_to(point, (SAMPLES, LENGTH))
    found = np.asarray(one_run.gradients(objective, ROOT, points, tickets, np.ones(SAMPLES))[0])
    exact = np.asarray(objective.exact.ascent(point[None])[0])
    np.testing.assert_allclose(found[:, :3], np.broadcast_to(exact[:3], (SAMPLES, 3)), rtol=1e-12)
    np.testing.assert_array_equal(found[:, 4:], 0)
    ratios = found[:, 3] / exact[3]
    assert set(np.unique(ratios.round(12))) == {0.0, 4.0}
    assert ratios.mean() == pytest.approx(1, abs=5 * sqrt(3 / SAMPLES))


def test_the_quick_estimate_is_the_surrogates_gradient():
    model, point = built().model, some_points(1)[0].at[4:].set(0)
    quick = model.estimate(ROOT, jnp.int32(0), point)[0]
    slow = jax.jit(partial(by_surrogate, model))(ROOT, jnp.int32(0), point)[0]
    np.testing.assert_allclose(quick, slow, rtol=0, atol=1e-15)


def test_a_hessian_product_is_the_samples_derivative_and_unbiased():
    model, worker = built().model, jnp.int32(0)
    oracle = oracle_of(model, worker)
    point, vector = jnp.array([1.2, 0.9, 0.8, 0, 0, 0]), some_points(1)[0]
    keys = jax.random.split(ROOT, SAMPLES)
    drawn = jax.vmap(oracle.draw, (0, None))(keys, point)
    products = jax.jit(jax.vmap(oracle.hessian_product, (0, None, None)))
    found = np.asarray(products(drawn, point, vector))
    exact = np.asarray(jax.jit(jax.hessian(model.value))(point) @ vector)
    error = 5 * found.std(0) / sqrt(SAMPLES) + 1e-12
    assert np.all(np.abs(found.mean(0) - exact) < error)
    assert found[:, 3].std() > 0.01
    assert float(oracle.weight(drawn[0], point, -point)) == 1
