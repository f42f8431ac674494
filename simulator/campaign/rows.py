"""Where do the runs of a sweep go?  A file of plain data for each, found again by its content."""

import json
import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeAlias

from pydantic_core import from_json

from simulator.campaign.perform import Done
from simulator.campaign.task import Task
from simulator.mistakes import Mistake
from simulator.system.files import replace

Row: TypeAlias = dict[str, Any]


class Rows:
    """The rows of a directory, ``runs/KEY.json``; without one they are only held."""

    def __init__(self, directory: Path | None, needed: Collection[str] = ()) -> None:
        """``needed`` are the columns without which a file is none of these."""
        self._directory, self._needed = directory, {*needed}
        self.found: dict[str, Row] = {}
        """Every row that was read or added, by the key of its task."""

    def has(self, task: Task) -> bool:
        if task.key not in self.found and self._directory is not None:
            row = self._read(self._file(task.key))
            if row is not None:
                self.found[task.key] = row
        return task.key in self.found

    def add(self, task: Task, done: Done) -> None:
        if done.end == "interrupted":
            return
        self.found[task.key] = done.kept
        if self._directory is not None:
            text = json.dumps(_finite(done.kept))
            replace(self._file(task.key), lambda path: path.write_text(text + "\n"))
            self.found[task.key] = _number(json.loads(text))

    def _file(self, key: str) -> Path:
        assert self._directory is not None
        return self._directory / "runs" / f"{key}.json"

    def _read(self, file: Path) -> Row | None:
        """A finished run; None if there is none, or its file is broken."""
        try:
            row = _number(from_json(file.read_bytes()))
        except (OSError, ValueError):
            return None
        return row if isinstance(row, dict) and row.keys() >= self._needed else None


def claim(directory: Path, mine: Callable[[Path], bool]) -> Path:
    """Where a campaign goes; to a directory of its own it may go again, and finds what was run."""
    if directory.is_file():
        raise Mistake(f"--out {directory}: is a file; name a directory")
    known = (directory / "runs").is_dir() and mine(directory)
    if not known and directory.is_dir() and any(directory.iterdir()):
        raise Mistake(f"--out {directory}: holds something else; name another directory")
    try:
        (directory / "runs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(f"--out {directory}: cannot be written: {error.strerror}") from None
    return directory


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: both are written as null."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Any) -> Any:
    """The reverse: null is read as NaN."""
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_number(item) for item in value]
    return math.nan if value is None else value
