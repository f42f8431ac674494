"""What runs on a node?  An agent per core: it keeps a process, and passes its messages on.

The process is the one that a local campaign has, so a job computes the same bits in it.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from simulator import plugins
from simulator.campaign.processes import GONE, Process
from simulator.mistakes import Mistake
from simulator.remote.traits import Traits, check, traits

MOMENT = 0.5
"""Seconds for which an agent waits for a message before it answers that there is none."""
MOST = 100
"""Messages of an answer."""


class Plugin(NamedTuple):
    """A plug-in of the driver: a module, or the file at a path."""

    place: str
    contents: bytes | None


class Setup(NamedTuple):
    """What every agent gets when it starts."""

    environment: Mapping[str, str]
    plugins: list[Plugin]
    traits: Traits
    """The software of the driver."""


class Agent:
    """One core of a node."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def hello(self) -> None:
        """Prepare for jobs.  Ray passes on a mistake of this call, but none of ``__init__``."""
        self._folder = tempfile.TemporaryDirectory(prefix="straggle-agent-")
        unpack(self._setup, Path(self._folder.name))
        self._process = Process()

    def begin(self, message: bytes) -> None:
        """Give the process a job."""
        self._process.connection.send_bytes(message)

    def hear(self) -> tuple[list[bytes], str]:
        """The messages that have come, and the fate of the process if it is dead."""
        found: list[bytes] = []
        try:
            while len(found) < MOST and self._process.connection.poll(0 if found else MOMENT):
                found.append(self._process.connection.recv_bytes())
        except GONE:
            return found, self._process.fate()
        return found, ""

    def interrupt(self) -> None:
        self._process.interrupt()


def unpack(setup: Setup, folder: Path) -> None:
    """Compare the software with the driver's, then take its variables and its plug-ins."""
    check(traits(), setup.traits)
    os.environ.update(setup.environment)
    for plugin in setup.plugins:
        plugins.load_plugin(placed(plugin, folder))


def placed(plugin: Plugin, folder: Path) -> str:
    """Where a plug-in lies here: at the same place if it is the same, else in a copy."""
    path = Path(plugin.place)
    if plugin.contents is None or _is(path, plugin.contents):
        return plugin.place
    copy = folder / path.name
    copy.write_bytes(plugin.contents)
    return str(copy)


def _is(path: Path, contents: bytes) -> bool:
    try:
        return path.read_bytes() == contents
    except OSError:
        return False


def setup() -> Setup:
    """The plug-ins and the variables of this process."""
    named = os.environ.get(plugins.VARIABLE, "").split(os.pathsep)
    places = [place for place in named if place]
    carried = [Plugin(place, _contents(place)) for place in places]
    own = ("STRAGGLE_", "JAX_")
    kept = {k: v for k, v in os.environ.items() if k.startswith(own) and k != plugins.VARIABLE}
    return Setup(kept, carried, traits())


def _contents(place: str) -> bytes | None:
    if not place.endswith(".py"):
        return None
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise Mistake(f"plug-in {place}: cannot be read: {error.strerror}") from None
