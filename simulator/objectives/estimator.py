"""Which random numbers belong to a ticket, and what is the gradient of recorded steps?

A root key has three branches: for tickets, the initial point, and evaluations.  A ticket's own key
is that of its first episode, and its other episodes have keys of a branch of it.  An episode's key
splits into the start of the episode and the policy's noise.

``plain_episode`` and ``plain_gradient`` need no batching and no compilation: a Python loop over
time.  They are the oracle of the fast paths, and the code to read, or to put a breakpoint in, when
a number is suspect.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from simulator.objectives.objective import Direction, Played, ticket_keys
from simulator.objectives.policies import Policy
from simulator.objectives.reinforce import Reinforce
from simulator.objectives.spaces import Environment

RETURN: Mapping[str, Direction] = MappingProxyType({"return": "higher"})
"""The metric of a policy."""
BRANCH = 0x4F746865
"""Folded into a ticket's key, it makes the keys of all its episodes but the first."""


def episode_keys(root: Array, tickets: Array) -> Array:
    """One key per ticket."""
    return ticket_keys(_branches(root)[0], tickets)


def keys_of_episodes(keys: Array, episodes: int) -> Array:
    """The keys (B * K,) of the K episodes of each ticket's key (B,), one ticket after another."""
    if episodes == 1:
        return keys

    def others(key: Array) -> Array:
        numbers = jnp.arange(1, episodes, dtype=jnp.int32)
        return jax.vmap(partial(jax.random.fold_in, jax.random.fold_in(key, BRANCH)))(numbers)

    return jnp.concatenate([keys[:, None], jax.vmap(others)(keys)], axis=1).reshape(-1)


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


def scales(estimator: Reinforce, rewards: Array, lengths: Array, discounts: NDArray[Any]) -> Array:
    """The scale of each step (time, row), without 1/K; the rows of a ticket are neighbours."""
    to_go = _to_go(estimator, rewards, discounts)
    if not estimator.compares:
        return to_go
    tickets = to_go.reshape(len(to_go), -1, estimator.episodes)
    compared = estimator.against_others(tickets).reshape(to_go.shape)
    return jnp.where(jnp.arange(len(to_go))[:, None] < lengths, compared, 0)


def _to_go(estimator: Reinforce, rewards: Array, discounts: NDArray[Any]) -> Array:
    if estimator.discounting == "from-start":
        return jax.lax.cumsum(rewards * discounts[:, None], axis=0, reverse=True)

    def add(later: Array, reward: Array) -> tuple[Array, Array]:
        total = reward + estimator.discount * later
        return total, total

    to_go: Array = jax.lax.scan(add, jnp.zeros_like(rewards[0]), rewards, reverse=True)[1]
    return to_go


def plain_gradient(
    policy: Policy, point: Array, episodes: Iterable[Any], estimator: Reinforce
) -> Array:
    """The mean over the episodes of the sum over t of scale_t grad log pi(a_t | s_t)."""
    total, played = jnp.zeros_like(point), [*episodes]
    scales = estimator.by_hand([rewards for *_, rewards in played])
    for (observations, choices, _), own in zip(played, scales, strict=True):
        for observation, choice, scale in zip(observations, choices, own, strict=True):
            total += scale * jax.grad(policy.log_density)(point, observation, choice)
    return total / len(played)
