"""What is an episode, and what does it depend on?  On its request alone, to the last bit.

So it does not matter which process plays it, nor what it is played beside.
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
    """What was seen, what the policy chose and what it got, one row for each step."""

    observations: NDArray[Any]
    choices: NDArray[Any]
    rewards: NDArray[np.float64]


class Game(NamedTuple):
    """What is played, and how: the same for all episodes."""

    name: str
    variations: Sequence[Variation]
    horizon: int
    policy: "Policy"
    size: int
    """Of what the policy sees."""

    dtype: str


class Request(NamedTuple):
    """An episode to play."""

    number: int
    variation: int
    point: int
    """Which of the points that were sent."""

    seed: int
    """Of the environment's first state."""

    key: int
    """Of the policy's noise."""


def generator(key: int) -> np.random.Generator:
    """The noise of an episode: a stream of its own for every key of 128 bits."""
    return np.random.Generator(np.random.Philox(key=key))


def see(raw: NDArray[Any], variation: Variation, seen: NDArray[Any]) -> None:
    """Write into ``seen`` what the policy sees of observations."""
    size = raw.shape[-1]
    seen[..., :size] = raw
    if variation.sign != 1:
        seen[..., :size] *= variation.sign
    if variation.flag is not None:
        seen[..., size] = variation.flag


def plain_episode(
    environment: Gymnasium,
    variation: Variation,
    game: Game,
    point: NDArray[Any],
    request: Request,
    look: Callable[[], object] = lambda: None,
) -> Episode:
    """The same episode in gymnasium's own words, call by call: the oracle of a player.

    ``look`` is called at the start and after every step, to see the environment as it is then.
    """
    policy, noise = game.policy, generator(request.key)
    layers = policy.layers(point)
    observations, choices, rewards = [], [], []
    raw = begin(environment, variation, request.seed)
    look()
    for step in range(game.horizon):
        if step % BLOCK == 0:
            block = policy.host_noise(noise, BLOCK, game.dtype)
        observation = np.empty(game.size, game.dtype)
        see(flat(environment, raw), variation, observation)
        choice = policy.choose(layers, observation, block[step % BLOCK], np)
        action = as_taken(environment.action_space, policy.act(choice, np))
        raw, reward, terminated, truncated, _ = environment.step(action)
        look()
        observations.append(observation)
        choices.append(choice)
        rewards.append(float(reward))
        if terminated or truncated:
            break
    return Episode(np.stack(observations), np.stack(choices), np.array(rewards))
