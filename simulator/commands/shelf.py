"""What lies in a folder of results?  A line for each run, sweep, study and comparison.

Only manifests are read: nothing is loaded, verified or run.
"""

import math
import shlex
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json

from simulator.mistakes import Mistake, check_argument
from simulator.text_table import Table

if TYPE_CHECKING:
    import pandas as pd

MARKS = {
    "compare.json": "comparison",
    "manifest.json": "run",
    "sweep.json": "sweep",
    "complexity.parquet": "study",
}
"""The file by which a directory is known."""
DEEPEST = 3
"""Folders below folders in which results are looked for."""
UNKNOWN = "–"  # noqa: RUF001 (as tables have it)


class Entry(NamedTuple):
    """A directory of results."""

    path: Path
    kind: str
    scenario: str
    methods: list[str]
    seeds: list[int]
    changed: list[str]
    """The settings of ``--set``."""
    outcome: str
    seconds: float
    """Since it was written."""
    bytes: int


def show(*places: str | Path) -> "pd.DataFrame":
    """``straggle show``: the results in these folders, or in ``results``, the newest first.

    A row per run, sweep, study and comparison.
    """
    import pandas as pd

    for place in places:
        check_argument("show: a place", place, (str, Path), "give the path of a folder")
    found = entries([Path(place) for place in places] or [Path("results")])
    return pd.DataFrame(as_data(found), columns=Entry._fields)


def entries(places: Sequence[Path]) -> list[Entry]:
    """The results in these folders, the newest first."""
    for place in places:
        if not place.is_dir():
            raise Mistake(
                f"show: {place}: is no directory; name one with results, as straggle run makes"
            )
    found = [_entry(path, mark) for place in places for path, mark in _marked(place, DEEPEST)]
    return sorted(found, key=lambda entry: entry.seconds)


def kind_of(place: Path) -> str | None:
    """The kind of results in a directory; None if it has none."""
    return next((MARKS[mark] for mark in MARKS if (place / mark).is_file()), None)


def _marked(place: Path, deep: int) -> Iterator[tuple[Path, str]]:
    """Directories with a mark; the parts of a comparison are not listed by themselves."""
    for mark in MARKS:
        if (place / mark).is_file():
            yield place, mark
            return
    for below in sorted(place.iterdir()) if deep else ():
        if below.is_dir() and not below.name.startswith("."):
            yield from _marked(below, deep - 1)


def _entry(path: Path, mark: str) -> Entry:
    files = [file for file in path.rglob("*") if file.is_file()]
    written = max(file.stat().st_mtime for file in files)
    read = {"run": _run, "sweep": _sweep, "comparison": _comparison}.get(MARKS[mark], _study)
    try:
        scenario, methods, seeds, command, outcome = read(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        scenario, methods, seeds, command, outcome = UNKNOWN, [], [], "", "cannot be read"
    size = sum(file.stat().st_size for file in files)
    age = time.time() - written
    return Entry(path, MARKS[mark], scenario, methods, seeds, _set(command), outcome, age, size)


Summary = tuple[str, list[str], list[int], str, str]
"""Scenario, methods, seeds, command and outcome."""


def _run(path: Path) -> Summary:
    manifest = _read(path / "manifest.json")
    scenario, runs = manifest["scenario"], manifest["runs"]
    methods, seeds = list(scenario["methods"]), list(scenario["seeds"])
    command, outcome = manifest["command"], manifest["status"]
    if outcome == "complete":
        outcome = _first(methods, runs) or ("times only" if manifest["schedule_only"] else outcome)
    elif outcome != "failed":
        ended = sum(run["end"] != "interrupted" for run in runs)
        outcome = f"{outcome}: {ended} of {len(methods) * len(seeds)} runs"
    return _name(command, path), methods, seeds, command, outcome


def _first(methods: Sequence[str], runs: Sequence[Any]) -> str:
    """The method that reaches the target first, by the median over its seeds."""
    middles = {}
    for method in methods:
        seconds = sorted(
            math.inf if run["seconds_to_target"] is None else run["seconds_to_target"]
            for run in runs
            if run["method"] == method
        )
        middles[method] = median(seconds) if seconds else math.inf
    best = min(middles, key=middles.__getitem__, default="")
    return f"{best} first, {middles[best]:,.4g} s" if best and middles[best] < math.inf else ""


def _sweep(path: Path) -> Summary:
    manifest = _read(path / "sweep.json")
    whole, done = len(manifest["runs"]), len([*(path / "runs").glob("*.json")])
    halved = manifest["sweep"].get("halving") is not None
    state = f"{done} runs" if halved or done >= whole else f"{done} of {whole} runs"
    outcome = state if (path / "sweep.parquet").exists() else f"interrupted: {state}"
    tables, command = manifest["scenario"], manifest["command"]
    return _name(command, path), [*tables["methods"]], [*tables["seeds"]], command, outcome


def _comparison(path: Path) -> Summary:
    if not (path / "race" / "manifest.json").exists():
        return _sweep(path / "tuning")
    manifest = _read(path / "race" / "manifest.json")
    scenario, command = manifest["scenario"], manifest["command"]
    outcome = "complete" if (path / "comparison.parquet").exists() else "interrupted"
    methods, seeds = list(scenario["methods"]), list(scenario["seeds"])
    return _name(command, path), methods, seeds, command, outcome


def _study(path: Path) -> Summary:
    rows = [_read(file) for file in (path / "runs").glob("*.json")]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    seeds = sorted({row["seed"] for row in rows})
    command = _read(path / "complexity.json")["command"]
    return _name(command, path), methods, seeds, command, f"{len(rows)} runs"


def _read(file: Path) -> Any:
    return from_json(file.read_bytes())


def _name(command: str, path: Path) -> str:
    """The scenario that a command names; the directory's name for one from Python objects."""
    words = shlex.split(command)
    return words[2] if words[:1] == ["straggle"] and len(words) > 2 else path.name


def _set(command: str) -> list[str]:
    words = shlex.split(command)
    return [after for word, after in pairwise(words) if word == "--set"]


# How it is shown


def table(found: Sequence[Entry]) -> Table:
    headings = ["results", "kind", "scenario", "methods", "seeds", "changed", "outcome"]
    rows = [_row(entry) for entry in found]
    return Table([*headings, "age", "size"], rows, "Results", words=(0, 1, 2, 3, 5, 6))


def _row(entry: Entry) -> list[str]:
    return [
        str(entry.path),
        entry.kind,
        entry.scenario,
        ", ".join(entry.methods) or UNKNOWN,
        _ranges(entry.seeds) or UNKNOWN,
        ", ".join(entry.changed) or UNKNOWN,
        entry.outcome,
        _age(entry.seconds),
        _size(entry.bytes),
    ]


def _ranges(seeds: Sequence[int]) -> str:
    """Seeds as ``--seeds`` takes them.

    >>> _ranges([0, 1, 2, 5])
    '0-2,5'
    """
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and parts[-1][-1] == seed - 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def _age(seconds: float) -> str:
    """
    >>> _age(30), _age(7200), _age(200_000)
    ('30 s', '2 h', '2 days')
    """
    for length, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= (2 if unit == "days" else 1) * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _size(count: float) -> str:
    """
    >>> _size(2_000), _size(3_400_000)
    ('2.0 kB', '3.4 MB')
    """
    for length, unit in ((1e9, "GB"), (1e6, "MB")):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count / 1e3:.1f} kB"


def as_data(found: Sequence[Entry]) -> list[dict[str, Any]]:
    """The entries as plain data."""
    return [{**entry._asdict(), "path": str(entry.path)} for entry in found]
