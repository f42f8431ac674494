"""With what can an environment draw on a machine that may have neither display nor GPU?

MuJoCo draws with OpenGL: through EGL, OSMesa or a display.  What is installed may still not
work, and a library that was tried stays in the process, so each is tried in one of its own.
"""

import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec

INSTALLS = {"egl": "libegl1 libgl1", "osmesa": "libosmesa6"}
"""What Debian and Ubuntu call the packages with which it works without a display."""
BACKENDS = (*INSTALLS, "glfw")
TRIAL = """
import mujoco
from mujoco.{} import GLContext
context = GLContext(8, 8)
context.make_current()
model = mujoco.MjModel.from_xml_string("<mujoco/>")
mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
"""


def prepare_pygame() -> None:
    """It draws into memory, but first asks for a display, and greets."""
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")


def prepare_mujoco() -> None:
    """Choose what MuJoCo draws with, before it is imported; or a one-line ValueError.

    The environment variable MUJOCO_GL is the user's word on it, and where it is kept.
    """
    if sys.platform == "linux" and find_spec("mujoco"):
        os.environ["MUJOCO_GL"] = _backend(os.environ.get("MUJOCO_GL"))


def _backend(wish: str | None) -> str:
    for backend in [wish] if wish else BACKENDS:
        if _works(backend):
            return backend
    installed = INSTALLS.get(wish or "egl")
    remedy = f", or install what it needs: apt-get install {installed}" if installed else ""
    if wish:
        raise ValueError(f"MUJOCO_GL = {wish!r}: MuJoCo cannot draw with it here; unset it{remedy}")
    raise ValueError(
        "MuJoCo cannot draw here, neither through EGL nor OSMesa nor on a display; install a "
        f"library, on Debian and Ubuntu with apt-get install {installed}"
    )


@cache
def _works(backend: str) -> bool:
    environment = {**os.environ, "MUJOCO_GL": backend}
    asked = [sys.executable, "-c", TRIAL.format(backend)]
    return not subprocess.run(asked, env=environment, capture_output=True).returncode
