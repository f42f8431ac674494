"""How are several copies of one environment stepped together, on the host?

A stage has lanes, and in each an episode of its own.  ``Plain`` steps any gymnasium environment by
its own ``step``; the usual MuJoCo tasks have a quicker stage, which shows the same.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments import host
from simulator.objectives.environments.playing.varied import begin, open_varied
from simulator.objectives.environments.variation import Variation

Stepped = tuple[NDArray[Any], NDArray[np.float64], NDArray[np.bool_]]
"""For each lane the next observation, the reward, and whether that was the end."""


class Stage(Protocol):
    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        """Begin an episode; its first observation, as a vector."""

    def step(self, lanes: Sequence[int], actions: NDArray[Any]) -> Stepped:
        """One step in each of these lanes; ``actions`` are as the policy says them."""


class Raised(Exception):
    """The environment of a lane raised an error, which is the cause of this."""

    def __init__(self, lane: int) -> None:
        super().__init__(lane)
        self.lane = lane


class Plain:
    """Whole environments, as many as there are lanes in use."""

    def __init__(
        self, name: str, variation: Variation, horizon: int, first: host.Gymnasium
    ) -> None:
        self._made = name, variation, horizon
        self._variation = variation
        self._environments = [first]

    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        while len(self._environments) <= lane:
            self._environments.append(open_varied(*self._made))
        environment = self._environments[lane]
        try:
            return host.flat(environment, begin(environment, self._variation, seed))
        except (Exception, SystemExit) as error:
            raise Raised(lane) from error

    def step(self, lanes: Sequence[int], actions: NDArray[Any]) -> Stepped:
        observations, rewards, ended = [], [], []
        for lane, action in zip(lanes, actions, strict=True):
            environment = self._environments[lane]
            try:
                taken = environment.step(host.as_taken(environment.action_space, action))
            except (Exception, SystemExit) as error:
                raise Raised(lane) from error
            raw, reward, terminated, truncated, _ = taken
            observations.append(host.flat(environment, raw))
            rewards.append(float(reward))
            ended.append(bool(terminated or truncated))
        return np.stack(observations), np.array(rewards), np.array(ended)
