"""Do the update rules compute what the papers write?

Steps derived by hand, and the exact invariants of NIGT (arXiv 2509.24305, section 4) and AFedPG
(arXiv 2404.08003).  Then one suite over every rule: pure, the same compiled, one precision.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from algorithms.methods import METHODS
from algorithms.updates import (
    Decay,
    afedpg,
    batched_nigt,
    batched_sgd,
    fedbuff,
    fedhapg_m,
    fedsvrpg_m,
    local_nigt,
    local_sgd,
    local_sgd_nigt,
    nigt,
    normalised,
    sgd,
)

STEP, MOMENTUM = 0.05, 0.3
TIGHT = {"rtol": 1e-12, "atol": 1e-12}


def vector(*coordinates):
    return jnp.array(coordinates, jnp.float64)


def noise(many, dimension=6, seed=0):
    """Gradients that have nothing to do with the points: the invariants hold for any."""
    return jnp.asarray(np.random.default_rng(seed).normal(size=(many, dimension)))


def follow(rule, point, gradients):
    """Every state of a run without delays, the first included."""
    states = [rule.init(point)]
    for k, gradient in enumerate(gradients):
        states.append(rule.update(states[-1], gradient, k))
    return states


def quadratic(dimension=6, seed=1):
    """A concave quadratic's gradient, and a point to start from."""
    random = np.random.default_rng(seed)
    root = random.normal(size=(dimension, dimension))
    matrix = jnp.asarray(root @ root.T / dimension + np.eye(dimension))
    offset = jnp.asarray(random.normal(size=dimension))
    return lambda point: offset - matrix @ point, jnp.asarray(random.normal(size=dimension))


# NIGT


def test_nigt_first_two_steps_by_hand():
    rule = nigt(step=0.5, momentum=0.25)
    state = rule.init(vector(0, 0))
    np.testing.assert_array_equal(rule.query(state), [0, 0])
    state = rule.update(state, vector(3, 4), 0)  # d_0 = g_0, of length 5
    np.testing.assert_allclose(rule.iterate(state), [0.3, 0.4], **TIGHT)
    np.testing.assert_allclose(rule.query(state), [1.2, 1.6], **TIGHT)  # 3 steps further
    state = rule.update(state, vector(-9, 0), 1)  # d_1 = 3/4 (3, 4) + 1/4 (-9, 0) = (0, 3)
    np.testing.assert_allclose(state.direction, [0, 3], **TIGHT)
    np.testing.assert_allclose(rule.iterate(state), [0.3, 0.9], **TIGHT)
    np.testing.assert_allclose(rule.query(state), [0.3, 2.4], **TIGHT)


def test_nigt_looks_ahead_by_a_fixed_distance_and_not_at_all_at_first():
    rule = nigt(STEP, MOMENTUM)
    first, *later = follow(rule, noise(1)[0], noise(20))
    np.testing.assert_array_equal(rule.query(first), first.point)
    ahead = [np.linalg.norm(rule.query(s) - s.point) for s in later]
    np.testing.assert_allclose(ahead, STEP * (1 - MOMENTUM) / MOMENTUM, rtol=1e-12)


@pytest.mark.parametrize("momentum", [0.1, 0.3, 1.0])
def test_nigt_direction_is_the_exact_gradient_on_a_noiseless_quadratic(momentum):
    """The reason for the look-ahead: on a quadratic it cancels the momentum's lag exactly."""
    gradient, point = quadratic()
    rule = nigt(STEP, momentum)
    state = rule.init(point)
    for k in range(30):
        here = rule.iterate(state)
        state = rule.update(state, gradient(rule.query(state)), k)
        np.testing.assert_allclose(state.direction, gradient(here), rtol=0, atol=1e-12)


@pytest.mark.parametrize("rule", [nigt(STEP, 0.5), afedpg(STEP, 0.5)], ids=["nigt", "afedpg"])
def test_without_a_direction_the_point_stays(rule):
    start = vector(1, 2)
    state = rule.update(rule.init(start), jnp.zeros(2), 0)
    np.testing.assert_array_equal(state.point, start)
    state = rule.update(rule.init(start), vector(3, 4), 0)
    still = rule.update(state, vector(-3, -4), 1)  # the mean of g and -g
    np.testing.assert_array_equal(still.direction, 0)
    np.testing.assert_array_equal(still.point, state.point)
    np.testing.assert_array_equal(rule.query(still), still.point)
    moved = rule.update(still, vector(0, 2), 2)
    np.testing.assert_allclose(moved.point - still.point, [0, STEP], **TIGHT)


# AFedPG


def test_afedpg_without_delay_is_nigt_bit_for_bit():
    start, gradients = noise(1)[0], noise(20)
    for mine, theirs in zip(
        follow(afedpg(STEP, MOMENTUM), start, gradients),
        follow(nigt(STEP, MOMENTUM), start, gradients),
        strict=True,
    ):
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
        ahead = afedpg(STEP, MOMENTUM).query(mine), nigt(STEP, MOMENTUM).query(theirs)
        np.testing.assert_array_equal(*ahead)


