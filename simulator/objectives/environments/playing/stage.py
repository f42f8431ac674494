"""How are several copies of one environment stepped together, on the host?

A stage has lanes with an episode each.  ``Plain`` steps any gymnasium environment by its own
``step``; the usual MuJoCo tasks have a quicker stage with the same results.
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
"""An index of lists and arrays that have a row per lane."""
Stepped = tuple[NDArray[Any], NDArray[np.float64], NDArray[np.bool_]]
"""For each lane the next observation, the reward, and whether the episode ended."""

Item = TypeVar("Item")


class Stage(Protocol):
    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        """Begin an episode; returns its first observation, as a vector."""

    def step(self, lanes: Lanes, actions: NDArray[Any]) -> Stepped:
        """One step in each of these lanes; ``actions`` are those of the policy.

        The next step overwrites the observations.
        """

    def move(self, source: int, target: int) -> None:
        """Move an episode to a lane whose own has ended."""


def numbers(lanes: Lanes) -> Iterable[int]:
    return range(lanes.start, lanes.stop) if isinstance(lanes, slice) else lanes


def swap(items: dict[int, Item], source: int, target: int) -> None:
    """Exchange the items of two lanes; the target may have none."""
    replaced = items.get(target)
    items[target] = items.pop(source)
    if replaced is not None:
        items[source] = replaced


class Raised(Exception):
    """The environment of a lane raised the error that caused this one."""

    def __init__(self, lane: int) -> None:
        super().__init__(lane)
        self.lane = lane


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
        swap(self._environments, source, target)
