"""Which command installs a package that is missing, where straggle is installed as it is here?

straggle itself is on no index: an extra of its own can only be named where it lies as a clone.
Elsewhere the packages of the extra are named.
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
    """What installs an extra of straggle's, such as ``mujoco``."""
    if (clone := _clone()) is None:
        return install_packages(*_packages(extra))
    uv = _uv(clone)
    if uv and Path(sys.prefix) == clone / ".venv":
        # Inexact: what is installed beside the extra stays.
        options = "--frozen", "--inexact", "--no-dev", "--extra", extra
        return shlex.join([uv, "sync", "--project", str(clone), *options])
    return install_packages("--editable", f"{clone}[{extra}]")


def install_packages(*packages: str) -> str:
    """What installs packages into the environment of this Python, which may have no pip.

    >>> install_packages("gymnasium[box2d]").endswith("install 'gymnasium[box2d]'")
    True
    """
    if find_spec("pip") is None:
        words = ["uv", "pip", "install", "--python", sys.prefix]
    else:
        words = ["pip", "install"]
    return shlex.join([*words, *packages])


def _clone() -> Path | None:
    """The folder of the source tree that this straggle is run from."""
    text = distribution("straggle").read_text("direct_url.json")
    found = json.loads(text) if text else {}
    if not found.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(found["url"]).path))


def _uv(clone: Path) -> str | None:
    """The uv that ``make`` has installed there, or the one on the path."""
    own = clone / ".uv" / "bin" / "uv"
    return str(own) if own.exists() else "uv" if shutil.which("uv") else None


def _packages(extra: str) -> list[str]:
    """What the extra requires."""
    required = [entry.partition(";") for entry in distribution("straggle").requires or []]
    return [name.strip() for name, _, marker in required if f"extra == '{extra}'" in _plain(marker)]


def _plain(marker: str) -> str:
    return marker.replace('"', "'")
