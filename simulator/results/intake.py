"""How are the files of a result directory read without trust in their author?

No code here runs their content, follows a path out of the directory, or allocates memory for a size
that a file merely claims.
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
from simulator.scenario import data_files, loading
from simulator.scenario.scenario import LABEL, Scenario
from simulator.system.machine import available_bytes
from simulator.table import Seed

FORMAT = 3
"""Of manifests."""
WORDS = ["method", "outcome"]
"""Columns with few different strings."""
BYTES = 16
"""Memory of a cell in a table; each different string takes more, once."""


def _label(name: str) -> str:
    if not LABEL.fullmatch(name):
        raise ValueError("must be made of letters, digits, '.', '_' and '-'")
    return name


Count = Annotated[int, Ge(0), Le(2**53)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class _Run(_Data):
    """The fields of a run that other modules read."""

    method: Annotated[str, AfterValidator(_label)]
    seed: Seed
    end: str
    message: str
    simulated_seconds: Annotated[float, Ge(0)]
    steps: Count
    started: Count
    used: Count
    failed_ticket: str | None


class _Vector(_Data):
    model_config = ConfigDict(extra="forbid")

    dimension: Annotated[int, Ge(1), Le(2**53)]
    itemsize: Literal[4, 8]


class _Manifest(_Data):
    status: str
    command: str
    scenario: dict[str, Any] = Field(description="checked later, by ``scenario``")
    schedule_only: bool
    scenario_hash: str
    tickets: bool
    vector: _Vector
    versions: dict[str, str]
    python: str
    machine: str
    cores: int
    resumed: Count
    runs: list[_Run]
    real: dict[str, Any] | None = Field(None, description="of runs in real time")
    plugins: dict[str, Annotated[list[str], MinLen(2)]] = Field(
        {}, description="entries of the scenario from plug-ins, with name and version"
    )
    files: dict[str, str] = Field({}, description="digests; without them nothing is sealed")


def manifest(path: Path) -> dict[str, Any]:
    """A manifest as plain data of the right types; a ValueError names a wrong field."""
    # Python's own reader crashes on brackets that are nested too deep.
    data = from_json(path.read_bytes())
    if not isinstance(data, dict) or not isinstance(data.get("runs"), list):
        raise ValueError("not a manifest")
    if data.get("format") != FORMAT:
        raise ValueError(f"format {data.get('format')}, this straggle reads {FORMAT}")
    try:
        _Manifest.model_validate(data)
    except ValidationError as error:
        raise ValueError(refusal(error, data).args[0]) from None
    methods = data["scenario"].get("methods")
    for at, run in enumerate(data["runs"]):
        if not isinstance(methods, dict) or run["method"] not in methods:
            raise ValueError(f"runs[{at}].method = {run['method']!r}: not in its scenario")
    return data


def scenario(tables: dict[str, Any], directory: Path) -> Scenario:
    """The scenario of a manifest, whose files lie in the directory.

    It is checked like any other, except its environment: opening that would run foreign code.
    """
    place = directory / "manifest.json"
    for key, file in data_files.files_in(tables).items():
        if not isinstance(file, str) or Path(file).name != file or file in ("", ".."):
            rule = "must be the name of a file in this directory"
            raise Mistake(f"{place}: {key} = {file!r}: {rule}")
        if not inside(directory, directory / file).is_file():
            raise Mistake(f"{directory / file}: is missing; these results need {key}")
    try:
        checked = loading.of_tables(tables).found_from(directory)
        checked.check_times()
        return checked
    except Mistake as mistake:
        raise mistake.within(f"{place}: scenario") from None


def inside(directory: Path, path: Path) -> Path:
    """The path; a Mistake if it leads out of the directory, as links may."""
    if not path.resolve().is_relative_to(directory.resolve()):
        raise Mistake(f"{path}: leads out of {directory}; put the file itself there")
    return path


def table(path: Path, needed: Collection[str] = ()) -> Columns:
    """A table of numbers and words, with these columns."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as opened:
        words = [name for name in WORDS if name in opened.schema_arrow.names]
    with parquet.ParquetFile(path, read_dictionary=words) as opened:
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
    """The array of this name: real numbers, of one of these sizes."""
    return _array(path, name, sizes, (np.float32, np.float64))


def ticket(path: Path) -> Ticket:
    return Ticket(*_array(path, "ticket", (3,), (np.int64,)).tolist())


def _array(path: Path, name: str, sizes: Collection[int], kinds: Collection[Any]) -> np.ndarray:
    """An array of one of these sizes; no more bytes are read."""
    with ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, kind = read_header(file)
        if shape not in [(size,) for size in sizes] or kind not in kinds:
            rule = f"must hold {' or '.join(f'{size:,}' for size in sizes)} real numbers"
            raise ValueError(f"{name} is of shape {shape} and type {kind}: {rule}")
        size = shape[0] * kind.itemsize
        if size > available_bytes():
            raise ValueError(f"{name} has {shape[0]:,} numbers, for which there is no memory")
        data = file.read(size)
    if len(data) < size:
        raise ValueError(f"{name} ends too early")
    return np.frombuffer(data, kind).copy()
