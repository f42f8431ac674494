"""Our Pendulum is gymnasium's, step by step, from random states and actions."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simulator.objectives.environments.catalogue import own_environment, spaces
from simulator.objectives.environments.pendulum import State
from simulator.objectives.spaces import Box


@pytest.mark.parametrize("g", [10.0, 3.7])
def test_a_step_is_gymnasiums_step(g: float) -> None:
    rng = np.random.default_rng(1)
    states = rng.uniform([-20, -8], [20, 8], (300, 2))
    actions = rng.uniform(-2.5, 2.5, (300, 1))  # beyond the motor's limit too
    ours = own_environment("Pendulum-v1", {"g": g})
    step = jax.jit(jax.vmap(ours.step, (None, 0, 0)))
    after, rewards, ended = step(ours.parameters, State(*jnp.asarray(states).T), actions)
    seen = jax.vmap(ours.observe, (None, 0))(ours.parameters, after)
    theirs = gymnasium.make("Pendulum-v1", g=g).unwrapped
    for row, (state, action) in enumerate(zip(states, actions, strict=True)):
        theirs.reset()
        theirs.state = state
        observation, reward, *_ = theirs.step(action)
        np.testing.assert_allclose(np.array(after)[:, row], theirs.state, rtol=0, atol=1e-13)
        np.testing.assert_allclose(rewards[row], reward, rtol=1e-13)
        np.testing.assert_allclose(seen[row], observation, rtol=0, atol=1e-6)  # theirs is float32
    assert not np.any(ended)
    assert np.any(np.abs(after.theta_dot) == 8)  # the speed limit was met


def test_it_starts_as_in_gymnasium() -> None:
    ours = own_environment("Pendulum-v1", {})
    keys = jax.random.split(jax.random.key(0), 2000)
    states = np.array(jax.vmap(lambda key: ours.reset(ours.parameters, key, jnp.float64))(keys))
    limits = np.array([np.pi, 1.0])
    assert np.all(np.abs(states).max(axis=1) <= limits)
    assert np.all(np.abs(states).max(axis=1) > 0.99 * limits)
    standard_error = limits / np.sqrt(3) / np.sqrt(2000)
    assert np.all(np.abs(states.mean(axis=1)) < 5 * standard_error)


def test_its_actions_are_those_of_gymnasium() -> None:
    space = gymnasium.make("Pendulum-v1").action_space
    assert own_environment("Pendulum-v1", {}).actions == Box((-2.0,), (2.0,))
    assert (space.low.tolist(), space.high.tolist()) == ([-2.0], [2.0])


def test_options_it_does_not_take_are_refused() -> None:
    spaces("Pendulum-v1", {"g": -9.81})
    with pytest.raises(ValueError, match=r"environment_options\.gravity: Pendulum-v1 has no such"):
        spaces("Pendulum-v1", {"gravity": 10})
    with pytest.raises(ValueError, match=r"environment_options\.length = 0: must be positive"):
        spaces("Pendulum-v1", {"length": 0})
