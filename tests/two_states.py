"""A world of two states and two actions, small enough to enumerate."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simulator.objectives.spaces import Discrete, Environment

FIRST = np.array([0.3, 0.7])
STAY = np.array([[0.9, 0.4], [0.2, 0.6]])  # probability to go to state 0, by state and action
REWARD = np.array([[1.0, -2.0], [3.0, 0.5]])
ENDS = np.array([[False, False], [False, True]])  # the pair that ends the episode
DISCOUNT, HORIZON = 0.8, 3


class Place(NamedTuple):
    where: jax.Array
    key: jax.Array


def two_states() -> Environment:
    def reset(parameters: None, key: jax.Array, dtype: object) -> Place:
        first, later = jax.random.split(key)
        return Place(jnp.int32(jax.random.uniform(first) >= FIRST[0]), later)

    def observe(parameters: None, place: Place) -> jax.Array:
        return jnp.where(place.where == jnp.arange(2), 1.0, 0.0)

    def step(parameters: None, place: Place, action: jax.Array) -> tuple[Place, object, object]:
        now, later = jax.random.split(place.key)
        pair = (place.where, action)
        moved = jnp.int32(jax.random.uniform(now) >= jnp.asarray(STAY)[pair])
        return Place(moved, later), jnp.asarray(REWARD)[pair], jnp.asarray(ENDS)[pair]

    return Environment(2, Discrete(2), None, reset, observe, step)