def test_afedpg_weighs_a_gradient_as_of_its_dispatch():
    """A(k) = 1/(k+2), E(k) = 1/(k+1); every number here was derived by hand."""
    rule = afedpg(
        step=Decay(scale=1.0, exponent=1.0, offset=1.0),
        momentum=Decay(scale=1.0, exponent=1.0, offset=2.0),
    )
    state = rule.update(rule.init(vector(0, 0)), vector(3, 4), 0)
    np.testing.assert_allclose(state.direction, [3, 4], **TIGHT)  # first: d = g, whatever A
    np.testing.assert_allclose(state.point, [0.6, 0.8], **TIGHT)  # E(0) = 1
    np.testing.assert_allclose(rule.query(state), [1.8, 2.4], **TIGHT)  # A(1) = 1/3: 2 steps on
    state = rule.update(state, vector(-3, 4), 0)  # sent out at 0: A(0) = 1/2, not A(1)
    np.testing.assert_allclose(state.direction, [0, 4], **TIGHT)
    np.testing.assert_allclose(state.point, [0.6, 1.3], **TIGHT)  # E(1) = 1/2
    np.testing.assert_allclose(rule.query(state), [0.6, 2.8], **TIGHT)  # A(2) = 1/4: 3 steps on
    state = rule.update(state, vector(9, 4), 1)  # A(1) = 1/3: 2/3 (0, 4) + 1/3 (9, 4)
    np.testing.assert_allclose(state.direction, [3, 4], **TIGHT)
    np.testing.assert_allclose(state.point, [0.8, 1.3 + 0.8 / 3], **TIGHT)  # E(2) = 1/3


@pytest.mark.parametrize(
    ("decay", "k", "value"),
    [
        (Decay(scale=2.0, exponent=0.5, offset=4.0), 5, 2 / 3),
        (Decay(scale=1.0, exponent=1.0), 0, 1 / 2),
        (Decay(scale=0.3, exponent=0.0), 10**6, 0.3),
        (Decay(scale=1.0, exponent=0.8, offset=1.0), 31, 1 / 16),
    ],
)
def test_decay(decay, k, value):
    assert decay(k) == pytest.approx(value, rel=1e-14)
    assert float(decay(jnp.int32(k))) == pytest.approx(value, rel=1e-6)  # float32: a step number


# Plain ascent


def test_sgd_by_hand():
    rule = sgd(step=0.5)
    state = rule.init(vector(1, 2))
    np.testing.assert_array_equal(rule.query(state), [1, 2])
    state = rule.update(rule.update(state, vector(2, -4), 0), vector(1, 1), 0)
    np.testing.assert_array_equal(rule.iterate(state), [2.5, 0.5])
    np.testing.assert_array_equal(rule.query(state), [2.5, 0.5])


# Every rule

RULES = {
    "sgd": sgd(STEP),
    "nigt": nigt(STEP, MOMENTUM),
    "nigt-without-momentum": nigt(STEP, 1.0),
    "afedpg": afedpg(STEP, MOMENTUM),
    "afedpg-decay": afedpg(Decay(0.1, 0.7), Decay(0.9, 0.6)),
    "normalised": normalised(STEP, MOMENTUM),
    "fedbuff": fedbuff(STEP, 0.1, 3),
    "fedsvrpg-m": fedsvrpg_m(STEP, 0.1, MOMENTUM, 3),
    "fedhapg-m": fedhapg_m(STEP, 0.1, MOMENTUM, 3),
    "afedpg-dispatch": afedpg(STEP, MOMENTUM, "dispatch"),
}


def compiled_rule(rule):
    return rule._replace(**{name: jax.jit(getattr(rule, name)) for name in FUNCTIONS})


FUNCTIONS = ("init", "query", "iterate", "update")
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
both_precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])


def test_every_rule_of_a_method_is_in_the_suite():
    rules = {sgd, nigt, afedpg, normalised, fedbuff, fedsvrpg_m, fedhapg_m}
    # The others are sgd and nigt with other work for the workers.
    others = {local_sgd, local_sgd_nigt, local_nigt, batched_sgd, batched_nigt}
    assert {method.rule for method in METHODS.values()} == rules | others


@every_rule
def test_a_rule_is_pure(rule):
    state = follow(rule, noise(1)[0], noise(3))[-1]
    before = [np.array(leaf) for leaf in jax.tree.leaves(state)]
    once, again = (rule.update(state, noise(5)[4], 2) for _ in range(2))
    jax.tree.map(np.testing.assert_array_equal, once, again)
    for leaf, kept in zip(jax.tree.leaves(state), before, strict=True):
        np.testing.assert_array_equal(leaf, kept)
    assert not np.array_equal(rule.iterate(once), rule.iterate(state))


@every_rule
def test_a_compiled_rule_computes_the_same(rule):
    fast = compiled_rule(rule)
    eager, compiled = rule.init(noise(1)[0]), fast.init(noise(1)[0])
    for k, gradient in enumerate(noise(6)):
        eager, compiled = (
            rule.update(eager, gradient, max(0, k - 2)),
            fast.update(compiled, gradient, max(0, k - 2)),
        )
        np.testing.assert_allclose(fast.query(compiled), rule.query(eager), **TIGHT)
        np.testing.assert_allclose(fast.iterate(compiled), rule.iterate(eager), **TIGHT)


@both_precisions
@every_rule
def test_shapes_and_precision_stay(rule, dtype):
    rule, dimension = compiled_rule(rule), 5
    point = jnp.ones(dimension, dtype)
    state = rule.init(point)
    kinds = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state)
    for dispatched in (0, jnp.int32(1), 1):
        assert rule.iterate(state).shape == (dimension,)
        # What local work starts from is more than a point.
        assert rule.query(state).shape == rule.query(rule.init(point)).shape
        assert {rule.iterate(state).dtype, rule.query(state).dtype} == {jnp.dtype(dtype)}
        state = rule.update(state, point, dispatched)
        # A state that changed its kind would be compiled anew, and in another precision.
        assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state) == kinds
