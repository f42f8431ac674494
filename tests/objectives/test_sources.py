"""What do importance weights and mixtures of points estimate?  All trajectories are enumerated.

The sum over all trajectories of probability times estimate is the expectation itself, so nothing
here depends on random numbers except the tests of drawing, whose tolerance is five standard errors.
"""

from itertools import product
from math import inf, sqrt

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from algorithms.local import mixed, mixed_reweighted, reweighted
from simulator.objectives.exact import mdps
from simulator.objectives.exact.model import Trajectory
from simulator.objectives.exact.tabular import Tabular
from simulator.objectives.sources import Decisions, oracle_of, turns
from simulator.objectives.tables.linear_quadratic import LinearQuadraticTable

jax.config.update("jax_enable_x64", True)
STATES, ACTIONS, HORIZON, DISCOUNT = 2, 2, 3, 0.7
MDP = mdps.of_workers(mdps.garnet(np.random.default_rng(3), STATES, ACTIONS, 2), 0, 1, 0, 2)
MODEL = Tabular(MDP, discount=DISCOUNT, horizon=HORIZON)
PATHS = np.array([*product(range(STATES), range(ACTIONS), repeat=HORIZON)]).reshape(-1, HORIZON, 2)
WHERE, WHAT = PATHS[..., 0], PATHS[..., 1]
"""The states and actions of each trajectory, (N, H)."""
OLD, NEW, THIRD = np.random.default_rng(0).normal(size=(3, STATES * ACTIONS))
SHARES = [0.0, 0.3, 0.7]
TURNS = [0, 1, 1]  # at 0, 1/3 and 2/3 of the horizon
KEY = jax.random.key(0)


def scores(points):
    """The logarithm of each action's probability (N, H), at a point of its own (H, d)."""
    tables = jax.nn.log_softmax(points.reshape(HORIZON, STATES, ACTIONS))
    return tables[jnp.arange(HORIZON), WHERE, WHAT]


def likelihood(points):
    """The probability of each trajectory (N,)."""
    moves = MDP.transitions[0][WHERE[:, :-1], WHAT[:, :-1], WHERE[:, 1:]].prod(1)
    return MDP.start[WHERE[:, 0]] * moves * jnp.exp(scores(points).sum(1))


def to_go():
    rewards = DISCOUNT ** np.arange(HORIZON) * MDP.rewards[0][WHERE, WHAT]
    return np.cumsum(rewards[:, ::-1], 1)[:, ::-1]


def value(points):
    """The expected return, with a point for each decision."""
    return likelihood(points) @ to_go()[:, 0]


def constant(point):
    return jnp.tile(point, (HORIZON, 1))


def gradient(point):
    return jax.grad(lambda at: value(constant(at)))(point)


def estimates(work, payload):
    """The estimate of each trajectory (N, d), as if it were drawn."""

    def of_one(sample):
        oracle = oracle_of(MODEL, jnp.int32(0))

        def mixture(points, shares):
            return oracle.mixed(points, shares)._replace(draw=lambda key: sample)

        drawn = oracle._replace(draw=lambda key, point: sample, mixed=mixture)
        return work(drawn, jnp.concatenate(payload), KEY)[0]

    return jax.vmap(of_one)(Trajectory(WHERE, WHAT, to_go()))


def bound_of(number):
    return jnp.array([number])


def acting():
    """The points of the decisions of a mixture."""
    return jnp.stack([(OLD, NEW, THIRD)[turn] for turn in TURNS])


MIXTURE = (OLD, NEW, THIRD, OLD, jnp.array([*SHARES, 2.0]))


def test_weights_without_a_bound_give_the_gradient_at_the_new_point():
    each = estimates(reweighted, (OLD, NEW, bound_of(inf)))
    np.testing.assert_allclose(likelihood(constant(OLD)) @ each, gradient(NEW), atol=1e-14)
    fresh = estimates(reweighted, (NEW, NEW, bound_of(inf)))
    plain = jax.vmap(jax.grad(MODEL.surrogate, 2), (0, None, None))(
        Trajectory(WHERE, WHAT, to_go()), jnp.int32(0), NEW
    )
    np.testing.assert_array_equal(fresh, plain)


