"""How do the MuJoCo tasks step with the least besides their physics?

The physics of a step are gymnasium's, one ``mj_step``; what it computes from the new state
(observation, reward, end) is computed here for all lanes at once, in the same arithmetic, so
that every number is gymnasium's to the last bit.  What nobody reads is left out.  An episode
begins in the task's own code.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import mujoco
import numpy as np
from gymnasium.envs.mujoco import (
    half_cheetah_v4,
    half_cheetah_v5,
    hopper_v4,
    hopper_v5,
    humanoid_v4,
    humanoid_v5,
    reacher_v4,
    reacher_v5,
    walker2d_v4,
    walker2d_v5,
)
from numpy.typing import NDArray

from simulator.objectives.environments.host import Gymnasium, within
from simulator.objectives.environments.playing.stage import Lanes, Stepped, move, numbers
from simulator.objectives.environments.playing.varied import begin
from simulator.objectives.environments.variation import Variation

WHOLE = mujoco.mjtState.mjSTATE_INTEGRATION
"""All that a step depends on, to the bit."""

Matrix = NDArray[np.float64]
"""A row for each lane."""


class Body(NamedTuple):
    """A state of the model, and views of its memory, which stays where it is."""

    state: mujoco.MjData
    controls: NDArray[np.float64]
    read: list[NDArray[np.float64]]
    """What is copied after each step, for all else to be computed from."""


class Robots(ABC):
    """Lanes of one model: a state each, stepped one after the other."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        self.task, self._variation = environment.unwrapped, variation
        self.model: mujoco.MjModel = self.task.model
        self.late = type(self.task).__module__.endswith("_v5")
        self.seconds = self.task.dt
        width = sum(map(len, self.views(self.task.data)))
        self._bodies: dict[int, Body] = {}
        self._copies = np.empty((lanes, width))

    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        if lane not in self._bodies:
            state = mujoco.MjData(self.model)
            self._bodies[lane] = Body(state, state.ctrl, self.views(state))
        self.task.data = self._bodies[lane].state
        observation: NDArray[Any] = begin(self.task, self._variation, seed)
        self.begun(lane, self._copied([self._bodies[lane]]))
        return observation

    def step(self, lanes: Lanes, actions: NDArray[Any]) -> Stepped:
        taken = within(self.task.action_space, actions)
        model, many = self.model, self.task.frame_skip
        bodies = [self._bodies[lane] for lane in numbers(lanes)]
        for body, action in zip(bodies, taken, strict=True):
            body.controls[:] = action
            mujoco.mj_step(model, body.state, many)
        return self.after(lanes, self._copied(bodies), taken)

    def move(self, source: int, target: int) -> None:
        move(self._bodies, source, target)
        self.moved(source, target)

    def _copied(self, bodies: list[Body]) -> Matrix:
        """What is read of these states; the next copy is written over it."""
        copies = self._copies[: len(bodies)]
        np.concatenate([view for body in bodies for view in body.read], out=copies.reshape(-1))
        return copies

    @abstractmethod
    def views(self, state: mujoco.MjData) -> list[NDArray[np.float64]]:
        """The vectors to copy after a step."""

    @abstractmethod
    def begun(self, lane: int, copy: Matrix) -> None:
        """Remember what the next step's reward needs."""

    @abstractmethod
    def moved(self, source: int, target: int) -> None:
        """Remember it for another lane."""

    @abstractmethod
    def after(self, lanes: Lanes, copies: Matrix, actions: NDArray[np.float32]) -> Stepped:
        """What gymnasium would say of the states after a step with these actions."""


def squares(actions: NDArray[Any]) -> NDArray[Any]:
    total: NDArray[Any] = np.add.reduce(np.square(actions), axis=-1)
    return total


