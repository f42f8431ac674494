"""Which files does a scenario need?  Those that its laws name by a key ``file``.

A key is known by its path, such as ``cluster.speed.file``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from simulator.table import Table

T = TypeVar("T")

PARTS = ("cluster", "network", "server")
"""The tables of a scenario that contain laws."""


def files_in(tables: Any) -> dict[str, Any]:
    """The files that a scenario, or its plain tables, names, by the paths of their keys.

    >>> files_in({"cluster": {"speed": {"law": "trace", "file": "speeds.csv"}}})
    {'cluster.speed.file': 'speeds.csv'}
    """
    parts = dict(_columns(tables))
    return {path: file for part in PARTS for path, file in _files(parts.get(part), f"{part}.")}


def _files(table: Any, place: str) -> Iterator[tuple[str, Any]]:
    for name, value in _columns(table):
        if name == "file" and value is not None:
            yield f"{place}{name}", value
        else:
            yield from _files(value, f"{place}{name}.")


def _columns(table: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(table, Mapping):
        yield from table.items()
    elif isinstance(table, Table):
        yield from ((name, getattr(table, name)) for name in type(table).model_fields)


def with_files(tables: T, files: Mapping[str, str], place: str = "") -> T:
    """A copy of a scenario, or of its plain tables, with other files at these paths."""
    changed = {}
    for name, value in _columns(tables):
        path = f"{place}{name}"
        if path in files:
            changed[name] = files[path]
        elif any(other.startswith(f"{path}.") for other in files):
            changed[name] = with_files(value, files, f"{path}.")
    if isinstance(tables, Table):
        return tables.model_copy(update=changed)
    assert isinstance(tables, dict)
    return {**tables, **changed}  # type: ignore[return-value]


def name_of_copy(path: str, file: str | Path) -> str:
    """The name of a copy of the file at this path.

    >>> name_of_copy("cluster.speed.file", "/tmp/MONDAY.CSV")
    'speed.csv'
    >>> name_of_copy("network.upload.latency.file", "seconds.parquet")
    'upload-latency.parquet'
    """
    return "-".join(path.split(".")[1:-1]) + Path(file).suffix.lower()
