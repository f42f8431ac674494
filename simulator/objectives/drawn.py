"""What is a ticket's sample, for methods whose workers take steps of their own?  Its episodes.

The likelihood of the sample is that of the policy's choices: the environment's part cancels in
every ratio of two points.
"""

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax import Array

from simulator.objectives.environments.rollout import Paths
from simulator.objectives.estimator import keys_of_episodes
from simulator.objectives.policies import Policy
from simulator.objectives.sources import Decisions

Play: TypeAlias = Callable[[Array, Array, Array, Array], Paths]
"""``paths = play(points, turns, keys, workers)``: an episode for each key; its t-th decision is
taken at ``points[turns[t]]``."""


class Drawn(Decisions):
    """A source of samples; ``scales(paths)`` belong to the steps of an episode.

    All episodes of a ticket have their t-th decisions at one point.
    """

    def __init__(
        self,
        policy: Policy,
        play: Play,
        episodes: int,
        scales: Callable[[Paths], Array],
        horizon: int,
        rows: int,
    ) -> None:
        self._policy, self._play, self._episodes, self._scales = policy, play, episodes, scales
        self.horizon, self._rows = horizon, rows

    @property
    def rows(self) -> int:
        return self._rows

    def act(self, key: Array, worker: Array, points: Array, turns: Array) -> Paths:
        keys = keys_of_episodes(key[None], self._episodes)
        workers = jnp.repeat(worker, self._episodes)
        return self._play(jax.lax.stop_gradient(points), turns, keys, workers)

    def log_policy(self, sample: Paths, point: Array) -> Array:
        played = jnp.arange(self._rows)[:, None] < sample.lengths
        densities = self._policy.log_density(point, sample.observations, sample.choices)
        return jnp.where(played, densities, 0)

    def scales(self, sample: Paths) -> Array:
        return self._scales(sample) / self._episodes

    def length(self, sample: Paths) -> Array:
        return jnp.sum(sample.lengths, dtype=jnp.int32)
