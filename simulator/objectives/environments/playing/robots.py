"""How do the MuJoCo tasks step with the least besides their physics?

The physics of a step are gymnasium's, one ``mj_step``; what it computes from the new state
(observation, reward, end) is computed here for all lanes at once, in the same arithmetic, so
that every number is gymnasium's to the last bit.  What nobody reads is left out.  An episode
begins in the task's own code.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

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
from simulator.objectives.environments.playing.stage import Stepped
from simulator.objectives.environments.playing.varied import begin
from simulator.objectives.environments.variation import Variation

Lanes = Sequence[int]
Matrix = NDArray[np.float64]
"""A row for each lane."""


class Robots(ABC):
    """Lanes of one model: a state each, stepped one after the other."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        self.task, self._variation = environment.unwrapped, variation
        self.late = type(self.task).__module__.endswith("_v5")
        self.seconds = self.task.dt
        self.states = [mujoco.MjData(self.task.model) for _ in range(lanes)]
        # Views of the states' memory, which stays where it is.
        self.positions = [state.qpos for state in self.states]
        self.velocities = [state.qvel for state in self.states]
        self._controls = [state.ctrl for state in self.states]

    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        self.task.data = self.states[lane]
        observation: NDArray[Any] = begin(self.task, self._variation, seed)
        self.begun(lane)
        return observation

    def step(self, lanes: Lanes, actions: NDArray[Any]) -> Stepped:
        taken = within(self.task.action_space, actions)
        model, many = self.task.model, self.task.frame_skip
        for lane, action in zip(lanes, taken, strict=True):
            self._controls[lane][:] = action
            mujoco.mj_step(model, self.states[lane], many)
        return self.after(lanes, taken)

    @abstractmethod
    def begun(self, lane: int) -> None:
        """Remember what the next step's reward needs."""

    @abstractmethod
    def after(self, lanes: Lanes, actions: NDArray[np.float32]) -> Stepped:
        """What gymnasium would say of the states after a step with these actions."""


def rows(views: list[NDArray[np.float64]], lanes: Lanes) -> Matrix:
    """A copy of the lanes' vectors, one in each row."""
    return np.concatenate([views[lane] for lane in lanes]).reshape(len(lanes), -1)


def squares(actions: NDArray[Any]) -> NDArray[Any]:
    total: NDArray[Any] = np.square(actions).sum(axis=-1)
    return total


