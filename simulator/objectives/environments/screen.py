"""What does an environment look like while it is played?

A gymnasium environment draws itself.  Ours in JAX have a twin in gymnasium that draws their
states, whatever their constants are; what is played is ours.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments import host
from simulator.objectives.environments.catalogue import OWN, own_environment
from simulator.objectives.environments.graphics import prepare_mujoco, prepare_pygame
from simulator.objectives.environments.refusals import creator_of, refusing, spec_of

if TYPE_CHECKING:
    from jax import Array

DEFAULT_RATE = 30
"""Steps per second, of an environment that does not say how fast it is."""
CAMERA = {"camera_id", "camera_name", "default_camera_config"}
"""The options that say from where a task of MuJoCo's is seen."""


class Stage(Protocol):
    """An environment that can be played and drawn."""

    rate: float
    """How many steps a second has."""

    def reset(self, key: "Array", dtype: Any) -> NDArray[Any]:
        """The first observation of the episode that begins with this key."""

    def step(self, action: NDArray[Any]) -> tuple[NDArray[Any], float, bool]:
        """The next observation, the reward, and whether that was the end."""

    def picture(self) -> NDArray[np.uint8]:
        """How it looks now."""

    def close(self) -> None: ...


def open_stage(name: str, options: Mapping[str, Any], horizon: int) -> Stage:
    """The environment of an objective, ready to be shown; or a one-line ValueError."""
    if name in OWN:
        return Drawn(name, options, _drawing(name, {}, horizon=1))
    return Hosted(_drawing(name, options, horizon))


def _drawing(name: str, options: Mapping[str, Any], horizon: int) -> host.Gymnasium:
    """A gymnasium environment that has drawn itself once, so that it can."""
    prepare_pygame()
    with refusing(name, options):
        entry = str(spec_of(name).entry_point)
    if "mujoco" in entry:
        prepare_mujoco()
    with refusing(name, options):
        modes = getattr(creator_of(name), "metadata", {}).get("render_modes", [])
    if "rgb_array" not in modes:
        known = f"it has {', '.join(modes)}" if modes else "it has none"
        raise ValueError(f"environment = {name!r}: has no render mode 'rgb_array'; {known}")
    environment = host.open_environment(name, options, horizon, render_mode="rgb_array")
    if hasattr(environment.unwrapped, "mujoco_renderer") and not CAMERA & options.keys():
        _follow(environment.unwrapped)
    with refusing(name, options):
        environment.reset(seed=0)
        environment.render()
    return environment


def _follow(robot: Any) -> None:
    """Let the camera move with a robot that walks, where its model has such a camera."""
    import mujoco

    track = mujoco.mj_name2id(robot.model, mujoco.mjtObj.mjOBJ_CAMERA, "track")
    robot.mujoco_renderer.camera_id = track


class Hosted:
    """An environment that draws itself."""

    def __init__(self, environment: host.Gymnasium) -> None:
        self.environment = environment
        self.rate = float(environment.metadata.get("render_fps") or DEFAULT_RATE)

    def reset(self, key: "Array", dtype: Any) -> NDArray[Any]:
        import jax
        import jax.numpy as jnp

        self._dtype = dtype
        raw, _ = self.environment.reset(seed=int(jax.random.bits(key, dtype=jnp.uint32)))
        return self._flat(raw)

    def step(self, action: NDArray[Any]) -> tuple[NDArray[Any], float, bool]:
        raw, reward, terminated, truncated, _ = self.environment.step(self._shaped(action))
        return self._flat(raw), float(reward), bool(terminated or truncated)

    def picture(self) -> NDArray[np.uint8]:
        return np.asarray(self.environment.render(), np.uint8)

    def close(self) -> None:
        self.environment.close()
        # What MuJoCo drew with is given back when it is forgotten; were another environment
        # drawing by then, that one would lose what it draws with.
        del self.environment

    def _flat(self, raw: Any) -> NDArray[Any]:
        from gymnasium.spaces.utils import flatten

        return np.asarray(flatten(self.environment.observation_space, raw), self._dtype).reshape(-1)

    def _shaped(self, action: NDArray[Any]) -> Any:
        space = self.environment.action_space
        if action.ndim == 0:
            return int(action)
        return np.clip(action.reshape(space.shape).astype(space.dtype), space.low, space.high)


class Drawn:
    """One of ours, drawn by gymnasium's environment of the same name."""

    def __init__(self, name: str, options: Mapping[str, Any], twin: host.Gymnasium) -> None:
        import jax

        self.environment, self._pose = own_environment(name, options), POSES[name]
        self._twin, self.rate = twin, float(twin.metadata["render_fps"])
        self._move = jax.jit(self.environment.step)

    def reset(self, key: "Array", dtype: Any) -> NDArray[Any]:
        self._state = self.environment.reset(self.environment.parameters, key, dtype)
        self._action: NDArray[Any] | None = None
        return self._seen()

    def step(self, action: NDArray[Any]) -> tuple[NDArray[Any], float, bool]:
        constants, self._action = self.environment.parameters, action
        self._state, reward, terminated = self._move(constants, self._state, action)
        return self._seen(), float(reward), bool(terminated)

    def picture(self) -> NDArray[np.uint8]:
        drawn = self._twin.unwrapped
        self._pose(drawn, self.environment.parameters, self._state, self._action)
        return np.asarray(drawn.render(), np.uint8)

    def close(self) -> None:
        self._twin.close()

    def _seen(self) -> NDArray[Any]:
        return np.asarray(self.environment.observe(self.environment.parameters, self._state))


def _pose_cartpole(drawn: Any, constants: Any, state: Any, action: Any) -> None:
    drawn.state = tuple(map(float, state))
    drawn.length, drawn.x_threshold = float(constants.length), float(constants.x_threshold)


def _pose_pendulum(drawn: Any, constants: Any, state: Any, action: Any) -> None:
    """The arrow shows the torque as a share of the largest; gymnasium's is 2."""
    drawn.state = tuple(map(float, state))
    drawn.last_u = None if action is None else 2 * float(action[0]) / constants.max_torque


POSES: dict[str, Callable[..., None]] = {
    "CartPole-v1": _pose_cartpole,
    "Pendulum-v1": _pose_pendulum,
}
