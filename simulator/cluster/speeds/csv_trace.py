"""What does a CSV file say?  Line by line: of a million rows only the numbers are kept."""

import csv
from array import array
from collections.abc import Iterator
from typing import TextIO

import numpy as np

from simulator.cluster.speeds.readings import COLUMNS, NEEDED, Readings, brief, wrong

LONGEST_LINE = 2**20
WHOLE, NUMBER = "must be a whole number", "must be a number"


def read_csv(file: str) -> Readings:
    # A byte that is no UTF-8 does no harm in a column that nobody reads.
    with open(file, newline="", encoding="utf-8-sig", errors="replace") as stream:
        return _read(file, _rows(file, stream))


def _rows(file: str, stream: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, and the line in which each begins."""
    reader, line = csv.reader(_lines(file, stream), strict=True), 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise wrong(file, f"must be CSV: {error}", f"line {line}") from None


def _lines(file: str, stream: TextIO) -> Iterator[str]:
    """The lines, none of them so long that it fills the memory."""
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE), ""), 1):
        if len(line) == LONGEST_LINE:
            what = f"is longer than {LONGEST_LINE} characters: must be a row of a CSV file"
            raise wrong(file, what, f"line {number}")
        yield line


def _read(file: str, rows: Iterator[tuple[int, list[str]]]) -> Readings:
    at, header = next(rows, (1, []))
    w, t, v = _places(file, at, header)
    workers, times, speeds, lines = array("q"), array("d"), array("d"), array("q")
    for line, row in rows:
        if len(row) != len(header):
            what = f"has {len(row)} fields: must have {len(header)}, as the header has"
            raise wrong(file, what, f"line {line}")
        try:
            workers.append(int(row[w]))
            times.append(float(row[t]))
            speeds.append(float(row[v]))
        except (ValueError, OverflowError):
            raise _mistake(file, line, row[w], row[t], row[v]) from None
        lines.append(line)
    return Readings(
        file,
        np.frombuffer(workers, dtype=np.int64),
        np.frombuffer(times, dtype=np.float64),
        np.frombuffer(speeds, dtype=np.float64),
        place=lambda at: f"line {lines[at]}",
    )


def _places(file: str, line: int, header: list[str]) -> list[int]:
    """Where in each row the three columns stand."""
    if not header:
        raise wrong(file, f"is empty: {NEEDED}")
    names = [name.strip() for name in header]
    for column in COLUMNS:
        if column not in names:
            has = brief(",".join(names))
            what = f"{NEEDED}, separated by commas, and {column} is missing in {has}"
            raise wrong(file, what, f"line {line}")
        if names.count(column) > 1:
            raise wrong(file, f"{column} is there twice: {NEEDED}, each once", f"line {line}")
    return [names.index(column) for column in COLUMNS]


def _mistake(file: str, line: int, worker: str, time: str, speed: str) -> ValueError:
    """Which of the three cells is no number."""
    kinds = {"worker": (worker, int, WHOLE), "time": (time, float, NUMBER)}
    for name, (cell, number, remedy) in (kinds | {"speed": (speed, float, NUMBER)}).items():
        try:
            number(cell)
        except ValueError:
            return wrong(file, f"{name} = {brief(cell)}: {remedy}", f"line {line}")
    return wrong(file, f"worker = {brief(worker)}: must be a worker's number", f"line {line}")
