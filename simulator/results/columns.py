"""How are tables written and read?  As NumPy arrays, one for each column.

Arrow's own conversions import pandas, which takes longer than a small run.  So Arrow receives the
memory of the columns.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Columns: TypeAlias = dict[str, NDArray[Any]]
"""Arrays of one length: int64, float64, or objects that are strings."""


def columns_of(frame: "pd.DataFrame") -> Columns:
    return {str(name): np.asarray(frame[name]) for name in frame.columns}


def length(columns: Mapping[str, NDArray[Any]]) -> int:
    """The number of rows."""
    return len(next(iter(columns.values()), ()))


def rows(columns: Mapping[str, NDArray[Any]], chosen: Any) -> Columns:
    """The rows that a mask, a slice or indices choose.

    >>> rows({"step": np.arange(4)}, slice(1, 3))["step"].tolist()
    [1, 2]
    """
    return {name: values[chosen] for name, values in columns.items()}


def words(value: str, count: int) -> NDArray[Any]:
    """A column of ``count`` equal strings."""
    return np.full(count, value, dtype=object)


def join(parts: Sequence[Columns]) -> Columns:
    """One table below the other; a column that a part lacks is NaN there."""
    parts = [part for part in parts if part]
    names = dict.fromkeys(name for part in parts for name in part)
    return {
        name: np.concatenate([part.get(name, np.full(length(part), np.nan)) for part in parts])
        for name in names
    }


def groups(columns: Columns, names: Collection[str]) -> dict[tuple[Any, ...], NDArray[np.int64]]:
    """The rows of each combination of values, in the order in which they first appear.

    >>> groups({"method": np.array(["b", "a", "b"], object)}, ["method"])[("b",)].tolist()
    [0, 2]
    """
    members: dict[tuple[Any, ...], list[int]] = {}
    if not columns:  # a table without rows may have no columns, either
        return {}
    for row, key in enumerate(zip(*(columns[name].tolist() for name in names), strict=True)):
        members.setdefault(key, []).append(row)
    return {key: np.array(each, np.int64) for key, each in members.items()}


def write(columns: Columns, path: Path) -> None:
    """Write a Parquet file."""
    from pyarrow import parquet

    parquet.write_table(table_of(columns), path)


def table_of(columns: Columns) -> "pa.Table":
    """An Arrow table over the same memory."""
    import pyarrow as pa

    arrays = [arrow_words(v) if v.dtype == object else arrow_numbers(v) for v in columns.values()]
    return pa.Table.from_arrays(arrays, names=list(columns))


def arrow_numbers(values: NDArray[Any], known: NDArray[np.bool_] | None = None) -> "pa.Array":
    """An Arrow array of numbers, null where they are not ``known``."""
    import pyarrow as pa

    kind = pa.int64() if values.dtype.kind == "i" else pa.float64()
    held = np.ascontiguousarray(values, np.int64 if values.dtype.kind == "i" else np.float64)
    valid = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(kind, len(held), [valid, pa.py_buffer(held)])


def arrow_words(values: Iterable[str]) -> "pa.Array":
    import pyarrow as pa

    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), buffers)


def read(opened: Any) -> Columns:
    """The columns of an open Parquet file, with strings as dictionaries.

    Integers become floats where some are missing.
    """
    table = opened.read(use_threads=False)
    return {
        name: _from_arrow(column)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _from_arrow(column: "pa.ChunkedArray") -> NDArray[Any]:
    from pyarrow import types

    if types.is_dictionary(column.type):
        return np.concatenate([np.empty(0, object), *map(_decoded, column.chunks)])
    arrays = [_numbers(chunk) for chunk in column.chunks]
    if not arrays:
        return np.empty(0, np.int64 if types.is_integer(column.type) else np.float64)
    return np.concatenate(arrays)


def _decoded(chunk: "pa.Array") -> NDArray[Any]:
    """Strings, each value decoded once; None for null."""
    known = np.array([*chunk.dictionary.to_pylist(), None], dtype=object)
    at = _numbers(chunk.indices)
    return known[np.where(np.isnan(at), len(known) - 1, at).astype(np.int64)]


def _numbers(chunk: "pa.Array") -> NDArray[Any]:
    """The numbers of a chunk; NaN for null."""
    if not chunk.null_count:
        return np.from_dlpack(chunk)
    valid, held = chunk.buffers()
    kind = np.dtype(str(chunk.type).replace("double", "float64"))
    values = np.frombuffer(held, kind)[chunk.offset : chunk.offset + len(chunk)]
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
    known = bits[chunk.offset : chunk.offset + len(chunk)].astype(bool)
    return np.where(known, values, np.nan)
