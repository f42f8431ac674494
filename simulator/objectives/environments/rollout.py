"""How are many episodes played together in JAX?

One loop over time steps all rows at once, and ends when every episode has.  A row that has ended
keeps its state and writes zeros.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array

from simulator.objectives.spaces import Environment

Choose: TypeAlias = Callable[[Array, Array, Array], Array]
"""``choices = choose(observations, noise, time)``"""


class Paths(NamedTuple):
    """Arrays (time, row, …), zero after a row's end, and the number of steps of each row."""

    observations: Array
    choices: Array
    rewards: Array
    lengths: Array


class _Moment(NamedTuple):
    time: Array
    alive: Array
    states: Any
    paths: Paths


def rollout(
    environment: Environment,
    choose: Choose,
    act: Callable[[Array], Array],
    states: Any,
    noise: Array,
    alive: Array,
    room: int,
    axis: int | None = None,
) -> Paths:
    """Play from ``states``; ``act(choices)`` and ``choose`` take all rows, at one time.

    Episodes end where ``noise`` (time, row, …) does; rows not ``alive`` are not played.  The paths
    have ``room`` for that many steps, so that they divide into blocks.  With an ``axis``, each row
    has parameters of its own.
    """
    observe = jax.vmap(environment.observe, (axis, 0))
    step = jax.vmap(environment.step, (axis, 0, 0))

    def go_on(now: _Moment) -> Array:
        return (now.time < noise.shape[0]) & jnp.any(now.alive)

    def advance(now: _Moment) -> _Moment:
        observations = observe(environment.parameters, now.states)
        row = jax.lax.dynamic_index_in_dim(noise, now.time, 0, False)
        choices = choose(observations, row, now.time)
        states, rewards, terminated = step(environment.parameters, now.states, act(choices))
        new = (observations, choices, rewards)
        return _Moment(
            now.time + 1,
            now.alive & ~terminated,
            _where(now.alive, states, now.states),
            _write(now.paths, now.time, now.alive, new),
        )

    first = jnp.int32(0)
    shapes = jax.eval_shape(
        lambda: choose(observe(environment.parameters, states), noise[0], first)
    )
    blank = _blank((room, noise.shape[1]), environment.observation_size, shapes, noise.dtype)
    start = _Moment(first, alive, states, blank)
    return jax.lax.while_loop(go_on, advance, start).paths


def _blank(shape: tuple[int, int], observation_size: int, choices: Any, dtype: Any) -> Paths:
    return Paths(
        jnp.zeros((*shape, observation_size), dtype),
        jnp.zeros((shape[0], *choices.shape), choices.dtype),
        jnp.zeros(shape, dtype),
        jnp.zeros(shape[1], jnp.int32),
    )


def _write(paths: Paths, time: Array, alive: Array, new: tuple[Array, ...]) -> Paths:
    def put(record: Array, new: Array) -> Array:
        row: Array = _where(alive, new.astype(record.dtype), jnp.zeros_like(new, record.dtype))
        updated: Array = jax.lax.dynamic_update_index_in_dim(record, row, time, 0)
        return updated

    observations, choices, rewards = map(put, paths[:3], new)
    return Paths(observations, choices, rewards, paths.lengths + alive)


def _where(alive: Array, new: Any, old: Any) -> Any:
    def pick(new: Array, old: Array) -> Array:
        return jnp.where(alive.reshape(alive.shape + (1,) * (new.ndim - 1)), new, old)

    return jax.tree.map(pick, new, old)
