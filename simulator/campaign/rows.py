"""Where do the runs of a sweep go?  Into a JSON file each, named by the key of its task."""

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
from simulator.training.record import Run

Row: TypeAlias = dict[str, Any]


class Rows:
    """The rows in ``runs/KEY.json`` of a directory; without a directory, in memory only."""

    def __init__(self, directory: Path | None, needed: Collection[str] = ()) -> None:
        """A file that lacks one of the ``needed`` columns does not count."""
        self._directory, self._needed = directory, {*needed}
        self.found: dict[str, Row] = {}
        """Every row that was read or added, by the key of its task."""

    def has(self, task: Task) -> bool:
        if task.key not in self.found and self._directory is not None:
            try:
                row = _as_nan(from_json(self._file(task.key).read_bytes()))
            except (OSError, ValueError):  # there is none, or it is broken
                return False
            if isinstance(row, dict) and row.keys() >= self._needed:
                self.found[task.key] = row
        return task.key in self.found

    def add(self, task: Task, done: Done) -> None:
        if done.end == "interrupted":
            return
        self.found[task.key] = done.stored
        if self._directory is not None:
            text = json.dumps(_as_null(done.stored))
            replace(self._file(task.key), lambda path: path.write_text(text + "\n"))
            self.found[task.key] = _as_nan(json.loads(text))

    def _file(self, key: str) -> Path:
        assert self._directory is not None
        return self._directory / "runs" / f"{key}.json"


def ending(run: Run) -> Row:
    """The columns that describe how a run ended."""
    return {
        "seconds": math.nan if run.reached is None else run.reached,
        "reached": run.reached is not None,
        "steps": run.steps,
        "gradients": run.gradients,
        "end": run.end,
        "message": run.message,
        "real_seconds": round(run.real_seconds, 3),
    }


def claim(directory: Path, is_own: Callable[[Path], bool], inside: str = "runs") -> Path:
    """A new directory, with the folder ``inside``; or its own, in which it continues."""
    if directory.is_file():
        raise Mistake(f"--out {directory}: is a file; name a directory")
    known = (directory / inside).is_dir() and is_own(directory)
    if not known and directory.is_dir() and any(directory.iterdir()):
        raise Mistake(f"--out {directory}: holds something else; name another directory")
    try:
        (directory / inside).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(f"--out {directory}: cannot be written: {error.strerror}") from None
    return directory


def _as_null(value: Any) -> Any:
    """JSON has no NaN and no infinity: write null."""
    return _each(lambda x: None if isinstance(x, float) and not math.isfinite(x) else x, value)


def _as_nan(value: Any) -> Any:
    return _each(lambda x: math.nan if x is None else x, value)


def _each(change: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _each(change, item) for name, item in value.items()}
    return [_each(change, item) for item in value] if isinstance(value, list) else change(value)
