"""Measurements: columns of numbers from a CSV or Parquet file.

A mistake names the file, the line of a CSV file or the row of a Parquet file, and the remedy.
"""

import csv
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from simulator.cluster.fields import shown
from simulator.mistakes import brief

LONGEST_LINE = 2**20


class Wrong(Exception):
    """A mistake in a file, and its place."""

    def __init__(self, what: str, place: str = "") -> None:
        super().__init__(what, place)


@contextmanager
def named(file: str) -> Iterator[None]:
    """Raise each mistake in this file as a ValueError that starts with the field ``file``."""
    try:
        yield
    except Wrong as error:
        place = f", {error.args[1]}" if error.args[1] else ""
        raise ValueError(f"file = {file!r}{place}: {error.args[0]}") from None


class Wanted(NamedTuple):
    """Which columns to read: one of whole numbers, or none, and those of any numbers."""

    whole: str | None
    numbers: Sequence[str]

    @property
    def names(self) -> list[str]:
        return [*([] if self.whole is None else [self.whole]), *self.numbers]

    @property
    def rule(self) -> str:
        *first, last = self.names
        listed = f"columns {', '.join(first)} and {last}" if first else f"column {last}"
        return f"must have the {listed}"


class Measured(NamedTuple):
    """The columns in the order of the file; ``place`` names a row to the user."""

    columns: dict[str, Any]
    place: Callable[[int], str]

    def check(self, name: str, good: Any, remedy: str) -> None:
        """Refuse the first row in which a column is not ``good``."""
        if not good.all():
            at, values = int(np.argmin(good)), self.columns[name]
            value = int(values[at]) if values.dtype == np.int64 else shown(float(values[at]))
            raise Wrong(f"{name} = {value}: {remedy}", self.place(at))

    def check_workers(self, name: str, workers: int) -> None:
        """Refuse rows of workers that do not exist."""
        known = f"must be a worker's number, from 0 to {workers - 1}"
        self.check(name, (self.columns[name] >= 0) & (self.columns[name] < workers), known)


def read(file: str, whole: str | None, numbers: Sequence[str]) -> Measured:
    """The columns of these names, with at least one row."""
    reader = READERS.get(Path(file).suffix.lower())
    if reader is None:
        raise Wrong(f"must end in {' or '.join(READERS)}")
    try:
        open(file, "rb").close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = "must be the path of a CSV or Parquet file"
        raise Wrong(f"cannot be read: {reason}: {remedy}") from None
    wanted = Wanted(whole, numbers)
    found = reader(file, wanted)
    if not len(found.columns[numbers[0]]):
        raise Wrong("has no rows: must have one at least")
    return found


# CSV, line by line, so that a million rows need memory for their numbers only


def _read_csv(file: str, wanted: Wanted) -> Measured:
    # Other columns may hold bytes that are no UTF-8.
    with open(file, newline="", encoding="utf-8-sig", errors="replace") as stream:
        lines = _rows_of(stream)
        at, header = next(lines, (1, []))
        places = _places(at, header, wanted)
        whole, numbers = array("q"), [array("d") for _ in wanted.numbers]
        at_line = array("q")
        for line, row in lines:
            if len(row) != len(header):
                what = f"has {len(row)} fields: must have {len(header)}, as the header has"
                raise Wrong(what, f"line {line}")
            cells = [row[place] for place in places]
            try:
                if wanted.whole is not None:
                    whole.append(int(cells[0]))
                for column, cell in zip(numbers, cells[-len(numbers) :], strict=True):
                    column.append(float(cell))
            except (ValueError, OverflowError):
                raise Wrong(_no_number(cells, wanted), f"line {line}") from None
            at_line.append(line)
    columns: list[Any] = [np.frombuffer(each) for each in numbers]
    if wanted.whole is not None:
        columns.insert(0, np.frombuffer(whole, np.int64))
    by_name = dict(zip(wanted.names, columns, strict=True))
    return Measured(by_name, lambda at: f"line {at_line[at]}")


def _rows_of(stream: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with its first line."""
    reader, line = csv.reader(_lines(stream), strict=True), 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise Wrong(f"must be CSV: {error}", f"line {line}") from None


def _lines(stream: TextIO) -> Iterator[str]:
    """The lines, up to a length that fits into memory."""
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE), ""), 1):
        if len(line) == LONGEST_LINE:
            what = f"is longer than {LONGEST_LINE} characters: must be a row of a CSV file"
            raise Wrong(what, f"line {number}")
        yield line


def _places(line: int, header: list[str], wanted: Wanted) -> list[int]:
    if not header:
        raise Wrong(f"is empty: {wanted.rule}")
    names = [name.strip() for name in header]
    for column in wanted.names:
        if column not in names:
            missing = f"{column} is missing in {brief(repr(','.join(names)))}"
            raise Wrong(f"{wanted.rule}, separated by commas, and {missing}", f"line {line}")
        if names.count(column) > 1:
            raise Wrong(f"{column} is there twice: {wanted.rule}, each once", f"line {line}")
    return [names.index(column) for column in wanted.names]


def _no_number(cells: list[str], wanted: Wanted) -> str:
    for name, cell in zip(wanted.names, cells, strict=True):
        is_whole = name == wanted.whole
        try:
            int(cell) if is_whole else float(cell)
        except ValueError:
            needed = "a whole number" if is_whole else "a number"
            return f"{name} = {brief(repr(cell))}: must be {needed}"
    return f"{wanted.whole} = {brief(repr(cells[0]))}: must be a worker's number"


# Parquet: only the wanted columns are read


def _read_parquet(file: str, wanted: Wanted) -> Measured:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            _check_schema(opened.schema_arrow, wanted)
            table = opened.read(columns=wanted.names, use_threads=False)
    except FileNotFoundError:
        raise
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Wrong(f"must be a Parquet file: {brief(repr(reason))}") from None
    columns = {name: _column(table, name, name == wanted.whole) for name in wanted.names}
    return Measured(columns, lambda at: f"row {at + 1}")


def _check_schema(schema: Any, wanted: Wanted) -> None:
    from pyarrow import types

    for name in wanted.names:
        if name not in schema.names:
            raise Wrong(f"{wanted.rule}: {name} is missing")
        if schema.names.count(name) > 1:
            raise Wrong(f"{name} is there twice: {wanted.rule}, each once")
        kind = schema.field(name).type
        whole = types.is_integer(kind)
        if not whole and (name == wanted.whole or not types.is_floating(kind)):
            needed = "whole numbers" if name == wanted.whole else "numbers"
            raise Wrong(f"column {name} holds {brief(repr(str(kind)))}: must hold {needed}")


def _column(table: Any, name: str, is_whole: bool) -> Any:
    column = table.column(name)
    if column.null_count:
        at = column.is_null().index(True).as_py()
        raise Wrong(f"{name} is missing: must be a number", f"row {at + 1}")
    # Arrow's own conversion would load pandas.
    values = np.concatenate([np.empty(0, np.bool_), *map(np.from_dlpack, column.chunks)])
    if is_whole and values.dtype == np.uint64:  # larger numbers are no worker's
        values = np.minimum(values, np.uint64(2**63 - 1))
    return values.astype(np.int64 if is_whole else np.float64)


READERS = {".csv": _read_csv, ".parquet": _read_parquet}
