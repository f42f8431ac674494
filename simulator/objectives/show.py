"""How is an episode of an objective drawn?

Plain code plays it once more, in the same environment opened for drawing.  On the host it is the
same episode to the last bit.  JAX compiles a single step in another way, so there it is the same
up to rounding.
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
from simulator.objectives.environments.worlds import Varied
from simulator.objectives.objective import Played
from simulator.objectives.policies import Policy
from simulator.objectives.spaces import Environment

OnState: TypeAlias = Callable[[], object]
EpisodeOf: TypeAlias = Callable[[Any, Any, int], Request]
"""``request = episode_of(root, step, number)``: an episode of an evaluation, by its number."""


class OnHost:
    """An environment that draws itself."""

    def __init__(self, game: Game, variation: Variation, episode_of: EpisodeOf) -> None:
        self._game, self._variation, self._episode_of = game, variation, episode_of
        self._environment = drawing(game.name, variation, game.horizon)
        self.rate = rate_of(self._environment)

    def play(self, point: NDArray[Any], seed: int, number: int, on_state: OnState) -> Played:
        request = self._episode_of(jax.random.key(seed), jnp.int32(0), number)
        game = self._game
        episode = plain_episode(self._environment, self._variation, game, point, request, on_state)
        return _played(episode.rewards, game.dtype)

    def picture(self) -> NDArray[np.uint8]:
        return picture_of(self._environment)

    def close(self) -> None:
        self._environment.close()
        # Now, since MuJoCo frees its OpenGL context with the last reference: later it would take
        # the context of the next environment.
        del self._environment


class InJax:
    """One of ours, drawn by gymnasium's environment of the same name."""

    def __init__(
        self, name: str, own: Environment, policy: Policy, horizon: int, dtype: np.dtype
    ) -> None:
        self._policy, self._horizon, self._dtype = policy, horizon, dtype
        self._environment = own._replace(step=jax.jit(own.step))
        constants = own.parameters
        if isinstance(constants, Varied):
            constants = constants.constants
        self._drawn = drawing(name, Variation(), horizon=1)
        self._pose = partial(POSES[name], self._drawn.unwrapped, constants)
        self.rate = rate_of(self._drawn)

    def play(self, point: NDArray[Any], seed: int, number: int, on_state: OnState) -> Played:
        def pose(state: Any, action: Any) -> None:
            self._pose(state, action)
            on_state()

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
