"""How do the MuJoCo tasks step with the least besides their physics?

The physics of a step are gymnasium's, one ``mj_step``.  Observation, reward and end are computed
here for all lanes at once, in the same arithmetic: every number is gymnasium's to the last bit.
Numbers that are never read are left out.  An episode begins in the task's own code.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.host import Gymnasium, within
from simulator.objectives.environments.playing.stage import Lanes, Stepped, numbers, swap
from simulator.objectives.environments.playing.varied import begin
from simulator.objectives.environments.variation import Variation

Matrix = NDArray[np.float64]
"""A row for each lane."""


class Body(NamedTuple):
    """A state of the model, and views of its memory; ``read`` is copied after each step."""

    state: mujoco.MjData
    controls: NDArray[np.float64]
    read: list[NDArray[np.float64]]


class Robots(ABC):
    """Lanes of one model: a state each, stepped one after the other."""

    memory: tuple[int, ...] = ()

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        self.task, self._variation = environment.unwrapped, variation
        self.model: mujoco.MjModel = self.task.model
        self.late = type(self.task).__module__.endswith("_v5")
        self.seconds = self.task.dt
        width = sum(map(len, self.views(self.task.data)))
        self._bodies: dict[int, Body] = {}
        self._copies = np.empty((lanes, width))
        self._before = np.zeros((lanes, *self.memory))
        """Numbers of each lane's present state that its next reward needs."""

    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        if lane not in self._bodies:
            state = mujoco.MjData(self.model)
            self._bodies[lane] = Body(state, state.ctrl, self.views(state))
        self.task.data = self._bodies[lane].state
        observation: NDArray[Any] = begin(self.task, self._variation, seed)
        self._before[lane] = self.remembered(self._copied([self._bodies[lane]]))[0]
        return observation

    def step(self, lanes: Lanes, actions: NDArray[Any]) -> Stepped:
        taken = within(self.task.action_space, actions)
        model, frames = self.model, self.task.frame_skip
        bodies = [self._bodies[lane] for lane in numbers(lanes)]
        for body, action in zip(bodies, taken, strict=True):
            body.controls[:] = action
            mujoco.mj_step(model, body.state, frames)
        return self.after(lanes, self._copied(bodies), taken)

    def move(self, source: int, target: int) -> None:
        swap(self._bodies, source, target)
        self._before[target] = self._before[source]

    def _copied(self, bodies: list[Body]) -> Matrix:
        """Copies of the views of these states; the next call overwrites them."""
        copies = self._copies[: len(bodies)]
        np.concatenate([view for body in bodies for view in body.read], out=copies.reshape(-1))
        return copies

    @abstractmethod
    def views(self, state: mujoco.MjData) -> list[NDArray[np.float64]]:
        """The vectors to copy after a step."""

    @abstractmethod
    def remembered(self, copies: Matrix) -> NDArray[np.float64]:
        """Numbers that the next reward of each lane needs, of shape ``memory`` each."""

    @abstractmethod
    def after(self, lanes: Lanes, copies: Matrix, actions: NDArray[np.float32]) -> Stepped:
        """The result of gymnasium's task after a step with these actions."""


class Mortal(Robots):
    """A robot that may fall, with a bonus while it stands."""

    def bonus(self, healthy: NDArray[np.bool_]) -> Any:
        task = self.task
        # Version 4 pays for the fall as well, where that ends the episode.
        paid = healthy if self.late else healthy | task._terminate_when_unhealthy
        return paid * task._healthy_reward

    def ended(self, healthy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return ~healthy & bool(self.task._terminate_when_unhealthy)


def squares(actions: NDArray[Any]) -> NDArray[Any]:
    total: NDArray[Any] = np.add.reduce(np.square(actions), axis=-1)
    return total


def between(bounds: Any, values: Matrix) -> NDArray[np.bool_]:
    low, high = bounds
    inside: NDArray[np.bool_] = (low < values) & (values < high)
    return inside
