"""What is a ticket's sample, for methods whose workers take steps of their own?  Its episodes.

The likelihood of the sample is that of the policy's choices: the environment's part cancels in
every ratio of two points.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array

from simulator.objectives.environments.rollout import Paths
from simulator.objectives.estimator import keys_of_episodes
from simulator.objectives.policies import Policy

Play: TypeAlias = Callable[[Array, Array, Array], Paths]
"""``paths = play(point, keys, workers)``: an episode for each key, at one point."""


class Drawn:
    """A source of samples (``exact/model.py``); ``scales(paths)`` belong to the steps of one."""

    def __init__(
        self, policy: Policy, play: Play, episodes: int, scales: Callable[[Paths], Array]
    ) -> None:
        self._policy, self._play, self._episodes, self._scales = policy, play, episodes, scales

    def draw(self, key: Array, worker: Array, point: Array) -> Paths:
        keys = keys_of_episodes(key[None], self._episodes)
        workers = jnp.repeat(worker, self._episodes)
        return self._play(jax.lax.stop_gradient(point), keys, workers)

    def surrogate(self, sample: Paths, worker: Array, point: Array) -> Array:
        """The mean over the episodes of sum_t scale_t log pi(a_t | s_t)."""
        total: Array = jnp.sum(self._scales(sample) * self._log_density(sample, point))
        return total / self._episodes

    def log_likelihood(self, sample: Paths, worker: Array, point: Array) -> Array:
        played = jnp.arange(len(sample.rewards))[:, None] < sample.lengths
        total: Array = jnp.sum(jnp.where(played, self._log_density(sample, point), 0))
        return total

    def length(self, sample: Paths) -> Array:
        return jnp.sum(sample.lengths, dtype=jnp.int32)

    def _log_density(self, sample: Paths, point: Array) -> Any:
        return self._policy.log_density(point, sample.observations, sample.choices)
