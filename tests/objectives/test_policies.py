"""Policies: their size, their densities against distreqx, their draws, and numpy against JAX."""

import distreqx.bijectors
import distreqx.distributions as oracle
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simulator.objectives.policies import Gaussian, Policy, Trunk, perceptron, policy_for
from simulator.objectives.spaces import Box, Discrete

BOX = Box(low=(-1.0, 0.0, 2.0), high=(1.0, 4.0, 2.5))


@pytest.mark.parametrize(
    ("observations", "actions", "dimension"),
    [(376, 17, 30498), (11, 2, 5188), (17, 6, 6092), (11, 3, 5318)],
)
def test_a_shared_trunk_has_the_published_sizes(
    observations: int, actions: int, dimension: int
) -> None:
    box = Box((-1.0,) * actions, (1.0,) * actions)
    assert policy_for(observations, box, (64, 64)).dimension == dimension


def somewhere(policy: Policy) -> tuple[jax.Array, jax.Array, jax.Array]:
    """A point, observations of four numbers and noise, all of ordinary size."""
    rng = np.random.default_rng(3)
    observations = jnp.asarray(rng.normal(size=(7, 4)))
    point = jnp.asarray(rng.normal(size=policy.dimension) / 2)
    noise = policy.noise(jax.random.key(1), 7, jnp.float64)
    return point, observations, noise


def plain_outputs(point: jax.Array, observation: jax.Array) -> np.ndarray:
    """A perceptron 4 → 5 → 6 written out by hand."""
    theta = np.asarray(point)
    hidden = np.tanh(np.asarray(observation) @ theta[:20].reshape(4, 5) + theta[20:25])
    return hidden @ theta[25:55].reshape(5, 6) + theta[55:61]


def test_softmax_has_the_density_of_a_categorical() -> None:
    policy = policy_for(4, Discrete(6), (5,))
    point, observations, _ = somewhere(policy)
    for observation in observations:
        categorical = oracle.Categorical(logits=jnp.asarray(plain_outputs(point, observation)))
        for choice in range(6):
            ours = policy.log_density(point, observation, jnp.int32(choice))
            np.testing.assert_allclose(ours, categorical.log_prob(choice), rtol=1e-12)


def test_gaussian_has_the_density_of_a_normal_with_softplus_deviation() -> None:
    policy = policy_for(4, BOX, (5,))
    point, observations, noise = somewhere(policy)
    choices = policy.choose(policy.layers(point), observations, noise, jnp)
    ours = policy.log_density(point, observations, choices)
    for row, observation in enumerate(observations):
        outputs = plain_outputs(point, observation)
        deviation = jnp.log1p(jnp.exp(outputs[3:]))
        normal = oracle.Normal(jnp.asarray(outputs[:3]), deviation)
        np.testing.assert_allclose(ours[row], normal.log_prob(choices[row]).sum(), rtol=1e-12)


def by_mean_and_deviation(point: jax.Array) -> tuple[Policy, jax.Array, jax.Array]:
    """A policy of two trunks 4 → 5 → 3, and the parameters of each as a shared one of its own."""
    policy = policy_for(4, BOX, (5,), trunk="separate")
    assert policy.dimension == 2 * 43
    return policy, point[:43], point[43:86]


def test_separate_trunks_are_two_networks_side_by_side() -> None:
    """Each output is that of a shared trunk that has the same weights and no other head."""
    rng = np.random.default_rng(4)
    point, observations = jnp.asarray(rng.normal(size=86)), jnp.asarray(rng.normal(size=(7, 4)))
    policy, mean_part, deviation_part = by_mean_and_deviation(point)
    noise = policy.noise(jax.random.key(1), 7, jnp.float64)
    mean = np.stack([plain_outputs(padded(mean_part), row)[:3] for row in observations])
    raw = np.stack([plain_outputs(padded(deviation_part), row)[:3] for row in observations])
    deviation = np.log1p(np.exp(raw))
    choices = policy.choose(policy.layers(point), observations, noise, jnp)
    np.testing.assert_allclose(choices, mean + deviation * noise, rtol=1e-12)
    normal = oracle.Normal(jnp.asarray(mean), jnp.asarray(deviation))
    expected = normal.log_prob(choices).sum(axis=-1)
    np.testing.assert_allclose(
        policy.log_density(point, observations, choices), expected, rtol=1e-12
    )


def padded(part: jax.Array) -> np.ndarray:
    """A perceptron 4 → 5 → 3 as one 4 → 5 → 6 whose last outputs are nothing."""
    theta, zeros = np.asarray(part), np.zeros((5, 3))
    matrix = np.hstack([theta[25:40].reshape(5, 3), zeros])
    return np.concatenate([theta[:25], matrix.reshape(-1), theta[40:], zeros[0]])