@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0])
def test_a_bound_takes_away_what_the_new_point_has_beyond_it(bound):
    """Bias: minus the sum over trajectories of max(p_new - bound p_old, 0) g(trajectory)."""
    old, new = (likelihood(constant(point)) for point in (OLD, NEW))
    found = old @ estimates(reweighted, (OLD, NEW, bound_of(bound)))
    each = to_go()[..., None] * jax.jacobian(lambda at: scores(constant(at)))(NEW)
    bias = -jnp.maximum(new - bound * old, 0) @ each.sum(1)
    np.testing.assert_allclose(found, gradient(NEW) + bias, atol=1e-14)
    assert jnp.linalg.norm(bias) > 0.05 * jnp.linalg.norm(gradient(NEW))


def test_a_mixture_gives_the_slope_of_its_return_in_a_common_shift():
    np.testing.assert_array_equal(turns(MIXTURE[-1], HORIZON, HORIZON), TURNS)
    found = likelihood(acting()) @ estimates(mixed(4), MIXTURE)
    slope = jax.grad(lambda shift: value(acting() + shift))(jnp.zeros_like(NEW))
    np.testing.assert_allclose(found, slope, atol=1e-14)
    gone = [np.linalg.norm(slope - gradient(point)) for point in (OLD, NEW)]
    assert min(gone) > 0.05 * np.linalg.norm(slope)  # it is the gradient at neither point


def test_a_mixture_with_weights_gives_the_gradient_at_the_new_point():
    payload = (*MIXTURE, THIRD, bound_of(inf))
    each = estimates(mixed_reweighted(4), payload)
    np.testing.assert_allclose(likelihood(acting()) @ each, gradient(THIRD), atol=1e-14)


def assert_mean(found, expected):
    error = found.std(0, ddof=1) / sqrt(len(found))
    assert np.all(np.abs(found.mean(0) - expected) <= 5 * error)


def drawn(model, points, count=20_000):
    """Gradients of drawn mixtures."""
    payload = jnp.concatenate([*points, jnp.array(SHARES)])

    def one(key):
        return mixed(len(points))(oracle_of(model, jnp.int32(0)), payload, key)[0]

    return np.asarray(jax.jit(jax.vmap(one))(jax.random.split(KEY, count)))


def test_each_decision_is_drawn_at_its_own_point():
    slope = jax.grad(lambda shift: value(acting() + shift))(jnp.zeros_like(NEW))
    assert_mean(drawn(MODEL, (OLD, NEW, THIRD)), slope)


def test_a_linear_controller_acts_by_one_gain_after_another():
    table = LinearQuadraticTable(kind="linear-quadratic", states=3, actions=2, horizon=6)
    model = table.build(1).model
    random = np.random.default_rng(1)
    points = [jnp.asarray(random.normal(scale=0.3, size=6)) for _ in SHARES]
    own, driven, drift = model._own[0], model._driven[0], model._drift[0]

    def cost(shift):
        """Minus the expected return, by the covariance of the states."""
        states, total = jnp.eye(3), 0.0
        for t in range(6):
            place = max(k for k, share in enumerate(SHARES) if share <= t / 6)
            gain = (points[place] + shift).reshape(2, 3)
            spent = jnp.trace(states) / 3 + jnp.trace(gain @ states @ gain.T) / 2
            total += table.discount**t * spent
            closed = own - driven @ gain
            states = closed @ states @ closed.T + drift
        return total

    assert_mean(drawn(model, points), -jax.grad(cost)(jnp.zeros(6)))


def test_noise_has_no_decisions():
    from simulator.objectives.tables.quadratic import QuadraticTable

    model = QuadraticTable(kind="quadratic", dimension=3).build(1).model
    assert not isinstance(model, Decisions)
    assert oracle_of(model, jnp.int32(0)).mixed is None
