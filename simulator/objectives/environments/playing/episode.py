"""What does an episode depend on?  On its request alone, to the last bit.

So neither the process that plays it nor the episodes beside it change it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.host import Gymnasium, as_taken, flat
from simulator.objectives.environments.playing.varied import begin
from simulator.objectives.environments.variation import Variation

if TYPE_CHECKING:
    from simulator.objectives.policies import Policy

BLOCK = 64
"""Steps whose noise is drawn at once."""


class Episode(NamedTuple):
    """Observations, choices of the policy, and rewards: a row for each step."""

    observations: NDArray[Any]
    choices: NDArray[Any]
    rewards: NDArray[np.float64]


class Game(NamedTuple):
    """The environment and the policy, the same for all episodes.

    ``size`` is the length of the observations that the policy takes.
    """

    name: str
    variations: Sequence[Variation]
    horizon: int
    policy: "Policy"
    size: int
    dtype: str


class Request(NamedTuple):
    """An episode to play.

    ``point`` is the number of one of the points that were sent; ``seed`` draws the environment's
    first state, and ``key`` the policy's noise.
    """

    number: int
    variation: int
    point: int
    seed: int
    key: int


def generator(key: int) -> np.random.Generator:
    """The noise of an episode: a stream of its own for every key of 128 bits."""
    return np.random.Generator(np.random.Philox(key=key))


def observe(raw: NDArray[Any], variation: Variation, out: NDArray[Any]) -> None:
    """Write the policy's observations into ``out``: with the worker's sign and flag."""
    size = raw.shape[-1]
    out[..., :size] = raw
    if variation.sign != 1:
        out[..., :size] *= variation.sign
    if variation.flag is not None:
        out[..., size] = variation.flag


def plain_episode(
    environment: Gymnasium,
    variation: Variation,
    game: Game,
    point: NDArray[Any],
    request: Request,
    on_state: Callable[[], object] = lambda: None,
) -> Episode:
    """The same episode by gymnasium's own calls: the oracle of a player.

    ``on_state`` is called at the start and after every step.
    """
    policy, noise = game.policy, generator(request.key)
    layers = policy.layers(point)
    observations, choices, rewards = [], [], []
    raw = begin(environment, variation, request.seed)
    on_state()
    for step in range(game.horizon):
        if step % BLOCK == 0:
            block = policy.host_noise(noise, BLOCK, game.dtype)
        observation = np.empty(game.size, game.dtype)
        observe(flat(environment, raw), variation, observation)
        choice = policy.choose(layers, observation, block[step % BLOCK], np)
        action = as_taken(environment.action_space, policy.act(choice, np))
        raw, reward, terminated, truncated, _ = environment.step(action)
        on_state()
        observations.append(observation)
        choices.append(choice)
        rewards.append(float(reward))
        if terminated or truncated:
            break
    return Episode(np.stack(observations), np.stack(choices), np.array(rewards))
