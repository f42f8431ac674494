"""A trace: measured speeds from a file."""

import csv
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, TextIO

import numpy as np
from annotated_types import Gt

from simulator.cluster.fields import (
    FASTEST,
    LONGEST_SECONDS,
    SPEED_REMEDY,
    TIME_REMEDY,
    check_positive,
    shown,
)
from simulator.cluster.law import Floats, Integers
from simulator.cluster.speed import Pace
from simulator.cluster.speeds.pieces import Pieces, lay_out
from simulator.mistakes import brief

COLUMNS = ("worker", "time", "speed")
NEEDED = "must have the columns worker, time and speed"
LONGEST_LINE = 2**20


@dataclass(frozen=True)
class Trace:
    """Speeds from a CSV or Parquet ``file`` with the columns worker, time and speed.

    A row's speed holds until the same worker's next row; the last one's holds on, or, with a
    ``period``, until the trace repeats.  Before its first row a worker has the speed of that row; a
    worker without rows has speed 1.  Workers count from 0.  Rows of workers may be mixed, as in a
    log, but each worker's times increase.  A relative path starts from the working directory.
    """

    file: str
    period: Annotated[float, Gt(0)] | None = None
    random: ClassVar[bool] = False

    def pace(self, workers: int, seed: int) -> Pace:
        if self.period is not None:
            check_positive("period", self.period)
        period = inf if self.period is None else self.period
        try:
            rows = self._read()
            rows.check(workers, period)
        except _Wrong as error:
            place = f", {error.args[1]}" if error.args[1] else ""
            raise ValueError(f"file = {self.file!r}{place}: {error.args[0]}") from None
        return Pieces(lay_out(*rows.by_worker(workers), period), period=period)

    def _read(self) -> "Rows":
        read = READERS.get(Path(self.file).suffix.lower())
        if read is None:
            raise _Wrong(f"must end in {' or '.join(READERS)}")
        try:
            open(self.file, "rb").close()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            remedy = "must be the path of a CSV or Parquet file"
            raise _Wrong(f"cannot be read: {reason}: {remedy}") from None
        return read(self.file)


class _Wrong(Exception):
    """A mistake in a file, and its place."""

    def __init__(self, what: str, place: str = "") -> None:
        super().__init__(what, place)


class Rows(NamedTuple):
    """The rows of a trace in the order of its file; ``place`` names a row to the user."""

    worker: Integers
    time: Floats
    speed: Floats
    place: Callable[[int], str]

    def check(self, workers: int, before: float) -> None:
        """Refuse rows that are wrong for this number of workers and period."""
        if not len(self.worker):
            raise _Wrong("has no rows: must have one at least")
        worker, time, speed = self.worker, self.time, self.speed
        known = f"must be a worker's number, from 0 to {workers - 1}"
        self._check("worker", worker, (worker >= 0) & (worker < workers), known)
        self._check("time", time, (time >= 0) & (time <= LONGEST_SECONDS), TIME_REMEDY)
        self._check("time", time, time < before, f"must be less than period = {shown(before)}")
        self._check("speed", speed, (speed >= 0) & (speed <= FASTEST), SPEED_REMEDY)
        self._check_order()

    def _check(self, name: str, values: Floats | Integers, good: Any, remedy: str) -> None:
        if not good.all():
            at = int(np.argmin(good))
            value = int(values[at]) if name == "worker" else shown(float(values[at]))
            raise _Wrong(f"{name} = {value}: {remedy}", self.place(at))

    def _check_order(self) -> None:
        order = np.argsort(self.worker, kind="stable")
        worker, time = self.worker[order], self.time[order]
        back = np.flatnonzero((worker[1:] == worker[:-1]) & (time[1:] <= time[:-1]))
        if back.size:
            first = back[np.argmin(order[back + 1])]
            before, at = int(order[first]), int(order[first + 1])
            more = f"must be more than {shown(self.time[before])}, as in {self.place(before)}"
            what = f"time = {shown(self.time[at])} of worker {worker[first]}: {more}"
            raise _Wrong(what, self.place(at))

    def by_worker(self, workers: int) -> tuple[Integers, Floats, Floats]:
        """The begin of each worker's rows, times and speeds; a worker without rows gets one."""
        silent = np.setdiff1d(np.arange(workers), self.worker)
        worker = np.concatenate([self.worker, silent])
        order = np.argsort(worker, kind="stable")
        times = np.concatenate([self.time, np.zeros(len(silent))])[order]
        speeds = np.concatenate([self.speed, np.ones(len(silent))])[order]
        first = np.searchsorted(worker[order], np.arange(workers + 1))
        times[first[:-1]] = 0.0
        return first, times, speeds


