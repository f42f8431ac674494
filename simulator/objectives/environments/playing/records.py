"""Where are episodes written down while they are played?

A row for each step of the player, with a column for each lane: what a step writes, and what the
next one reads, are slices.  The rows are a ring as long as an episode may be.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.playing.episode import BLOCK, Episode, Game, generator
from simulator.objectives.environments.playing.stage import Lanes


class Records:
    """Of all lanes of one player; ``tick`` counts its steps."""

    def __init__(self, lanes: int, game: Game) -> None:
        policy, size = game.policy, game.size
        one = policy.host_noise(generator(0), BLOCK, game.dtype)
        layers = policy.layers(np.zeros(policy.dimension, game.dtype))
        choice = policy.choose(layers, np.zeros(size, game.dtype), one[0], np)
        # The observation after an episode's last step has a place, too.
        self._rows = rows = game.horizon + 1
        # Memory is taken only where something is written.
        self._seen = np.empty((rows, lanes, size), game.dtype)
        self._choices = np.empty((rows, lanes, *choice.shape), choice.dtype)
        self._rewards = np.empty((rows, lanes))
        self._noise = np.empty((BLOCK, lanes, *one.shape[1:]), one.dtype)

    def seen(self, tick: int, lanes: Lanes | int) -> NDArray[Any]:
        """What the policy sees at this tick: to be written, then to be read."""
        shown: NDArray[Any] = self._seen[tick % self._rows][lanes]
        return shown

    def noise(self, tick: int, lanes: Lanes) -> NDArray[Any]:
        return self._noise[tick % BLOCK, lanes]

    def write(self, tick: int, lanes: Lanes, choices: NDArray[Any], rewards: NDArray[Any]) -> None:
        row = tick % self._rows
        self._choices[row, lanes] = choices
        self._rewards[row, lanes] = rewards

    def draw(self, tick: int, lane: int, block: NDArray[Any]) -> None:
        """The noise of the lane's steps from this tick on."""
        first = tick % BLOCK
        self._noise[first:, lane] = block[: BLOCK - first]
        self._noise[:first, lane] = block[BLOCK - first :]

    def episode(self, lane: int, begun: int, tick: int) -> Episode:
        """A copy of what the lane's episode was, from its first tick to the one before this."""
        rows = np.arange(begun, tick) % self._rows
        return Episode(*(each[rows, lane] for each in self._each()))

    def move(self, source: int, target: int, begun: int, tick: int) -> None:
        """Another lane for an episode that has come to this tick."""
        rows = np.arange(begun, tick + 1) % self._rows
        for each in self._each():
            each[rows, target] = each[rows, source]
        self._noise[:, target] = self._noise[:, source]

    def _each(self) -> tuple[NDArray[Any], ...]:
        return self._seen, self._choices, self._rewards
