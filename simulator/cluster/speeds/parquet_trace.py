"""What does a Parquet file say?  Of its columns only the three that are needed are read."""

from typing import Any

import numpy as np

from simulator.cluster.speeds.readings import COLUMNS, NEEDED, Readings, brief, wrong


def read_parquet(file: str) -> Readings:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            schema = opened.schema_arrow
            _check_schema(file, schema)
            table = opened.read(columns=list(COLUMNS), use_threads=False)
    except FileNotFoundError:
        raise
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise wrong(file, f"must be a Parquet file: {brief(reason)}") from None
    worker, time, speed = (_column(file, table, name) for name in COLUMNS)
    return Readings(file, worker, time, speed, place=lambda at: f"row {at + 1}")


def _check_schema(file: str, schema: Any) -> None:
    from pyarrow import types

    for name in COLUMNS:
        if name not in schema.names:
            raise wrong(file, f"{NEEDED}: {name} is missing")
        if schema.names.count(name) > 1:
            raise wrong(file, f"{name} is there twice: {NEEDED}, each once")
        kind = schema.field(name).type
        whole = types.is_integer(kind)
        if not whole and (name == "worker" or not types.is_floating(kind)):
            needed = "whole numbers" if name == "worker" else "numbers"
            raise wrong(file, f"column {name} holds {brief(str(kind))}: must hold {needed}")


def _column(file: str, table: Any, name: str) -> Any:
    column = table.column(name)
    if column.null_count:
        at = column.is_null().index(True).as_py()
        raise wrong(file, f"{name} is missing: must be a number", f"row {at + 1}")
    # Its own way to NumPy would load pandas.
    array = np.concatenate([np.empty(0, np.bool_), *map(np.from_dlpack, column.chunks)])
    if name != "worker":
        return array.astype(np.float64)
    if array.dtype == np.uint64:  # what no index can hold is no worker's number either
        array = np.minimum(array, np.uint64(2**63 - 1))
    return array.astype(np.int64)