# CSV, line by line, so that a million rows need memory for their numbers only


def _read_csv(file: str) -> Rows:
    # Other columns may hold bytes that are no UTF-8.
    with open(file, newline="", encoding="utf-8-sig", errors="replace") as stream:
        lines = _rows_of(stream)
        at, header = next(lines, (1, []))
        places = _places(at, header)
        workers, times, speeds, numbers = array("q"), array("d"), array("d"), array("q")
        for number, row in lines:
            if len(row) != len(header):
                what = f"has {len(row)} fields: must have {len(header)}, as the header has"
                raise _Wrong(what, f"line {number}")
            worker, time, speed = (row[place] for place in places)
            try:
                workers.append(int(worker))
                times.append(float(time))
                speeds.append(float(speed))
            except (ValueError, OverflowError):
                raise _Wrong(_no_number([worker, time, speed]), f"line {number}") from None
            numbers.append(number)
    columns = np.frombuffer(workers, np.int64), np.frombuffer(times), np.frombuffer(speeds)
    return Rows(*columns, lambda at: f"line {numbers[at]}")


def _rows_of(stream: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with its first line."""
    reader, line = csv.reader(_lines(stream), strict=True), 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise _Wrong(f"must be CSV: {error}", f"line {line}") from None


def _lines(stream: TextIO) -> Iterator[str]:
    """The lines, up to a length that fits into memory."""
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE), ""), 1):
        if len(line) == LONGEST_LINE:
            what = f"is longer than {LONGEST_LINE} characters: must be a row of a CSV file"
            raise _Wrong(what, f"line {number}")
        yield line


def _places(line: int, header: list[str]) -> list[int]:
    if not header:
        raise _Wrong(f"is empty: {NEEDED}")
    names = [name.strip() for name in header]
    for column in COLUMNS:
        if column not in names:
            missing = f"{column} is missing in {brief(repr(','.join(names)))}"
            raise _Wrong(f"{NEEDED}, separated by commas, and {missing}", f"line {line}")
        if names.count(column) > 1:
            raise _Wrong(f"{column} is there twice: {NEEDED}, each once", f"line {line}")
    return [names.index(column) for column in COLUMNS]


def _no_number(cells: list[str]) -> str:
    kinds = (int, "a whole number"), (float, "a number"), (float, "a number")
    for name, cell, (number, wanted) in zip(COLUMNS, cells, kinds, strict=True):
        try:
            number(cell)
        except ValueError:
            return f"{name} = {brief(repr(cell))}: must be {wanted}"
    return f"worker = {brief(repr(cells[0]))}: must be a worker's number"


# Parquet: only the three columns are read


def _read_parquet(file: str) -> Rows:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            _check_schema(opened.schema_arrow)
            table = opened.read(columns=list(COLUMNS), use_threads=False)
    except FileNotFoundError:
        raise
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _Wrong(f"must be a Parquet file: {brief(repr(reason))}") from None
    worker, time, speed = (_column(table, name) for name in COLUMNS)
    return Rows(worker, time, speed, lambda at: f"row {at + 1}")


def _check_schema(schema: Any) -> None:
    from pyarrow import types

    for name in COLUMNS:
        if name not in schema.names:
            raise _Wrong(f"{NEEDED}: {name} is missing")
        if schema.names.count(name) > 1:
            raise _Wrong(f"{name} is there twice: {NEEDED}, each once")
        kind = schema.field(name).type
        whole = types.is_integer(kind)
        if not whole and (name == "worker" or not types.is_floating(kind)):
            needed = "whole numbers" if name == "worker" else "numbers"
            raise _Wrong(f"column {name} holds {brief(repr(str(kind)))}: must hold {needed}")


def _column(table: Any, name: str) -> Any:
    column = table.column(name)
    if column.null_count:
        at = column.is_null().index(True).as_py()
        raise _Wrong(f"{name} is missing: must be a number", f"row {at + 1}")
    # Arrow's own conversion would load pandas.
    values = np.concatenate([np.empty(0, np.bool_), *map(np.from_dlpack, column.chunks)])
    if name == "worker" and values.dtype == np.uint64:  # larger numbers are no worker's
        values = np.minimum(values, np.uint64(2**63 - 1))
    return values.astype(np.int64 if name == "worker" else np.float64)


READERS = {".csv": _read_csv, ".parquet": _read_parquet}
