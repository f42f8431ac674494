"""What are the observation and the reward of Humanoid?"""

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.host import Gymnasium, within
from simulator.objectives.environments.playing.robots import Matrix, Mortal, between, squares
from simulator.objectives.environments.playing.stage import Lanes, Stepped, numbers
from simulator.objectives.environments.playing.varied import begin
from simulator.objectives.environments.variation import Variation

WHOLE = mujoco.mjtState.mjSTATE_INTEGRATION
"""All that a step depends on, to the bit."""


class Humanoids(Mortal):
    """Humanoid: it observes inertias, velocities and forces of all bodies.

    Its states are large, and those of many lanes push each other out of the cache.  So all lanes
    share one state: each lane's numbers are put into it before a step, and taken out after it.
    """

    def __init__(self, environment: Gymnasium, variation: Variation, lanes: int) -> None:
        super().__init__(environment, variation, lanes)
        self._state = mujoco.MjData(self.model)
        self._read = self.views(self._state)
        self._rows = list(self._copies)
        size = mujoco.mj_stateSize(self.model, WHOLE)
        self._saved = [np.empty(size) for _ in range(lanes)]
        self._mass, self._all = self.model.body_mass[:, None], self.model.body_mass.sum()
        self._sizes = [sum(map(len, part)) for part in self._parts(self.task.data)]

    def views(self, state: mujoco.MjData) -> list[NDArray[np.float64]]:
        return [view for part in self._parts(state) for view in part]

    def _parts(self, state: Any) -> tuple[list[NDArray[np.float64]], ...]:
        """The observation, the places of all bodies, and the forces."""
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
        observed = [state.qpos[self._first :], state.qvel, *wanted]
        forces = [state.cfrc_ext.reshape(-1)] if self.late else []
        return observed, [state.xipos.reshape(-1)], forces

    def reset(self, lane: int, seed: int) -> NDArray[Any]:
        self.task.data = self._state
        observation: NDArray[Any] = begin(self.task, self._variation, seed)
        mujoco.mj_getState(self.model, self._state, self._saved[lane], WHOLE)
        np.concatenate(self._read, out=self._rows[0])
        self._before[lane] = self.remembered(self._copies[:1])[0]
        return observation

    def step(self, lanes: Lanes, actions: NDArray[Any]) -> Stepped:
        taken = within(self.task.action_space, actions)
        model, state, frames = self.model, self._state, self.task.frame_skip
        controls, read = state.ctrl, self._read
        for lane, action, row in zip(numbers(lanes), taken, self._rows, strict=False):
            saved = self._saved[lane]
            mujoco.mj_setState(model, state, saved, WHOLE)
            controls[:] = action
            mujoco.mj_step(model, state, frames)
            mujoco.mj_getState(model, state, saved, WHOLE)
            mujoco.mj_rnePostConstraint(model, state)  # the contact forces
            np.concatenate(read, out=row)
        return self.after(lanes, self._copies[: len(taken)], taken)

    def move(self, source: int, target: int) -> None:
        saved = self._saved
        saved[source], saved[target] = saved[target], saved[source]
        self._before[target] = self._before[source]

    @property
    def _first(self) -> int:
        """The first position in the observation."""
        return 2 if self.task._exclude_current_positions_from_observation else 0

    def remembered(self, copies: Matrix) -> NDArray[np.float64]:
        """The centres of mass along the track."""
        start = self._sizes[0]
        bodies = copies[:, start : start + self._sizes[1]].reshape(len(copies), -1, 3)
        moments: Matrix = np.add.reduce(self._mass * bodies, axis=1)
        centres: NDArray[np.float64] = moments[:, 0] / self._all
        return centres

    def after(self, lanes: Lanes, copies: Matrix, actions: NDArray[np.float32]) -> Stepped:
        task = self.task
        places = self.remembered(copies)
        forward = (places - self._before[lanes]) / self.seconds
        self._before[lanes] = places
        healthy = between(task._healthy_z_range, copies[:, 2 - self._first])
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
