"""With what can an environment draw on a machine that may have neither display nor GPU?

MuJoCo draws with OpenGL: through EGL, OSMesa or a display.  What is installed may still not
work, and a library that was tried stays in the process, so each is tried in one of its own.
"""

import os
import subprocess
import sys
from functools import cache

BACKENDS = ("egl", "osmesa", "glfw")
REMEDY = "on Debian and Ubuntu, apt-get install libegl1 libopengl0 helps"


def prepare_drawing(uses_mujoco: bool) -> None:
    """Choose what draws, unless the user has: before the first picture, by the environment
    variables that the libraries read.  Raises a one-line ValueError if nothing can."""
    # pygame draws into memory, but first asks for a display; and it greets.
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    if uses_mujoco and sys.platform == "linux":
        os.environ["MUJOCO_GL"] = _opengl(os.environ.get("MUJOCO_GL"))


def _opengl(wish: str | None) -> str:
    """What MuJoCo can draw with here."""
    for backend in [wish] if wish else BACKENDS:
        if _works(backend):
            return backend
    if wish:
        raise ValueError(
            f"MUJOCO_GL = {wish!r}: MuJoCo cannot draw with it here; unset it, or {REMEDY}"
        )
    raise ValueError(
        f"MuJoCo cannot draw here, neither by EGL nor by OSMesa nor on a display; {REMEDY}"
    )


@cache
def _works(backend: str) -> bool:
    lines = f"from mujoco.{backend} import GLContext; GLContext(8, 8).make_current()"
    environment = {**os.environ, "MUJOCO_GL": backend}
    asked = [sys.executable, "-c", lines]
    return not subprocess.run(asked, env=environment, capture_output=True).returncode
