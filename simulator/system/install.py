"""Which command installs a missing package into this installation of straggle?

straggle is on no index: only a clone can install its extras by name.  Elsewhere the command names
the packages of the extra.
"""

import json
import shlex
import shutil
import sys
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit


def install_command(extra: str) -> str:
    """The command for an extra of straggle's, such as ``mujoco``."""
    if (clone := _clone()) is None:
        return install_packages(*_packages(extra))
    uv = _uv(clone)
    if uv and Path(sys.prefix) == clone / ".venv":
        # Inexact: other installed packages stay.
        options = "--frozen", "--inexact", "--no-dev", "--extra", extra
        return shlex.join([uv, "sync", "--project", str(clone), *options])
    return install_packages("--editable", f"{clone}[{extra}]")


def install_packages(*packages: str) -> str:
    """The command for packages in the environment of this Python, which may have no pip.

    >>> install_packages("gymnasium[box2d]").endswith("install 'gymnasium[box2d]'")
    True
    """
    if find_spec("pip") is None:
        words = ["uv", "pip", "install", "--python", sys.prefix]
    else:
        words = ["pip", "install"]
    return shlex.join([*words, *packages])


def _clone() -> Path | None:
    """The source tree of an editable installation."""
    text = distribution("straggle").read_text("direct_url.json")
    origin = json.loads(text) if text else {}
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(origin["url"]).path))


def _uv(clone: Path) -> str | None:
    """The uv of ``make``, or the one on the path."""
    own = clone / ".uv" / "bin" / "uv"
    return str(own) if own.exists() else "uv" if shutil.which("uv") else None


def _packages(extra: str) -> list[str]:
    required = [entry.partition(";") for entry in distribution("straggle").requires or []]
    wanted = f"extra == '{extra}'"
    return [name.strip() for name, _, marker in required if wanted in marker.replace('"', "'")]
