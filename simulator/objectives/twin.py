"""What would one episode and its gradient be, computed the plain way?

No batching, no compilation, a Python loop over time: the oracle of the fast paths, and the code
to read, or to put a breakpoint in, when a number looks wrong.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from simulator.objectives.estimator import start_and_noise
from simulator.objectives.policies import Policy
from simulator.objectives.spaces import Environment

if TYPE_CHECKING:
    from jax import Array


def plain_episode(
    environment: Environment,
    policy: Policy,
    point: "Array",
    key: "Array",
    horizon: int,
    look: Callable[[Any, Any], object] = lambda state, action: None,
) -> tuple[list[Any], list[Any], list[float]]:
    """Observations, choices and rewards, one of each for every step until it ends.

    ``look`` is called at the start and after every step, with the state and what led to it.
    """
    start, noise = start_and_noise(policy, key, horizon, point.dtype)
    state = environment.reset(environment.parameters, start, point.dtype)
    layers = policy.layers(point)
    observations, choices, rewards = [], [], []
    look(state, None)
    for row in noise:
        observation = environment.observe(environment.parameters, state)
        choice = policy.choose(layers, observation, row, jnp)
        action = policy.act(choice, jnp)
        state, reward, terminated = environment.step(environment.parameters, state, action)
        look(state, action)
        observations.append(observation)
        choices.append(choice)
        rewards.append(float(reward))
        if terminated:
            break
    return observations, choices, rewards


def plain_gradient(
    policy: Policy,
    point: "Array",
    observations: Any,
    choices: Any,
    rewards: Any,
    discount: float,
) -> "Array":
    """The sum over t of (the sum over h >= t of discount^h r_h) grad log pi(a_t | s_t)."""
    total = jnp.zeros_like(point)
    for t, (observation, choice) in enumerate(zip(observations, choices, strict=True)):
        to_go = sum(discount**h * rewards[h] for h in range(t, len(rewards)))
        total += to_go * jax.grad(policy.log_density)(point, observation, choice)
    return total
