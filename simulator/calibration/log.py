"""What does a log say?  Rows of a worker with start and end, or with seconds, from a file.

All mistakes are about the user's file: one line each, with the row and the remedy.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.cluster.fields import LONGEST_SECONDS, shown
from simulator.cluster.law import Floats, Integers
from simulator.mistakes import Mistake, brief, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("compute", "upload", "download")
NEEDED = "must have the columns worker, start and end, or worker and seconds"
ROUNDING = 1e-9
"""Relative: an interval may begin this much before the end of the one before."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows of one kind, in the order of workers, then of time."""

    kind: str
    workers: int
    worker: Integers
    seconds: Floats
    start: Floats | None = None
    """Seconds since the first start in the log; None if it has only durations."""

    def of(self, worker: int) -> slice:
        """The rows of a worker."""
        first, end = np.searchsorted(self.worker, [worker, worker + 1])
        return slice(int(first), int(end))

    @property
    def half(self) -> Integers:
        """0 or 1 for each row: every second row of a worker belongs to the other half."""
        first = np.searchsorted(self.worker, np.arange(self.workers))
        halves: Integers = (np.arange(len(self.worker)) - first[self.worker]) % 2
        return halves


@dataclass(frozen=True)
class Log:
    """The samples of a log, and the names that its workers have there."""

    file: str
    names: list[str]
    samples: dict[str, Sample]


def read(file: Path) -> Log:
    """The log in a CSV or Parquet file."""
    return of_frame(_frame(file), str(file))


def _frame(file: Path) -> "pd.DataFrame":
    import pandas as pd
    from pyarrow import ArrowException

    readers: dict[str, Any] = {
        ".csv": lambda: pd.read_csv(file, dtype=str, skipinitialspace=True),
        ".parquet": lambda: pd.read_parquet(file),
    }
    if file.is_dir():
        remedy = f"if it has the results of a run, straggle timeline {file} writes a timeline"
        raise Mistake(f"{file}: is a directory; {remedy}")
    if file.suffix.lower() not in readers:
        raise Mistake(f"{file}: must end in .csv or .parquet, or in .json for a timeline")
    try:
        frame: pd.DataFrame = readers[file.suffix.lower()]()
        return frame
    except OSError as error:
        raise Mistake(f"{file}: cannot be read: {error.strerror or error}") from None
    except (ValueError, ArrowException) as error:
        raise Mistake(f"{file}: is no table: {brief(str(error).splitlines()[0])}") from None


def of_frame(frame: "pd.DataFrame", file: str) -> Log:
    """The log in a data frame; ``file`` names it in mistakes."""
    frame = frame.rename(columns=lambda name: str(name).strip()).reset_index(drop=True)
    timed = bool({"start", "end"} & {*frame})
    needed = ["worker", "start", "end"] if timed else ["worker", "seconds"]
    for name in needed:
        if name not in frame:
            given = brief(repr(",".join(map(str, frame))))
            raise Mistake(f"{file}: {NEEDED}; {name} is missing in {given}")
    if frame.empty:
        raise Mistake(f"{file}: has no rows: a log needs at least two of each worker")
    numbers = {name: _numbers(frame[name], name, file) for name in needed[1:]}
    kinds = _kinds(frame, file)
    names, worker = _workers(frame["worker"], file)
    seconds = numbers["end"] - numbers["start"] if timed else numbers["seconds"]
    _check(numbers, seconds, kinds, file)
    samples = {}
    for kind in (kind for kind in KINDS if kind in kinds):
        rows = np.flatnonzero(kinds == kind)
        begun = numbers["start"][rows] if timed else rows
        rows = rows[np.lexsort([begun, worker[rows]])]
        if timed:
            _check_overlaps(rows, worker, numbers["start"], numbers["end"], names, file)
        start = numbers["start"][rows] - numbers["start"].min() if timed else None
        samples[kind] = Sample(kind, len(names), worker[rows], seconds[rows], start)
        _check_counts(samples[kind], names, file)
    if "compute" not in samples:
        raise Mistake(f"{file}: has no row of kind compute: a cluster needs seconds to compute")
    return Log(file, names, samples)


