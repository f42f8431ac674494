"""What must a sink be able to do?  Begin a run, log its metrics, end it, and take files."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

from simulator.table import Table


class Points(NamedTuple):
    """Evaluated server steps of a run: a row for each, NaN for what was not measured."""

    method: str
    seed: int
    rows: list[tuple[int, float, dict[str, float]]]
    """Server step, simulated seconds, and the metrics with the work so far."""


class Sink(Protocol):
    """Knows runs by their names, such as ``afedpg-0``; ``results`` has the files of all."""

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
    def open(self, directory: Path) -> Sink:
        """The sink of a result directory; this may import its package."""
