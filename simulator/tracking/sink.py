"""What must a sink be able to do?  Begin a run, log its metrics, end it, and take files."""

import hashlib
import json
import secrets
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

from simulator.table import Table

TOKEN = "tracking.txt"
"""The file in a result directory by which trackers know it again."""


class Point(NamedTuple):
    """An evaluated server step of a run."""

    step: int
    seconds: float
    """Simulated."""
    metrics: dict[str, float]
    """With the work so far."""


class Group(NamedTuple):
    """The runs of a result directory."""

    directory: Path
    token: str
    """Tells the directory from others of its name."""
    resumed: bool
    """Whether an earlier command has tracked it."""

    @property
    def name(self) -> str:
        return self.directory.name

    def id_of(self, run: str, settings: Mapping[str, Any] | None) -> str:
        """The identity of a run: a resumed run keeps it."""
        text = json.dumps([self.token, run, dict(settings or {})], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def group_of(directory: Path) -> Group:
    """The group of a directory, which remembers its token."""
    file = directory / TOKEN
    if resumed := file.exists():
        token = file.read_text()
    else:
        file.write_text(token := secrets.token_hex(8))
    return Group(directory, token, resumed)


class Sink(Protocol):
    """Knows runs by their names, such as ``afedpg-0`` or, in a sweep, ``step=0.1/afedpg-0``.

    The run ``results`` has the files of all.
    """

    def begin(self, run: str, settings: Mapping[str, Any]) -> None: ...

    def log(self, run: str, step: int, seconds: float, metrics: Mapping[str, float]) -> None: ...

    def end(self, run: str, summary: Mapping[str, Any]) -> None: ...

    def attach(self, run: str, file: Path) -> None: ...

    def close(self) -> None: ...


class SinkTable(Table):
    """The settings of a sink in a scenario; a column ``kind`` names it."""

    kind: str
    package: ClassVar[str] = ""
    """The module that it needs; empty for none."""
    extra: ClassVar[str] = ""
    """The extra of straggle that installs the module."""

    @abstractmethod
    def open(self, group: Group) -> Sink:
        """The sink of a result directory; this may import its package."""
