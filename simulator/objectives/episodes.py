"""What can a worker compute from one episode?  For methods whose workers take steps of their own.

The sample is a whole path.  Its surrogate is sum_t scale_t log pi(a_t | s_t) with the rewards to go
for scales, and its likelihood that of the policy's choices: the environment's part cancels in
every ratio of two points.
"""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from simulator.objectives.batched import Batched
from simulator.objectives.environments.rollout import Paths

if TYPE_CHECKING:
    from jax import Array


class Episodes:
    """Single episodes of an environment in JAX, the worker's own where they differ."""

    def __init__(self, batched: Batched) -> None:
        self._batched = batched

    def draw(self, key: "Array", worker: "Array", point: "Array") -> Paths:
        paths = self._batched.paths(jax.lax.stop_gradient(point), key[None], worker[None])
        observations, choices, rewards = (record[:, 0] for record in paths[:3])
        return Paths(observations, choices, rewards, paths.lengths[0])

    def surrogate(self, sample: Paths, worker: "Array", point: "Array") -> "Array":
        scales = self._batched.to_go(sample.rewards[:, None])[:, 0]
        total: Array = jnp.sum(scales * self._log_density(sample, point))
        return total

    def log_likelihood(self, sample: Paths, worker: "Array", point: "Array") -> "Array":
        played = jnp.arange(len(sample.rewards)) < sample.lengths
        total: Array = jnp.sum(jnp.where(played, self._log_density(sample, point), 0))
        return total

    def length(self, sample: Paths) -> "Array":
        return sample.lengths

    def _log_density(self, sample: Paths, point: "Array") -> Any:
        return self._batched.policy.log_density(point, sample.observations, sample.choices)