class Runners(Robots):
    """HalfCheetah, and what Hopper and Walker2d share with it: to run forward, in a plane."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        self._place = np.zeros(lanes)
        self._first = int(self.task._exclude_current_positions_from_observation)

    def views(self, state: mujoco.MjData) -> list[NDArray[np.float64]]:
        return [state.qpos, state.qvel]

    def begun(self, lane: int, copy: Matrix) -> None:
        self._place[lane] = copy[0, 0]

    def moved(self, source: int, target: int) -> None:
        self._place[target] = self._place[source]

    def after(self, lanes: Lanes, copies: Matrix, actions: NDArray[np.float32]) -> Stepped:
        task = self.task
        forward = (copies[:, 0] - self._place[lanes]) / self.seconds
        self._place[lanes] = copies[:, 0]
        healthy = self.healthy(copies)
        rewards = task._forward_reward_weight * forward + self.bonus(healthy)
        rewards = rewards - task._ctrl_cost_weight * squares(actions)
        self.limit(copies[:, self.model.nq :])
        return copies[:, self._first :], rewards, self.ended(healthy)

    def healthy(self, copies: Matrix) -> NDArray[np.bool_]:
        return np.ones(len(copies), bool)

    def bonus(self, healthy: NDArray[np.bool_]) -> Any:
        return 0.0

    def limit(self, velocities: Matrix) -> None:
        """Change them to what is shown of them."""

    def ended(self, healthy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.zeros(len(healthy), bool)


class Mortal(Robots):
    """What may fall, and is paid while it does not."""

    def bonus(self, healthy: NDArray[np.bool_]) -> Any:
        task = self.task
        # Version 4 pays for the fall as well, where that ends the episode.
        paid = healthy if self.late else healthy | task._terminate_when_unhealthy
        return paid * task._healthy_reward

    def ended(self, healthy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return ~healthy & bool(self.task._terminate_when_unhealthy)


class Walkers(Mortal, Runners):
    """Walker2d: it must stay upright."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        bounds = self.bounds()
        self._within = slice(1, 1 + len(bounds))
        self._low, self._high = np.array(bounds, float).T

    def bounds(self) -> list[tuple[float, float]]:
        """Those of the height, the angle and so on, as they are copied."""
        return [self.task._healthy_z_range, self.task._healthy_angle_range]

    def healthy(self, copies: Matrix) -> NDArray[np.bool_]:
        bound = copies[:, self._within]
        inside = (self._low < bound) & (bound < self._high)
        well: NDArray[np.bool_] = np.logical_and.reduce(inside, axis=1)
        return well

    def limit(self, velocities: Matrix) -> None:
        np.minimum(np.maximum(velocities, -10, out=velocities), 10, out=velocities)


class Hoppers(Walkers):
    """Hopper: and none of its numbers may be too large."""

    def bounds(self) -> list[tuple[float, float]]:
        height, (low, high) = super().bounds()
        least, most = self.task._healthy_state_range
        others = self.model.nq + self.model.nv - 3
        return [height, (max(low, least), min(high, most)), *[(least, most)] * others]


class Humanoids(Mortal):
    """Humanoid: it sees inertias, velocities and forces of all bodies.

    Its states are large, and those of many lanes push each other out of the cache.  So all lanes
    share one: what the next step depends on is put into it before, and taken out after each.
    """

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        self._state = mujoco.MjData(self.model)
        self._read = self.views(self._state)
        self._rows = list(self._copies)
        size = mujoco.mj_stateSize(self.model, WHOLE)
        self._kept = [np.empty(size) for _ in range(lanes)]
        self._mass, self._all = self.model.body_mass[:, None], self.model.body_mass.sum()
        self._place = np.zeros(lanes)
        self._sizes = [sum(map(len, part)) for part in self._parts(self.task.data)]

    def views(self, state: mujoco.MjData) -> list[NDArray[np.float64]]:
        return [view for part in self._parts(state) for view in part]

    def _parts(self, state: Any) -> tuple[list[NDArray[np.float64]], ...]:
        """The observation, the places of all bodies, and the forces."""
        task, world = self.task, int(self.late)  # version 5 leaves out the world, which never moves
        seen = {
            "cinert": state.cinert[world:],
            "cvel": state.cvel[world:],
            "qfrc_actuator": state.qfrc_actuator[6 * world :],
            "cfrc_ext": state.cfrc_ext[world:],
        }
        wanted = [
            part.reshape(-1)
            for name, part in seen.items()
            if getattr(task, f"_include_{name}_in_observation", True) is True
        ]
        shown = [state.qpos[self._first :], state.qvel, *wanted]
        return shown, [state.xipos.reshape(-1)], [state.cfrc_ext.reshape(-1)] if self.late else []

    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        self.task.data = self._state
        observation: NDArray[Any] = begin(self.task, self._variation, seed)
        mujoco.mj_getState(self.model, self._state, self._kept[lane], WHOLE)
        np.concatenate(self._read, out=self._rows[0])
        self.begun(lane, self._copies[:1])
        return observation

    def step(self, lanes: Lanes, actions: NDArray[Any]) -> Stepped:
        taken = within(self.task.action_space, actions)
        model, state, many = self.model, self._state, self.task.frame_skip
        controls, read = state.ctrl, self._read
        for lane, action, row in zip(numbers(lanes), taken, self._rows, strict=False):
            kept = self._kept[lane]
            mujoco.mj_setState(model, state, kept, WHOLE)
            controls[:] = action
            mujoco.mj_step(model, state, many)
            mujoco.mj_getState(model, state, kept, WHOLE)
            mujoco.mj_rnePostConstraint(model, state)  # the contact forces
            np.concatenate(read, out=row)
        return self.after(lanes, self._copies[: len(taken)], taken)

    def move(self, source: int, target: int) -> None:
        kept = self._kept
        kept[source], kept[target] = kept[target], kept[source]
        self.moved(source, target)

    @property
    def _first(self) -> int:
        """The first position that is seen."""
        return 2 if self.task._exclude_current_positions_from_observation else 0

    def _centres(self, copies: Matrix) -> NDArray[np.float64]:
        """Where the centres of mass are, along the way."""
        start = self._sizes[0]
        bodies = copies[:, start : start + self._sizes[1]].reshape(len(copies), -1, 3)
        moments: Matrix = np.add.reduce(self._mass * bodies, axis=1)
        centres: NDArray[np.float64] = moments[:, 0] / self._all
        return centres

    def begun(self, lane: int, copy: Matrix) -> None:
        (self._place[lane],) = self._centres(copy)

    def moved(self, source: int, target: int) -> None:
        self._place[target] = self._place[source]

    def after(self, lanes: Lanes, copies: Matrix, actions: NDArray[np.float32]) -> Stepped:
        task = self.task
        places = self._centres(copies)
        forward = (places - self._place[lanes]) / self.seconds
        self._place[lanes] = places
        healthy = _between(task._healthy_z_range, copies[:, 2 - self._first])
        paid = task._forward_reward_weight * forward + self.bonus(healthy)
        # The controls are the actions, in double precision.
        costs = task._ctrl_cost_weight * squares(actions.astype(np.float64))
        if self.late:
            costs = costs + self._contact_costs(copies[:, -self._sizes[2] :])
        return copies[:, : self._sizes[0]], paid - costs, self.ended(healthy)

    def _contact_costs(self, forces: Matrix) -> NDArray[np.float64]:
        costs = self.task._contact_cost_weight * squares(forces)
        clipped: NDArray[np.float64] = np.clip(costs, *self.task._contact_cost_range)
        return clipped


