"""What do sinks get?  ``noted`` keeps all of it, and ``broken`` fails."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pandas as pd
import pytest

from simulator.tracking import SINKS, Group, Sink, SinkTable

Notes: TypeAlias = dict[str, dict[str, list[Any]]]
"""The settings, points, ends and files of every run, by its name."""


@contextmanager
def noting() -> Iterator[Notes]:
    """Both sinks exist in here; yields the notes of one."""
    notes: Notes = defaultdict(lambda: defaultdict(list))

    class NotedTable(SinkTable):
        kind: Literal["noted"] = "noted"

        def open(self, group: Group) -> Sink:
            return Noted(notes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SINKS, "noted", NotedTable)
        patch.setitem(SINKS, "broken", BrokenTable)
        yield notes


class Noted:
    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def begin(self, run: str, settings: Mapping[str, Any]) -> None:
        self._notes[run]["settings"].append(settings)

    def log(self, run: str, step: int, seconds: float, metrics: Mapping[str, float]) -> None:
        self._notes[run]["points"].append((step, seconds, metrics["gap"]))

    def end(self, run: str, summary: Mapping[str, Any]) -> None:
        self._notes[run]["ends"].append(summary["end"])

    def attach(self, run: str, file: Path) -> None:
        self._notes[run]["files"].append(file.name)

    def close(self) -> None:
        pass


class BrokenTable(SinkTable):
    kind: Literal["broken"] = "broken"

    def open(self, group: Group) -> Sink:
        raise ConnectionError("the server is gone")


def points_of(
    frame: pd.DataFrame, method: str, seed: int, step: str = "step"
) -> list[tuple[int, float, float]]:
    """The evaluated steps of a run in a frame, whose numbers are in the column ``step``."""
    own = frame[(frame["method"] == method) & (frame["seed"] == seed)].dropna(subset="gap")
    return list(own[[step, "time", "gap"]].itertuples(index=False, name=None))
