"""How is an environment drawn, on a machine that may have neither display nor GPU?

A gymnasium environment draws itself.  Ours in JAX have a twin in gymnasium that draws their states.

MuJoCo draws with OpenGL: through EGL, OSMesa or a display.  An installed library may still fail,
and a process cannot unload it, so each is tried in a process of its own.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments import host
from simulator.objectives.environments.playing.varied import open_varied
from simulator.objectives.environments.refusals import creator_of, refusing, spec_of
from simulator.objectives.environments.variation import Variation

INSTALLS = {"egl": "libegl1 libgl1", "osmesa": "libosmesa6"}
"""Packages of Debian and Ubuntu with which each backend works without a display."""
BACKENDS = (*INSTALLS, "glfw")
TRIAL = """
import mujoco
from mujoco.{} import GLContext
context = GLContext(8, 8)
context.make_current()
model = mujoco.MjModel.from_xml_string("<mujoco/>")
mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
"""
DEFAULT_RATE = 30
"""Steps per second of an environment that names no rate."""
CAMERA = {"camera_id", "camera_name", "default_camera_config"}
"""The options that place the camera of a MuJoCo task."""


def prepare(name: str, options: Mapping[str, Any]) -> None:
    """Get ready to draw, before anything imports MuJoCo; a one-line ValueError if it cannot."""
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
    """This environment, after a first picture as a test."""
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
    """Steps per second."""
    return float(environment.metadata.get("render_fps") or DEFAULT_RATE)


def picture_of(environment: host.Gymnasium) -> NDArray[np.uint8]:
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


def prepare_pygame() -> None:
    """Let pygame draw into memory, without a display and without its greeting."""
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")


def prepare_mujoco() -> None:
    """Set MUJOCO_GL before MuJoCo is imported; a one-line ValueError if no backend works."""
    if sys.platform == "linux" and find_spec("mujoco"):
        os.environ["MUJOCO_GL"] = _backend(os.environ.get("MUJOCO_GL"))


def _backend(wanted: str | None) -> str:
    for backend in [wanted] if wanted else BACKENDS:
        if _works(backend):
            return backend
    installed = INSTALLS.get(wanted or "egl")
    remedy = f", or install what it needs: apt-get install {installed}" if installed else ""
    if wanted:
        raise ValueError(
            f"MUJOCO_GL = {wanted!r}: MuJoCo cannot draw with it here; unset it{remedy}"
        )
    raise ValueError(
        "MuJoCo cannot draw here, neither through EGL nor OSMesa nor on a display; install a "
        f"library, on Debian and Ubuntu with apt-get install {installed}"
    )


@cache
def _works(backend: str) -> bool:
    environment = {**os.environ, "MUJOCO_GL": backend}
    command = [sys.executable, "-c", TRIAL.format(backend)]
    return not subprocess.run(command, env=environment, capture_output=True).returncode
