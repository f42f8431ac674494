"""Our CartPole is gymnasium's, step by step, from random states and actions."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simulator.objectives.environments.cartpole import State, cartpole
from simulator.objectives.environments.catalogue import own_environment, spaces

LIMITS = np.array([2.7, 3.0, 0.24, 3.0])  # a little beyond where it ends


def test_a_step_is_gymnasiums_step() -> None:
    rng = np.random.default_rng(0)
    states, actions = rng.uniform(-LIMITS, LIMITS, (500, 4)), rng.integers(0, 2, 500)
    for sutton_barto in (False, True):
        ours = own_environment("CartPole-v1", {"sutton_barto_reward": sutton_barto})
        step = jax.jit(jax.vmap(ours.step, (None, 0, 0)))
        after, rewards, ended = step(ours.parameters, State(*jnp.asarray(states).T), actions)
        theirs = gymnasium.make("CartPole-v1", sutton_barto_reward=sutton_barto).unwrapped
        for row, (state, action) in enumerate(zip(states, actions, strict=True)):
            theirs.reset()
            theirs.state = state
            _, reward, terminated, _, _ = theirs.step(action)
            np.testing.assert_allclose(np.array(after)[:, row], theirs.state, rtol=0, atol=1e-14)
            assert (rewards[row], ended[row]) == (reward, terminated)
        assert 50 < np.sum(ended) < 450  # both outcomes were seen


def test_it_starts_and_is_seen_as_in_gymnasium() -> None:
    ours, keys = cartpole(), jax.random.split(jax.random.key(0), 2000)
    states = np.array(jax.vmap(lambda key: ours.reset(ours.parameters, key, jnp.float64))(keys))
    assert np.abs(states).max() <= 0.05
    # Uniform: variance 0.1^2/12, and the mean of 2000 within five standard errors of 0.
    deviation = 0.1 / np.sqrt(12)
    assert np.all(np.abs(states.mean(axis=1)) < 5 * deviation / np.sqrt(2000))
    np.testing.assert_allclose(states.std(axis=1), deviation, rtol=0.1)
    np.testing.assert_array_equal(ours.observe(None, State(1.0, 2.0, 3.0, 4.0)), [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lenght": 1}, "environment_options.lenght: .* did you mean 'length'"),
        ({"colour": 1}, "environment_options.colour: .* known: force_mag, gravity, length"),
        ({"masscart": -1}, "environment_options.masscart = -1: must be positive"),
        ({"tau": float("nan")}, "environment_options.tau = nan: must be a finite number"),
        ({"tau": "1"}, "environment_options.tau = '1': must be a finite number"),
        ({"sutton_barto_reward": 1}, "sutton_barto_reward = 1: must be true or false"),
    ],
)
def test_options_it_does_not_take_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        spaces("CartPole-v1", options)
    assert "\n" not in str(refusal.value)
