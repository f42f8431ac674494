"""What does an environment look like while it is played?

A gymnasium environment draws itself.  Ours in JAX have a twin in gymnasium that draws their
states, whatever their constants are; what is played is ours.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments import host
from simulator.objectives.environments.playing.graphics import prepare_mujoco, prepare_pygame
from simulator.objectives.environments.playing.varied import open_varied
from simulator.objectives.environments.refusals import creator_of, refusing, spec_of
from simulator.objectives.environments.variation import Variation

DEFAULT_RATE = 30
"""Steps per second, of an environment that does not say how fast it is."""
CAMERA = {"camera_id", "camera_name", "default_camera_config"}
"""The options that say from where a task of MuJoCo's is seen."""


def prepare(name: str, options: Mapping[str, Any]) -> None:
    """Make ready to draw it, before anything imports MuJoCo; a one-line ValueError if it cannot."""
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


def drawing(name: str, variation: Variation, horizon: int) -> host.Gymnasium:
    """This environment; it has drawn itself once, so that it can."""
    environment = open_varied(name, variation, horizon, render_mode="rgb_array")
    if hasattr(environment.unwrapped, "mujoco_renderer") and not CAMERA & variation.options.keys():
        _follow(environment.unwrapped)
    with refusing(name, variation.options):
        environment.reset(seed=0)
        environment.render()
    return environment


def _follow(robot: Any) -> None:
    """Let the camera move with a robot that walks, where its model has such a camera."""
    import mujoco

    track = mujoco.mj_name2id(robot.model, mujoco.mjtObj.mjOBJ_CAMERA, "track")
    robot.mujoco_renderer.camera_id = track


def rate_of(environment: host.Gymnasium) -> float:
    """How many of its steps a second has."""
    return float(environment.metadata.get("render_fps") or DEFAULT_RATE)


def picture_of(environment: host.Gymnasium) -> NDArray[np.uint8]:
    """How it looks now."""
    return np.asarray(environment.render(), np.uint8)


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
