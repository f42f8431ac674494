"""Which random numbers belong to a ticket, and what is the gradient of recorded steps?

A root key has three branches: for tickets, the initial point, and evaluations.  A ticket's own key
splits into the start of its episode and the policy's noise.

``plain_episode`` and ``plain_gradient`` need no batching and no compilation: a Python loop over
time.  They are the oracle of the fast paths, and the code to read, or to put a breakpoint in, when
a number is suspect.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulator.objectives.objective import Direction, Played, ticket_keys
from simulator.objectives.policies import Policy
from simulator.objectives.spaces import Environment

RETURN: Mapping[str, Direction] = MappingProxyType({"return": "higher"})
"""The metric of a policy."""


def episode_keys(root: Array, tickets: Array) -> Array:
    """One key per ticket."""
    return ticket_keys(_branches(root)[0], tickets)


def initial_key(root: Array) -> Array:
    return _branches(root)[1]


def evaluation_keys(root: Array, step: Array, episodes: int) -> Array:
    """One key per episode and step, apart from all keys of tickets."""
    numbers = jnp.arange(episodes, dtype=jnp.int32)
    return jax.vmap(evaluation_key, (None, None, 0))(root, step, numbers)


def evaluation_key(root: Array, step: Array, number: Array) -> Array:
    """The key of the episode of this number."""
    return jax.random.fold_in(jax.random.fold_in(_branches(root)[2], step), number)


def _branches(root: Array) -> Array:
    return jax.random.split(root, 3)


def start_and_noise(policy: Policy, key: Array, steps: int, dtype: Any) -> tuple[Array, Array]:
    """The key of an episode's first state, and its policy's noise for every possible step."""
    start, noise = jax.random.split(key)
    return start, policy.noise(noise, steps, dtype)


def in_turn(episodes: int, worlds: int) -> int:
    """The next number of episodes that gives every environment equally many."""
    return -(-episodes // worlds) * worlds


def played(totals: Any, lengths: Any) -> list[Played]:
    pairs = zip(np.asarray(totals), np.asarray(lengths), strict=True)
    return [Played(float(total), int(length)) for total, length in pairs]


def plain_episode(
    environment: Environment,
    policy: Policy,
    point: Array,
    key: Array,
    horizon: int,
    on_state: Callable[[Any, Any], object] = lambda state, action: None,
) -> tuple[list[Any], list[Any], list[float]]:
    """Observations, choices and rewards: one of each for every step.

    ``on_state(state, action)`` is called at the start and after every step.
    """
    start, noise = start_and_noise(policy, key, horizon, point.dtype)
    state = environment.reset(environment.parameters, start, point.dtype)
    layers = policy.layers(point)
    observations, choices, rewards = [], [], []
    on_state(state, None)
    for row in noise:
        observation = environment.observe(environment.parameters, state)
        choice = policy.choose(layers, observation, row, jnp)
        action = policy.act(choice, jnp)
        state, reward, terminated = environment.step(environment.parameters, state, action)
        on_state(state, action)
        observations.append(observation)
        choices.append(choice)
        rewards.append(float(reward))
        if terminated:
            break
    return observations, choices, rewards


def plain_gradient(
    policy: Policy, point: Array, observations: Any, choices: Any, rewards: Any, discount: float
) -> Array:
    """The sum over t of (the sum over h >= t of discount^h r_h) grad log pi(a_t | s_t)."""
    total = jnp.zeros_like(point)
    for t, (observation, choice) in enumerate(zip(observations, choices, strict=True)):
        to_go = sum(discount**h * rewards[h] for h in range(t, len(rewards)))
        total += to_go * jax.grad(policy.log_density)(point, observation, choice)
    return total
