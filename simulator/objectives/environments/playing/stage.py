"""How are several copies of one environment stepped together, on the host?

A stage has lanes, and in each an episode of its own.  ``Plain`` steps any gymnasium environment by
its own ``step``; the usual MuJoCo tasks have a quicker stage, which shows the same.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments import host
from simulator.objectives.environments.playing.varied import begin, open_varied
from simulator.objectives.environments.variation import Variation

Lanes = slice | Sequence[int] | NDArray[np.intp]
"""Some of the lanes, as lists and arrays are indexed."""
Stepped = tuple[NDArray[Any], NDArray[np.float64], NDArray[np.bool_]]
"""For each lane the next observation, the reward, and whether that was the end."""


Thing = TypeVar("Thing")


class Stage(Protocol):
    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        """Begin an episode; its first observation, as a vector."""

    def step(self, lanes: Lanes, actions: NDArray[Any]) -> Stepped:
        """One step in each of these lanes; ``actions`` are as the policy says them.

        The observations are in memory that the next step writes again.
        """

    def move(self, source: int, target: int) -> None:
        """Another lane for an episode; the target's own has ended."""


def numbers(lanes: Lanes) -> Iterable[int]:
    """Of these lanes, one by one."""
    return range(lanes.start, lanes.stop) if isinstance(lanes, slice) else lanes


def move(things: dict[int, Thing], source: int, target: int) -> None:
    """Let a lane have what another one had; what it had itself is left to that one."""
    replaced = things.get(target)
    things[target] = things.pop(source)
    if replaced is not None:
        things[source] = replaced


class Raised(Exception):
    """The environment of a lane raised an error, which is the cause of this."""

    def __init__(self, lane: int) -> None:
        super().__init__(lane)
        self.lane = lane


def told(problem: BaseException | None) -> str:
    """An error in one line."""
    return f"{type(problem).__name__}: {' '.join(str(problem).split())}"


class Plain:
    """Whole environments, as many as there are lanes in use."""

    def __init__(
        self, name: str, variation: Variation, horizon: int, first: host.Gymnasium
    ) -> None:
        self._open = partial(open_varied, name, variation, horizon)
        self._variation = variation
        self._environments: dict[int, host.Gymnasium] = {}
        self._first: host.Gymnasium | None = first

    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        if lane not in self._environments:
            self._environments[lane], self._first = self._first or self._open(), None
        environment = self._environments[lane]
        try:
            return host.flat(environment, begin(environment, self._variation, seed))
        except (Exception, SystemExit) as error:
            raise Raised(lane) from error

    def step(self, lanes: Lanes, actions: NDArray[Any]) -> Stepped:
        observations, rewards, ended = [], [], []
        for lane, action in zip(numbers(lanes), actions, strict=True):
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

    def move(self, source: int, target: int) -> None:
        move(self._environments, source, target)