def _numbers(column: "pd.Series[Any]", name: str, file: str) -> Floats:
    import pandas as pd

    values: Floats = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    if not (good := np.isfinite(values)).all():
        at = int(np.argmin(good))
        given = "is missing" if pd.isna(column[at]) else f"= {brief(repr(column[at]))}"
        rule = "a finite number" if np.isinf(values[at]) else "a number"
        raise Mistake(f"{file}, row {at + 1}: {name} {given}: must be {rule} of seconds")
    return values


def _kinds(frame: "pd.DataFrame", file: str) -> Any:
    if "kind" not in frame:
        return np.full(len(frame), "compute")
    kinds = frame["kind"].astype(str).str.strip().to_numpy(str)
    for at in np.flatnonzero(~np.isin(kinds, KINDS))[:1]:
        hint = did_you_mean(kinds[at], KINDS)
        raise Mistake(f"{file}, row {at + 1}: kind = {brief(repr(str(kinds[at])))}: {hint}")
    return kinds


def _workers(column: "pd.Series[Any]", file: str) -> tuple[list[str], Integers]:
    """The names in order, numbers by value, and the worker of every row."""
    if column.isna().any():
        at = int(column.isna().to_numpy().argmax())
        raise Mistake(f"{file}, row {at + 1}: worker is missing: must be a number or a name")
    texts = column.astype(str).str.strip()
    names = sorted(set(texts), key=_by_number)
    places = {name: at for at, name in enumerate(names)}
    numbers = np.array([places[text] for text in texts], np.int64)
    return names, numbers


def _by_number(name: str) -> list[tuple[int, str]]:
    """A key for sorting: gpu-2 comes before gpu-10."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts if part]


def _check(numbers: dict[str, Floats], seconds: Floats, kinds: Any, file: str) -> None:
    for name, values in numbers.items():
        if (values < 0).any():
            at = int(np.argmax(values < 0))
            rule = "must be 0 or more"
            raise Mistake(f"{file}, row {at + 1}: {name} = {shown(values[at])}: {rule}")
    wrong = (seconds < 0) | (seconds > LONGEST_SECONDS) | ((seconds == 0) & (kinds == "compute"))
    if not wrong.any():
        return
    at = int(np.argmax(wrong))
    if seconds[at] < 0:
        start, end = (shown(numbers[name][at]) for name in ("start", "end"))
        told = f"end = {end} is before start = {start}: the clock jumped; leave such rows out"
    else:
        told = f"lasts {shown(seconds[at])} seconds: must be more than 0, at most 1e+18"
    raise Mistake(f"{file}, row {at + 1}: {told}")


def _check_overlaps(
    rows: Integers, worker: Integers, start: Floats, end: Floats, names: list[str], file: str
) -> None:
    before, after = rows[:-1], rows[1:]
    room = ROUNDING * np.maximum(1, np.abs(end[before]))
    bad = (worker[before] == worker[after]) & (start[after] < end[before] - room)
    if bad.any():
        one, other = before[np.argmax(bad)], after[np.argmax(bad)]
        told = f"starts at {shown(start[other])} before row {one + 1} ends at {shown(end[one])}"
        rule = "rows of one worker must not overlap: did its clock jump?"
        raise Mistake(f"{file}, row {other + 1}: worker {names[worker[one]]} {told}: {rule}")


def _check_counts(sample: Sample, names: list[str], file: str) -> None:
    counts = np.bincount(sample.worker, minlength=sample.workers)
    if counts.min() > 1:
        return
    at = int(np.argmin(counts))
    has = "one row" if counts[at] else "no row"
    unknown = "how its times vary cannot be known" if counts[at] else "its times cannot be known"
    remedy = "log at least two, or leave the worker out"
    raise Mistake(f"{file}: worker {names[at]} has {has} of {sample.kind}: {unknown}; {remedy}")