class Reachers(Robots):
    """Reacher: its fingertip should be at the target."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        self._away = np.zeros((lanes, 3))
        self._shown = np.empty((lanes, 10 if self.late else 11))

    def views(self, state: mujoco.MjData) -> list[NDArray[np.float64]]:
        return [state.body("fingertip").xpos, state.body("target").xpos, state.qpos, state.qvel]

    def begun(self, lane: int, copy: Matrix) -> None:
        self._away[lane] = copy[0, :3] - copy[0, 3:6]

    def moved(self, source: int, target: int) -> None:
        self._away[target] = self._away[source]

    def after(self, lanes: Lanes, copies: Matrix, actions: NDArray[np.float32]) -> Stepped:
        away, angles = copies[:, :3] - copies[:, 3:6], copies[:, 6:8]
        # Version 4 pays for where the fingertip was before the step.
        paid = away if self.late else self._away[lanes]
        near, effort = -_lengths(paid), -squares(actions)
        self._away[lanes] = away
        if self.late:
            near = near * self.task._reward_dist_weight
            effort = effort * self.task._reward_control_weight
        shown = self._shown[: len(copies)]
        shown[:, :2] = np.cos(angles)
        shown[:, 2:4] = np.sin(angles)
        shown[:, 4:8] = copies[:, 8:12]
        shown[:, 8:] = away[:, : shown.shape[1] - 8]
        return shown, near + effort, np.zeros(len(copies), bool)


def _between(bounds: Any, values: Matrix) -> NDArray[np.bool_]:
    low, high = bounds
    inside: NDArray[np.bool_] = (low < values) & (values < high)
    return inside


def _lengths(vectors: Matrix) -> NDArray[np.float64]:
    """As numpy's norm of one vector has it, from its product with itself."""
    squared: NDArray[np.float64] = np.matmul(vectors[:, None, :], vectors[:, :, None])
    return np.sqrt(squared[:, 0, 0])


KINDS: dict[type, type[Robots]] = {
    half_cheetah_v4.HalfCheetahEnv: Runners,
    half_cheetah_v5.HalfCheetahEnv: Runners,
    hopper_v4.HopperEnv: Hoppers,
    hopper_v5.HopperEnv: Hoppers,
    humanoid_v4.HumanoidEnv: Humanoids,
    humanoid_v5.HumanoidEnv: Humanoids,
    reacher_v4.ReacherEnv: Reachers,
    reacher_v5.ReacherEnv: Reachers,
    walker2d_v4.Walker2dEnv: Walkers,
    walker2d_v5.Walker2dEnv: Walkers,
}


def robots_of(environment: Gymnasium, variation: Variation, lanes: int) -> Robots | None:
    """A stage for this task; None where it is none of those that are known here."""
    kind = KINDS.get(type(environment.unwrapped))
    return kind(environment, variation, lanes) if kind else None