class Runners(Robots):
    """HalfCheetah, and what Hopper and Walker2d share with it: to run forward, in a plane."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        self._place = np.zeros(lanes)
        self._first = int(self.task._exclude_current_positions_from_observation)

    def begun(self, lane: int) -> None:
        self._place[lane] = self.positions[lane][0]

    def after(self, lanes: Lanes, actions: NDArray[np.float32]) -> Stepped:
        task = self.task
        positions, velocities = rows(self.positions, lanes), rows(self.velocities, lanes)
        chosen = list(lanes)
        forward = (positions[:, 0] - self._place[chosen]) / self.seconds
        self._place[chosen] = positions[:, 0]
        healthy = self.healthy(positions, velocities)
        rewards = task._forward_reward_weight * forward + self.bonus(healthy)
        rewards = rewards - task._ctrl_cost_weight * squares(actions)
        seen = np.concatenate([positions[:, self._first :], self.shown(velocities)], axis=1)
        return seen, rewards, self.ended(healthy)

    def healthy(self, positions: Matrix, velocities: Matrix) -> NDArray[np.bool_]:
        return np.ones(len(positions), bool)

    def bonus(self, healthy: NDArray[np.bool_]) -> Any:
        return 0.0

    def shown(self, velocities: Matrix) -> Matrix:
        return velocities

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

    def healthy(self, positions: Matrix, velocities: Matrix) -> NDArray[np.bool_]:
        height = _between(self.task._healthy_z_range, positions[:, 1])
        return height & _between(self.task._healthy_angle_range, positions[:, 2])

    def shown(self, velocities: Matrix) -> Matrix:
        return np.clip(velocities, -10, 10)


class Hoppers(Walkers):
    """Hopper: and none of its numbers may be too large."""

    def healthy(self, positions: Matrix, velocities: Matrix) -> NDArray[np.bool_]:
        within = self.task._healthy_state_range
        calm = _between(within, positions[:, 2:]).all(axis=1) & _between(within, velocities).all(1)
        return super().healthy(positions, velocities) & calm


class Humanoids(Mortal):
    """Humanoid: it sees inertias, velocities and forces of all bodies."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        self._parts = [self._seen(state) for state in self.states]
        self._mass, self._all = self.task.model.body_mass, self.task.model.body_mass.sum()
        self._bodies = [state.xipos for state in self.states]
        self._place = np.zeros(lanes)

    def _seen(self, state: Any) -> list[NDArray[np.float64]]:
        """The parts of an observation, as views."""
        task, world = self.task, int(self.late)  # version 5 leaves out the world, which never moves
        parts = {
            "cinert": state.cinert[world:],
            "cvel": state.cvel[world:],
            "qfrc_actuator": state.qfrc_actuator[6 * world :],
            "cfrc_ext": state.cfrc_ext[world:],
        }
        wanted = [
            part.reshape(-1)
            for name, part in parts.items()
            if getattr(task, f"_include_{name}_in_observation", True) is True
        ]
        first = 2 if task._exclude_current_positions_from_observation else 0
        return [state.qpos[first:], state.qvel, *wanted]

    def _centre(self, lane: int) -> float:
        """Where its centre of mass is, along its way."""
        moments = np.einsum("b,bj->j", self._mass, self._bodies[lane])
        return float(moments[0] / self._all)

    def begun(self, lane: int) -> None:
        self._place[lane] = self._centre(lane)

    def after(self, lanes: Lanes, actions: NDArray[np.float32]) -> Stepped:
        task, chosen = self.task, list(lanes)
        for lane in lanes:
            mujoco.mj_rnePostConstraint(task.model, self.states[lane])  # the contact forces
        places = np.array([self._centre(lane) for lane in lanes])
        forward = (places - self._place[chosen]) / self.seconds
        self._place[chosen] = places
        heights = np.array([self.positions[lane][2] for lane in lanes])
        healthy = _between(task._healthy_z_range, heights)
        paid = task._forward_reward_weight * forward + self.bonus(healthy)
        # The controls are the actions, in double precision.
        costs = task._ctrl_cost_weight * squares(actions.astype(np.float64))
        if self.late:
            costs = costs + np.array([self._contact_cost(lane) for lane in lanes])
        seen = np.concatenate([part for lane in lanes for part in self._parts[lane]])
        return seen.reshape(len(chosen), -1), paid - costs, self.ended(healthy)

    def _contact_cost(self, lane: int) -> float:
        forces = self.states[lane].cfrc_ext
        cost = self.task._contact_cost_weight * np.sum(np.square(forces))
        return float(np.clip(cost, *self.task._contact_cost_range))


class Reachers(Robots):
    """Reacher: its fingertip should be at the target."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        self._tips = [state.body("fingertip").xpos for state in self.states]
        self._targets = [state.body("target").xpos for state in self.states]
        self._away = np.zeros((lanes, 3))

    def begun(self, lane: int) -> None:
        self._away[lane] = self._tips[lane] - self._targets[lane]

    def after(self, lanes: Lanes, actions: NDArray[np.float32]) -> Stepped:
        chosen = list(lanes)
        away = rows(self._tips, lanes) - rows(self._targets, lanes)
        # Version 4 pays for where the fingertip was before the step.
        paid = away if self.late else self._away[chosen]
        self._away[chosen] = away
        near, effort = -_lengths(paid), -squares(actions)
        if self.late:
            near = near * self.task._reward_dist_weight
            effort = effort * self.task._reward_control_weight
        positions, velocities = rows(self.positions, lanes), rows(self.velocities, lanes)
        angles = positions[:, :2]
        seen = [np.cos(angles), np.sin(angles), positions[:, 2:], velocities[:, :2]]
        seen.append(away[:, :2] if self.late else away)
        return np.concatenate(seen, axis=1), near + effort, np.zeros(len(chosen), bool)


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
