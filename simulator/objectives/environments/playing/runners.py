"""What are the observations and rewards of HalfCheetah, Hopper, Walker2d and Reacher?"""

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.host import Gymnasium
from simulator.objectives.environments.playing.robots import Matrix, Mortal, Robots, squares
from simulator.objectives.environments.playing.stage import Lanes, Stepped
from simulator.objectives.environments.variation import Variation


class Runners(Robots):
    """HalfCheetah, which runs forward in a plane, and the base of Hopper and Walker2d."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        self._first = int(self.task._exclude_current_positions_from_observation)

    def views(self, state: mujoco.MjData) -> list[NDArray[np.float64]]:
        return [state.qpos, state.qvel]

    def remembered(self, copies: Matrix) -> NDArray[np.float64]:
        """The places along the track."""
        return copies[:, 0]

    def after(self, lanes: Lanes, copies: Matrix, actions: NDArray[np.float32]) -> Stepped:
        task = self.task
        forward = (copies[:, 0] - self._before[lanes]) / self.seconds
        self._before[lanes] = copies[:, 0]
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
        """Limit the observed velocities, in place."""

    def ended(self, healthy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.zeros(len(healthy), bool)


class Walkers(Mortal, Runners):
    """Walker2d: it must stay upright."""

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        bounds = self.bounds()
        self._within = slice(1, 1 + len(bounds))
        self._low, self._high = np.array(bounds, float).T

    def bounds(self) -> list[tuple[float, float]]:
        """Bounds of the height, the angle and so on, in the order of the copies."""
        return [self.task._healthy_z_range, self.task._healthy_angle_range]

    def healthy(self, copies: Matrix) -> NDArray[np.bool_]:
        bounded = copies[:, self._within]
        inside = (self._low < bounded) & (bounded < self._high)
        healthy: NDArray[np.bool_] = np.logical_and.reduce(inside, axis=1)
        return healthy

    def limit(self, velocities: Matrix) -> None:
        np.minimum(np.maximum(velocities, -10, out=velocities), 10, out=velocities)


class Hoppers(Walkers):
    """Hopper: none of its numbers may be too large."""

    def bounds(self) -> list[tuple[float, float]]:
        height, (low, high) = super().bounds()
        least, most = self.task._healthy_state_range
        others = self.model.nq + self.model.nv - 3
        return [height, (max(low, least), min(high, most)), *[(least, most)] * others]


class Reachers(Robots):
    """Reacher: its fingertip should be at the target."""

    memory = (3,)

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        self._shown = np.empty((lanes, 10 if self.late else 11))

    def views(self, state: mujoco.MjData) -> list[NDArray[np.float64]]:
        return [state.body("fingertip").xpos, state.body("target").xpos, state.qpos, state.qvel]

    def remembered(self, copies: Matrix) -> NDArray[np.float64]:
        """The ways from the target to the fingertip."""
        return copies[:, :3] - copies[:, 3:6]

    def after(self, lanes: Lanes, copies: Matrix, actions: NDArray[np.float32]) -> Stepped:
        away, angles = self.remembered(copies), copies[:, 6:8]
        # Version 4 rewards the place of the fingertip before the step.
        paid = away if self.late else self._before[lanes]
        near, effort = -_lengths(paid), -squares(actions)
        self._before[lanes] = away
        if self.late:
            near = near * self.task._reward_dist_weight
            effort = effort * self.task._reward_control_weight
        shown = self._shown[: len(copies)]
        shown[:, :2] = np.cos(angles)
        shown[:, 2:4] = np.sin(angles)
        shown[:, 4:8] = copies[:, 8:12]
        shown[:, 8:] = away[:, : shown.shape[1] - 8]
        return shown, near + effort, np.zeros(len(copies), bool)


def _lengths(vectors: Matrix) -> NDArray[np.float64]:
    """As numpy's norm of one vector, from its product with itself: equal to the bit."""
    squared: NDArray[np.float64] = np.matmul(vectors[:, None, :], vectors[:, :, None])
    return np.sqrt(squared[:, 0, 0])
