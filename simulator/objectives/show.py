"""What is to be seen of the episodes that an objective plays?

One is played once more, one plain step after the other, in the same environment made so that it
can be drawn.  On the host it is the same episode to the last bit.  What runs in JAX is compiled
otherwise when it is stepped alone, so there it is the same up to rounding.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from simulator.objectives import estimator
from simulator.objectives.environments.playing.episode import Game, Request, plain_episode
from simulator.objectives.environments.playing.screen import POSES, drawing, picture_of, rate_of
from simulator.objectives.environments.variation import Variation
from simulator.objectives.environments.worlds import Seen
from simulator.objectives.objective import Played
from simulator.objectives.policies import Policy
from simulator.objectives.spaces import Environment

Look: TypeAlias = Callable[[], object]
Evaluated: TypeAlias = Callable[[Any, Any, int], Request]
"""``evaluated(root, step, number)``: an episode of an evaluation, by its number."""


class OnHost:
    """An environment that draws itself."""

    def __init__(self, game: Game, variation: Variation, evaluated: Evaluated) -> None:
        self._game, self._variation, self._evaluated = game, variation, evaluated
        self._environment = drawing(game.name, variation, game.horizon)
        self.rate = rate_of(self._environment)

    def play(self, point: NDArray[Any], seed: int, number: int, look: Look) -> Played:
        request = self._evaluated(jax.random.key(seed), jnp.int32(0), number)
        game = self._game
        episode = plain_episode(self._environment, self._variation, game, point, request, look)
        return _played(episode.rewards, game.dtype)

    def picture(self) -> NDArray[np.uint8]:
        return picture_of(self._environment)

    def close(self) -> None:
        self._environment.close()
        # What MuJoCo drew with is given back when it is forgotten; were another environment
        # drawing by then, that one would lose what it draws with.
        del self._environment


class InJax:
    """One of ours, drawn by gymnasium's environment of the same name."""

    def __init__(
        self, name: str, own: Environment, policy: Policy, horizon: int, dtype: np.dtype
    ) -> None:
        self._policy, self._horizon, self._dtype = policy, horizon, dtype
        self._environment = own._replace(step=jax.jit(own.step))
        constants = own.parameters
        if isinstance(constants, Seen):
            constants = constants.constants
        self._drawn = drawing(name, Variation(), horizon=1)
        self._pose = partial(POSES[name], self._drawn.unwrapped, constants)
        self.rate = rate_of(self._drawn)

    def play(self, point: NDArray[Any], seed: int, number: int, look: Look) -> Played:
        def pose(state: Any, action: Any) -> None:
            self._pose(state, action)
            look()

        key = estimator.evaluation_key(jax.random.key(seed), jnp.int32(0), jnp.int32(number))
        *_, rewards = estimator.plain_episode(
            self._environment, self._policy, jnp.asarray(point), key, self._horizon, pose
        )
        return _played(rewards, self._dtype)

    def picture(self) -> NDArray[np.uint8]:
        return picture_of(self._drawn)

    def close(self) -> None:
        self._drawn.close()


def _played(rewards: Any, dtype: Any) -> Played:
    return Played(float(np.sum(rewards).astype(dtype)), len(rewards))
