"""What became of every gradient?  ``tickets.parquet``, a part per run, written as it comes.

A run may start millions of gradients; only a few thousand rows are ever held in memory.  A part
gets its name when it is whole.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.runs.record import Run
from simulator.schedule import Computation
from simulator.system.files import PARTIAL, put

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 2**15
"""How many rows are written together."""

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
    """The rows of one run, in the order in which they came to their end.

    Used as a context: whole at its end, gone if that is an error.
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
        """One gradient whose fate is known."""
        ticket, rows = computation.ticket, self._rows
        for column, value in zip(rows.values(), (*ticket, *computation[1:]), strict=True):
            column.append(value)
        if len(rows["worker"]) == ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        run, many = self._run, len(self._rows["worker"])
        columns: dict[str, Any] = {"method": [run.method] * many, "seed": [run.seed] * many}
        columns |= self._rows
        columns["environment_steps"] = self._lengths()
        self._writer.write_table(pa.Table.from_pydict(columns, schema=self._schema))
        self._rows = _no_rows()

    def _lengths(self) -> list[int | None]:
        lengths, rows = self._run.lengths, self._rows
        if lengths is None:
            return [None] * len(rows["worker"])
        tickets = zip(rows["worker"], rows["version"], rows["index"], strict=True)
        return [lengths.get(ticket) for ticket in tickets]  # type: ignore[call-overload]


def _no_rows() -> dict[str, list[Any]]:
    return {name: [] for name in list(COLUMNS)[2:-1]}


@cache
def _schema() -> "pa.Schema":
    """The columns with pandas' own types, so that missing integers stay integers."""
    import pandas as pd
    import pyarrow as pa

    row = {name: "" if kind == "str" else 0 for name, kind in COLUMNS.items()}
    # An example: before pandas 3, texts were known by what they are, not by their type.
    example = pd.DataFrame([row]).astype(COLUMNS)
    schema: pa.Schema = pa.Schema.from_pandas(example, preserve_index=False)
    return schema
