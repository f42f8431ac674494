"""What is read from a result directory?  Data, and only what it can be: it may be anybody's.

Nothing here runs what it reads, follows a path out of the directory, or makes room for what a file
merely says that it holds.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal
from zipfile import ZipFile

import numpy as np
from annotated_types import Ge, Le, MinLen
from numpy.lib import format as npy
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from algorithms.tickets import Ticket
from simulator.mistakes import Mistake
from simulator.refusal import refusal
from simulator.results.columns import Columns, join, read
from simulator.results.ledger import COLUMNS
from simulator.scenario import loading
from simulator.scenario.quantities import Seed
from simulator.scenario.scenario import LABEL, Scenario
from simulator.system.machine import available_bytes

WORDS = ["method", "outcome"]
"""Columns of strings, of which few are different."""
BYTES = 16
"""Of a cell, in a table that is read; a word takes more, but is read only once."""


def _label(name: str) -> str:
    if not LABEL.fullmatch(name):
        raise ValueError("must be made of letters, digits, '.', '_' and '-'")
    return name


Many = Annotated[int, Ge(0), Le(2**53)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class _Run(_Data):
    """What anybody asks of how a run ended."""

    method: Annotated[str, AfterValidator(_label)]
    seed: Seed
    end: str
    message: str
    simulated_seconds: Annotated[float, Ge(0)]
    steps: Many
    started: Many
    used: Many
    failed_ticket: str | None


class _Vector(_Data):
    model_config = ConfigDict(extra="forbid")

    dimension: Annotated[int, Ge(1), Le(2**53)]
    itemsize: Literal[4, 8]


class _Manifest(_Data):
    status: str
    command: str
    scenario: dict[str, Any] = Field(description="checked when it is asked for")
    schedule_only: bool
    scenario_hash: str
    tickets: bool
    vector: _Vector
    versions: dict[str, str]
    python: str
    machine: str
    cores: int
    resumed: Many
    runs: list[_Run]
    plugins: dict[str, Annotated[list[str], MinLen(2)]] = Field(
        {}, description="what of the scenario comes from one, and its name and version"
    )
    files: dict[str, str] = Field({}, description="digests; without them nothing is sealed")


def manifest(path: Path, known_format: int) -> dict[str, Any]:
    """What it says of its runs, in the types that it must have; a ValueError names what is not."""
    # Python's own reader may end the process where brackets are nested too deep.
    found = from_json(path.read_bytes())
    if not isinstance(found, dict) or not isinstance(found.get("runs"), list):
        raise ValueError("not a manifest")
    if found.get("format") != known_format:
        raise ValueError(f"format {found.get('format')}, this straggle reads {known_format}")
    try:
        _Manifest.model_validate(found)
    except ValidationError as error:
        raise ValueError(refusal(error, found).args[0]) from None
    methods = found["scenario"].get("methods")
    for at, run in enumerate(found["runs"]):
        if not isinstance(methods, dict) or run["method"] not in methods:
            raise ValueError(f"runs[{at}].method = {run['method']!r}: not in its scenario")
    return found


def scenario(tables: dict[str, Any], directory: Path) -> Scenario:
    """The scenario of a manifest; its trace lies in the directory.

    Checked like any other, but for its environment: to open that would run somebody's code.
    """
    place = directory / "manifest.json"
    speed = tables["cluster"].get("speed") if isinstance(tables.get("cluster"), dict) else None
    file = speed.get("file") if isinstance(speed, dict) else None
    if file is not None:
        if not isinstance(file, str) or Path(file).name != file or file in ("", ".."):
            told = "must be the name of a file in this directory"
            raise Mistake(f"{place}: cluster.speed.file = {file!r}: {told}")
        trace = inside(directory, directory / file)
        if not trace.is_file():
            raise Mistake(f"{trace}: is missing; the speeds of these results are in it")
    try:
        found = loading.of_tables(tables).found_from(directory)
        found.check_times()
        return found
    except Mistake as mistake:
        raise mistake.within(f"{place}: scenario") from None


def inside(directory: Path, path: Path) -> Path:
    """The path, if it does not lead out of the directory: links may."""
    if not path.resolve().is_relative_to(directory.resolve()):
        raise Mistake(f"{path}: leads out of {directory}; put the file itself there")
    return path


def table(path: Path, needed: Collection[str] = ()) -> Columns:
    """A table of numbers and words, with these columns."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as opened:
        there = [name for name in WORDS if name in opened.schema_arrow.names]
    with parquet.ParquetFile(path, read_dictionary=there) as opened:
        _check_table(opened, needed)
        return read(opened)


def tickets(folder: Path) -> Columns:
    """All parts of the tickets as one table."""
    parts = [table(inside(folder, part), COLUMNS) for part in sorted(folder.glob("*.parquet"))]
    return join([{name: part[name] for name in COLUMNS} for part in parts])


def _check_table(opened: Any, needed: Collection[str]) -> None:
    from pyarrow import types

    schema, rows = opened.schema_arrow, opened.metadata.num_rows
    for name in needed:
        if schema.names.count(name) != 1:
            raise ValueError(f"must have a column {name}")
    for field in schema:
        kind, words = field.type, field.name in WORDS
        if not (_is_text(kind) if words else types.is_integer(kind) or types.is_floating(kind)):
            must = "words" if words else "numbers"
            raise ValueError(f"column {field.name} holds {kind}: must hold {must}")
    if rows * max(1, len(schema)) * BYTES > available_bytes():
        raise ValueError(f"says that it has {rows:,} rows, for which there is no memory")


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(kind) or types.is_large_string(kind))


def point(path: Path, name: str, *sizes: int) -> np.ndarray:
    """The array of this name: real numbers, so many or so many."""
    return _array(path, name, sizes, (np.float32, np.float64))


def ticket(path: Path) -> Ticket:
    """The array ``ticket``."""
    return Ticket(*_array(path, "ticket", (3,), (np.int64,)).tolist())


def _array(path: Path, name: str, sizes: Collection[int], kinds: Collection[Any]) -> np.ndarray:
    """Never more is read than one of these sizes takes."""
    with ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, kind = read_header(file)
        if shape not in [(size,) for size in sizes] or kind not in kinds:
            must = " or ".join(f"{size:,}" for size in sizes)
            told = f"must hold {must} real numbers"
            raise ValueError(f"{name} is of shape {shape} and type {kind}: {told}")
        size = shape[0] * kind.itemsize
        if size > available_bytes():
            raise ValueError(f"{name} has {shape[0]:,} numbers, for which there is no memory")
        data = file.read(size)
    if len(data) < size:
        raise ValueError(f"{name} ends too early")
    return np.frombuffer(data, kind).copy()
