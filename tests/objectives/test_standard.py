"""The units of observations: what they are, that nothing but the objective decides them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from algorithms.tickets import Ticket
from simulator.objectives.environments.catalogue import own_environment
from simulator.objectives.estimator import evaluation_keys, plain_episode
from simulator.objectives.policies import perceptron, policy_for
from simulator.objectives.policy_gradient import policy_gradient
from simulator.objectives.spaces import Discrete
from simulator.objectives.standard import EPISODES, Standard, standard_of, standard_root

ROOT = jax.random.key(5)
SMALL = {"policy": perceptron((5,)), "horizon": 12, "dtype": "float64"}


def test_the_standard_is_mean_and_deviation_and_constants_keep_their_unit() -> None:
    rng = np.random.default_rng(0)
    rows = np.stack([rng.normal(3, 2, 500), np.zeros(500), np.full(500, 0.1)], axis=1)
    rows = np.column_stack([rows, 1e4 + 1e-4 * rng.normal(size=500), 1e-4 * rng.normal(size=500)])
    mean, deviation = (getattr(standard_of(rows), name) for name in ("mean", "deviation"))
    np.testing.assert_allclose(mean, rows.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(deviation[[0, 4]], rows.std(axis=0)[[0, 4]], rtol=1e-9)
    np.testing.assert_array_equal(deviation[1:4], 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distant_observations_are_clipped_at_ten(dtype: str) -> None:
    standard = Standard(np.array([1.0, -2.0]), np.array([0.5, 4.0]))
    seen = np.array([[1.0, 2.0], [9.0, -99.0]], dtype)
    for xp in (np, jnp):
        ours = standard.of(xp.asarray(seen), xp)
        assert ours.dtype == dtype
        np.testing.assert_array_equal(ours, [[0, 1], [10, -10]])


def test_a_policy_sees_in_its_units_when_it_chooses_and_when_it_is_differentiated() -> None:
    rng = np.random.default_rng(1)
    standard = Standard(rng.normal(size=4), rng.uniform(0.5, 2, 4))
    plain, ours = (policy_for(4, Discrete(6), (5,), standard=s) for s in (None, standard))
    point, observations = jnp.asarray(rng.normal(size=plain.dimension)), rng.normal(size=(7, 4))
    units = (observations - standard.mean) / standard.deviation
    noise = np.asarray(ours.noise(jax.random.key(1), 7, jnp.float64))
    layers = ours.layers(np.asarray(point))
    choices = ours.choose(layers, observations, noise, np)
    np.testing.assert_array_equal(choices, plain.choose(layers, units, noise, np))
    assert np.any(choices != plain.choose(layers, observations, noise, np))
    for seen in (observations, jnp.asarray(observations)):
        density = ours.log_density(point, seen, choices)
        np.testing.assert_allclose(density, plain.log_density(point, units, choices), rtol=1e-12)


def test_the_standard_comes_from_the_neutral_policy() -> None:
    """Played again, plainly; no seed of a run has a part in it."""
    objective = policy_gradient("CartPole-v1", **SMALL, observations="standardised")
    cart, neutral = own_environment("CartPole-v1", {}), policy_for(4, Discrete(2), ())
    seen = []
    for key in evaluation_keys(standard_root(), jnp.int32(0), EPISODES)[:3]:
        # A policy without hidden layers has the same outputs at 0, and the same noise.
        episode = plain_episode(cart, neutral, jnp.zeros(neutral.dimension), key, 12)
        seen += episode[0]
    few = objective.observations(standard_root(), 3)
    assert len(few) == len(seen)
    np.testing.assert_allclose(np.sort(few, axis=0), np.sort(np.stack(seen), axis=0), atol=1e-12)
    expected = standard_of(objective.observations(standard_root(), EPISODES))
    np.testing.assert_array_equal(objective.policy.standard.mean, expected.mean)
    np.testing.assert_array_equal(objective.policy.standard.deviation, expected.deviation)


def test_no_unit_of_the_environment_matters() -> None:
    """Seen a thousand times as large, and from elsewhere, the task is the same; raw it is not."""
    cart = own_environment("CartPole-v1", {})
    strange = cart._replace(observe=lambda *at: 1000 * cart.observe(*at) + 5)
    for sight, same in (("standardised", True), ("raw", False)):
        one, other = (policy_gradient(e, **SMALL, observations=sight) for e in (cart, strange))
        point = 30 * one.initial_point(ROOT)
        expected, length = one.sample(ROOT, point, Ticket(1, 2, 3))
        ours, steps = other.sample(ROOT, point, Ticket(1, 2, 3))
        assert np.allclose(ours, expected, rtol=0, atol=1e-9 * np.abs(expected).max()) == same
        assert (steps == length) or not same
