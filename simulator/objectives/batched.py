"""How are the gradients of many episodes computed at once, where the environment is in JAX?

Play all rows in one loop, then differentiate the recorded steps in blocks of time, as many as
the longest episode fills: the whole call is one compiled function and never waits for Python.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.rollout import Paths, rollout
from simulator.objectives.environments.spaces import Environment
from simulator.objectives.environments.worlds import Worlds
from simulator.objectives.estimator import (
    episode_keys,
    evaluation_keys,
    score,
    start_and_noise,
)
from simulator.objectives.policies import Trunk, policy_for
from simulator.objectives.standard import Standard
from simulator.objectives.twin import plain_episode, plain_gradient

if TYPE_CHECKING:
    from jax import Array

BLOCK = 32
"""Steps in time of a backward block: short episodes cost little, and it still fills the cores."""
ROWS = 512
"""At most so many steps, of any episodes, in a backward block at one point."""


class Batched:
    """Episodes of one policy architecture, in one environment or in one for each worker.

    Points and roots are arguments.
    """

    def __init__(
        self,
        environments: Sequence[Environment],
        hidden: Sequence[int],
        horizon: int,
        discount: float,
        dtype: str,
        trunk: Trunk = "shared",
        standard: Standard | None = None,
    ) -> None:
        self.worlds, self.horizon, self.discount = Worlds(environments, dtype), horizon, discount
        # The paths have room for whole blocks; nothing happens after the horizon.
        self.room = -(-horizon // BLOCK) * BLOCK
        self.discounts = (discount ** np.arange(self.room)).astype(dtype)
        size, actions = self.worlds.first.observation_size, self.worlds.first.actions
        self.policy = policy_for(size, actions, hidden, trunk, standard)
        self.gradient = jax.jit(self._gradient)
        self.gradients = jax.jit(self._gradients)
        self.lengths = jax.jit(self._lengths)
        self.play = jax.jit(self._play, static_argnames="episodes")

    def sample(self, root: "Array", point: "Array", ticket: "Array") -> "tuple[Array, int]":
        (key,) = episode_keys(root, ticket[None])
        environment = self.worlds.of(int(ticket[0]))
        episode = plain_episode(environment, self.policy, point, key, self.horizon)
        gradient = plain_gradient(self.policy, point, *episode, discount=self.discount)
        return gradient, len(episode[-1])

    def _gradient(
        self, root: "Array", point: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        keys, workers = episode_keys(root, tickets), tickets[:, 0]
        paths = self._paths(self._choose, point, keys, workers, weights != 0)
        scales = self.to_go(paths.rewards) * weights.astype(self.discounts.dtype)
        total = self._backward(point, paths, scales)
        return total, jnp.sum(paths.lengths, dtype=jnp.int32)

    def _gradients(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        paths = self._paths_each(root, points, tickets, weights)
        scales = self.to_go(paths.rewards) * weights.astype(self.discounts.dtype)
        totals = self._backward_each(points, paths, scales)
        # The point of a padding row may be anything, and 0 * NaN is NaN.
        return jnp.where((weights != 0)[:, None], totals, 0), paths.lengths

    def _lengths(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "Array":
        # The loop records its steps here too; XLA drops what nobody reads.
        return self._paths_each(root, points, tickets, weights).lengths

    def _play(
        self, root: "Array", step: "Array", point: "Array", *, episodes: int
    ) -> "tuple[Array, Array]":
        # The workers take turns: all have as many episodes, where they divide by the workers.
        turns = jnp.arange(episodes, dtype=jnp.int32)
        paths = self.paths(point, evaluation_keys(root, step, episodes), turns)
        return jnp.sum(paths.rewards, axis=0), paths.lengths

    def observations(self, root: "Array", episodes: int) -> NDArray[Any]:
        """All that is seen while the neutral policy plays: a zero vector's outputs are all 0."""
        neutral = jnp.zeros(self.policy.dimension, self.discounts.dtype)
        keys = evaluation_keys(root, jnp.int32(0), episodes)
        turns = jnp.arange(episodes, dtype=jnp.int32)
        paths = jax.jit(self.paths)(neutral, keys, turns)
        played = np.arange(self.room)[:, None] < np.asarray(paths.lengths)
        return np.asarray(paths.observations)[played]

    def paths(self, point: "Array", keys: "Array", workers: "Array") -> Paths:
        """An episode for each key, at one point, in this worker's environment."""
        return self._paths(self._choose, point, keys, workers, jnp.ones(len(keys), bool))

    def _paths_each(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> Paths:
        """A path for each ticket at its own point; none for padding."""
        choose, keys = jax.vmap(self._choose), episode_keys(root, tickets)
        return self._paths(choose, points, keys, tickets[:, 0], weights != 0)

    def _choose(self, point: "Array", observations: "Array", noise: "Array") -> Any:
        return self.policy.choose(self.policy.layers(point), observations, noise, jnp)

    def _paths(
        self, choose: Any, point: "Array", keys: "Array", workers: "Array", alive: "Array"
    ) -> Paths:
        environment, axis = self.worlds.rows(workers)
        dtype = self.discounts.dtype
        draw = partial(start_and_noise, self.policy, steps=self.horizon, dtype=dtype)
        starts, noise = jax.vmap(draw, out_axes=(0, 1))(keys)
        reset = jax.vmap(partial(environment.reset, dtype=dtype), (axis, 0))
        return rollout(
            environment,
            partial(choose, point),
            lambda choices: self.policy.act(choices, jnp),
            reset(environment.parameters, starts),
            noise,
            alive,
            self.room,
            axis,
        )

    def to_go(self, rewards: "Array") -> "Array":
        return jax.lax.cumsum(rewards * self.discounts[:, None], axis=0, reverse=True)

    def _backward(self, point: "Array", paths: Paths, scales: "Array") -> "Array":
        """The gradient at one point: episodes end early, so only played steps are gathered."""
        played = (jnp.arange(self.room)[:, None] < paths.lengths).reshape(-1)
        block = min(ROWS, BLOCK * len(paths.lengths))
        room = -(-played.size // block) * block
        (order,) = jnp.nonzero(played, size=room, fill_value=0)
        many = jnp.sum(paths.lengths, dtype=jnp.int32)
        records = [_flat(record) for record in (paths.observations, paths.choices, scales)]

        def gradient(start: "Array") -> "Array":
            rows = jax.lax.dynamic_slice_in_dim(order, start, block)
            observations, choices, scales = (record[rows] for record in records)
            scales = jnp.where(start + jnp.arange(block) < many, scales, 0)
            return score(self.policy, point, observations, choices, scales)

        return _sum_of_blocks(gradient, many, block, point)

    def _backward_each(self, points: "Array", paths: Paths, scales: "Array") -> "Array":
        """A gradient for each ticket at its own point, over as many steps as the longest has."""
        each = jax.vmap(partial(score, self.policy), (0, 1, 1, 1))
        records = (paths.observations, paths.choices, scales)

        def gradients(start: "Array") -> "Array":
            cut = partial(jax.lax.dynamic_slice_in_dim, start_index=start, slice_size=BLOCK)
            return each(points, *(cut(record) for record in records))

        return _sum_of_blocks(gradients, jnp.max(paths.lengths), BLOCK, points)


def _sum_of_blocks(gradient: Any, many: "Array", block: int, like: "Array") -> "Array":
    """The sum of ``gradient(start)`` over blocks that cover ``many``; how many is not static."""

    def add(number: "Array", total: "Array") -> "Array":
        added: Array = total + gradient(number * block)
        return added

    blocks = (many + (block - 1)) // block
    total: Array = jax.lax.fori_loop(jnp.int32(0), blocks, add, jnp.zeros_like(like))
    return total


def _flat(record: "Array") -> "Array":
    return record.reshape(-1, *record.shape[2:])
