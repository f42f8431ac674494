"""How are the outcomes of all gradients written?  To ``tickets.parquet``, a part per run.

A run may start millions of gradients; only a few thousand rows are in memory at a time.  A part
gets its name when it is whole.
"""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.results.columns import arrow_numbers, arrow_words
from simulator.schedule import Computation
from simulator.system.files import PARTIAL, put
from simulator.training.record import Run

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 2**15
"""Rows that are written together."""

COLUMNS = {
    "method": "str",
    "seed": "int64",
    "worker": "int64",
    "version": "int64",
    "index": "int64",
    "start": "float64",
    "finish": "float64",
    "outcome": "str",
    "used_in_step": "Int64",
    "weight": "float64",
    "environment_steps": "Int64",
}


class Ledger:
    """A context that writes the rows of one run, in the order of their outcomes.

    The file is whole at the end of the context, and removed after an error.
    """

    def __init__(self, directory: Path, run: Run) -> None:
        import pyarrow.parquet as pq

        directory.mkdir(exist_ok=True)
        self._path = directory / f"{run.method}-{run.seed}.parquet"
        self._partial = directory / f".{self._path.name}{PARTIAL}"
        self._schema = _schema()
        self._writer = pq.ParquetWriter(self._partial, self._schema)
        self._run, self._rows = run, _no_rows()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
            if kind is None:
                put(self._partial, self._path)
        finally:
            self._partial.unlink(missing_ok=True)

    def add(self, computation: Computation) -> None:
        """Add a gradient whose outcome is known."""
        ticket, rows = computation.ticket, self._rows
        for column, value in zip(rows.values(), (*ticket, *computation[1:]), strict=True):
            column.append(value)
        if len(rows["worker"]) == ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        run, count = self._run, len(self._rows["worker"])
        columns: dict[str, list[Any]] = {"method": [run.method] * count, "seed": [run.seed] * count}
        columns |= self._rows
        columns["environment_steps"] = self._lengths()
        arrays = [_array(COLUMNS[name], columns[name]) for name in COLUMNS]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows = _no_rows()

    def _lengths(self) -> list[int | None]:
        lengths, rows = self._run.lengths, self._rows
        if lengths is None:
            return [None] * len(rows["worker"])
        tickets = zip(rows["worker"], rows["version"], rows["index"], strict=True)
        return [lengths.get(ticket) for ticket in tickets]  # type: ignore[call-overload]


def _no_rows() -> dict[str, list[Any]]:
    return {name: [] for name in list(COLUMNS)[2:-1]}


def _array(kind: str, values: list[Any]) -> "pa.Array":
    """A column of a kind in ``COLUMNS``; None is null."""
    if kind == "str":
        return arrow_words(values)
    known = np.array([value is not None for value in values], bool)
    numbers = np.array([0 if value is None else value for value in values], kind.lower())
    return arrow_numbers(numbers, None if known.all() else known)


@cache
def _schema() -> "pa.Schema":
    """The columns; metadata tells pandas to keep integers that may be missing."""
    import pyarrow as pa

    types = {"str": pa.large_string(), "float64": pa.float64()}
    fields = [pa.field(name, types.get(kind, pa.int64())) for name, kind in COLUMNS.items()]
    described = [
        {"name": name, "field_name": name, "pandas_type": kind.lower(), "numpy_type": kind}
        for name, kind in COLUMNS.items()
        if kind != "str"
    ]
    known: dict[str, Any] = {"columns": described, "column_indexes": [], "index_columns": []}
    return pa.schema(fields, metadata={"pandas": json.dumps(known)})