def test_the_squashing_does_not_change_the_gradient() -> None:
    policy = policy_for(4, BOX, (5,))
    assert isinstance(policy, Gaussian)
    point, observations, noise = somewhere(policy)
    choice = policy.choose(policy.layers(point), observations[0], noise[0], jnp)
    squash = distreqx.bijectors.Tanh()

    def density_of_squashed(point: jax.Array) -> jax.Array:
        outputs = policy.outputs(policy.layers(point), observations[0], jnp)
        normal = oracle.Normal(outputs[:3], jax.nn.softplus(outputs[3:]))
        return oracle.Transformed(normal, squash).log_prob(jnp.tanh(choice)).sum()

    ours = jax.grad(policy.log_density)(point, observations[0], choice)
    np.testing.assert_allclose(ours, jax.grad(density_of_squashed)(point), atol=1e-9)


def test_actions_fill_the_range_and_no_more() -> None:
    policy = policy_for(4, BOX, ())
    low, middle, high = (policy.act(np.full(3, u), np) for u in (-99.0, 0.0, 99.0))
    np.testing.assert_array_equal(low, BOX.low)
    np.testing.assert_allclose(middle, [0.0, 2.0, 2.25])
    np.testing.assert_array_equal(high, BOX.high)
    assert policy_for(4, Discrete(3, start=5), ()).act(np.int32(2), np) == 7


def test_the_largest_of_outputs_and_noise_is_a_draw_from_the_softmax() -> None:
    policy = policy_for(4, Discrete(6), (5,))
    point, observations, _ = somewhere(policy)
    draws, observation = 20_000, observations[0]
    noise = policy.noise(jax.random.key(5), draws, jnp.float64)
    choices = policy.choose(policy.layers(point), observation[None], noise, jnp)
    expected = jax.nn.softmax(jnp.asarray(plain_outputs(point, observation)))
    frequency = np.bincount(np.asarray(choices), minlength=6) / draws
    assert np.all(np.abs(frequency - expected) < 5 * np.sqrt(expected * (1 - expected) / draws))


def test_a_gaussian_choice_is_mean_plus_deviation_times_noise() -> None:
    policy = policy_for(4, BOX, (5,))
    point, observations, noise = somewhere(policy)
    choices = policy.choose(policy.layers(point), observations, noise, jnp)
    outputs = np.stack([plain_outputs(point, observation) for observation in observations])
    expected = outputs[:, :3] + np.log1p(np.exp(outputs[:, 3:])) * np.asarray(noise)
    np.testing.assert_allclose(choices, expected, rtol=1e-12)
    draws = policy.noise(jax.random.key(2), 5000, jnp.float64)
    assert np.all(np.abs(draws.mean(axis=0)) < 5 / np.sqrt(5000))
    assert np.all(np.abs(draws.var(axis=0) - 1) < 5 * np.sqrt(2 / 5000))


@pytest.mark.parametrize(
    ("actions", "trunk"), [(Discrete(6), "shared"), (BOX, "shared"), (BOX, "separate")]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numpy_chooses_and_acts_as_jax_does(
    actions: Discrete | Box, trunk: Trunk, dtype: str
) -> None:
    policy = policy_for(4, actions, (64, 64), trunk)
    arrays = [array.astype(dtype) for array in somewhere(policy)]
    ours = policy.choose(policy.layers(arrays[0]), *arrays[1:], jnp)
    point, observations, noise = (np.asarray(array) for array in arrays)
    layers = policy.layers(point)
    rows = zip(observations, noise, strict=True)
    theirs = np.stack([policy.choose(layers, *row, np) for row in rows])
    assert theirs.dtype == ours.dtype
    tolerance = 1e-13 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(theirs, ours, rtol=tolerance, atol=tolerance)
    acted, act = policy.act(theirs, np), policy.act(ours, jnp)
    assert acted.dtype == act.dtype
    np.testing.assert_allclose(acted, act, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("actions", "trunk"), [(Discrete(4), "shared"), (BOX, "separate")])
def test_it_starts_with_lecun_layers_and_hardly_a_preference(
    actions: Discrete | Box, trunk: Trunk
) -> None:
    policy = policy_for(100, actions, (200, 100), trunk)
    point = policy.initial_point(jax.random.key(0), jnp.float32)
    assert point.dtype == jnp.float32
    layers = policy.layers(point)
    networks = layers if trunk == "separate" else [layers]
    for network in networks:
        for (weights, biases), scale in zip(network, (1, 1, 0.01), strict=True):
            relative = np.asarray(weights).std() / (scale / np.sqrt(weights.shape[0]))
            assert abs(relative - 1) < 5 / np.sqrt(2 * weights.size)
            assert not np.any(biases)
    if trunk == "separate":
        mean, deviation = networks
        assert np.any(mean[0][0] != deviation[0][0])


def test_a_layer_without_units_is_refused():
    with pytest.raises(ValueError, match=r"hidden = \[8, 0\]: a layer needs"):
        perceptron((8, 0))
