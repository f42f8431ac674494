"""What is a sweep?  Its tables, and the checks of its file."""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from pydantic import Field, ValidationError

from simulator.mistakes import Mistake, did_you_mean
from simulator.refusal import refusal
from simulator.scenario import files
from simulator.scenario.paths import METHOD, flat
from simulator.scenario.toml_text import inline
from simulator.scenario.variant import VariantTable
from simulator.sweeps.halving import HalvingTable
from simulator.sweeps.keys import concerns, has, own, parameters
from simulator.table import Seconds, Table, Title, plain

Values: TypeAlias = dict[str, Any]
"""The value of each key, by its path."""
Entries: TypeAlias = list[Values]


class ScoreTable(Table):
    """The number by which settings are compared."""

    kind: Literal["value", "average", "late", "time"] = Field(
        default="value",
        description="the metric at a time, its average up to then, its median over the last fifth "
        "before it, or the time to the target",
    )
    seconds: Seconds | None = Field(default=None, description="that time [the end of the run]")


class SweepTable(VariantTable):
    """A scenario, and the values of its keys."""

    title: Title = ""
    score: ScoreTable = ScoreTable()
    halving: HalvingTable | None = None
    grid: Values | None = Field(
        default=None, description="path = [values]: every combination is run"
    )
    list: Entries | None = Field(
        default=None, description="tables of path = value, with all of the grid"
    )


Source: TypeAlias = str | Path | SweepTable | Mapping[str, Any]
"""A shipped name or a path, a sweep, or the tables of a file."""


class Sweep(NamedTuple):
    """A sweep file, read: the scenario's tables, and the values of the keys."""

    name: str
    table: SweepTable
    tables: dict[str, Any]
    folder: Path
    grid: dict[str, Sequence[Any]]
    entries: Entries
    methods: list[str]

    @property
    def keys(self) -> Sequence[str]:
        """Every varied path, in the order of the file."""
        return list(dict.fromkeys([*self.grid, *(path for e in self.entries for path in e)]))


def read(source: Source, seeds: Sequence[int] | None = None) -> Sweep:
    """A sweep from its table, a path or a shipped name; ``seeds`` replace its own."""
    if isinstance(source, str | Path):
        content, path = files.read("sweep", str(source))
    else:
        content, path = plain(source), Path("sweep.toml")
    try:
        table = SweepTable.model_validate(content)
    except ValidationError as error:
        raise refusal(error, content) from None
    tables, folder = table.changed(path.parent)
    if seeds:
        tables["seeds"] = list(seeds)
    methods = tables.get("methods", {})
    grid, entries = _grid(table.grid), _entries(table.list)
    sweep = Sweep(path.stem, table, tables, folder, grid, entries, list(methods))
    _check(sweep, bool(seeds or table.seeds))
    return sweep


def _grid(table: dict[str, Any] | None) -> dict[str, Sequence[Any]]:
    if table is None:
        return {}
    found = flat(table, "grid")
    for path, values in found.items():
        if not isinstance(values, list):
            raise Mistake(f"grid.{path} = {inline(values)}: must be a list of values")
        if not values:
            raise Mistake(f"grid.{path} = []: is empty; name the values to try")
        if twice := _twice(values):
            raise Mistake(f"grid.{path}: {twice} is given twice; name it once")
    if not found:
        raise Mistake("grid: is empty; name a key and its values, or leave it out")
    return found


def _entries(table: Entries | None) -> Entries:
    if table is None:
        return []
    found = [flat(entry, f"list[{at}]") for at, entry in enumerate(table)]
    if not found:
        raise Mistake("list: is empty; name some settings, or leave it out")
    for at, entry in enumerate(found):
        if not entry:
            raise Mistake(f"list[{at}]: is empty; name a key and its value")
    if twice := _twice(found):
        raise Mistake(f"list: {twice} is given twice; name it once")
    return found


def _twice(values: Sequence[Any]) -> str:
    """The first duplicate as TOML, or nothing."""
    texts: set[str] = set()
    for value in values:
        text = json.dumps(value, sort_keys=True, default=str)
        if text in texts:
            return inline(value)
        texts.add(text)
    return ""


def _check(sweep: Sweep, seeds_given: bool) -> None:
    """Refuse keys that no method has, or that occur twice; settings check the values."""
    if not (sweep.grid or sweep.entries):
        raise Mistake("grid: is missing; a sweep varies something: give [grid] or [[list]]")
    if not isinstance(sweep.tables.get("methods"), dict) or not sweep.methods:
        raise Mistake(f"scenario = {sweep.table.scenario!r}: has no methods")
    for path in sweep.keys:
        if path.partition(".")[0] == "methods":
            _check_method(sweep, path)
        if path == "seeds" and seeds_given:
            raise Mistake("seeds: is given twice; say it once, or vary it")
    always = flat(sweep.table.set, "set")
    for path in always.keys() & set(sweep.keys):
        raise Mistake(f"{path}: is given twice, in set and where it is varied; keep one")
    for path in sweep.grid:
        if any(path in entry for entry in sweep.entries):
            raise Mistake(f"{path}: is given twice, in grid and in list; keep one")
    groups = [[*sweep.grid, *entry] for entry in sweep.entries or [{}]]
    for first, second in (pair for group in groups for pair in combinations(group, 2)):
        _check_apart(sweep, first, second)


def _check_method(sweep: Sweep, path: str) -> None:
    match = METHOD.fullmatch(path)
    if match is None or not match[2]:
        raise Mistake(f"{path}: name a setting of a method, such as methods.*.step")
    label, rest = match[1], match[2].lstrip(".")
    if label != "*":
        if label not in sweep.methods:
            hint = did_you_mean(label, sweep.methods)
            raise Mistake(f"{path}: the scenario has no method {label!r}; {hint}")
    elif not any(has(sweep.tables, method, rest) for method in sweep.methods):
        known = {name for method in sweep.methods for name in parameters(sweep.tables, method)}
        raise Mistake(f"{path}: no method of the scenario has it; {did_you_mean(rest, known)}")


def _check_apart(sweep: Sweep, first: str, second: str) -> None:
    """Refuse two paths if they are equal for a method, or one contains the other."""
    for method in sweep.methods:
        if not (concerns(sweep.tables, first, method) and concerns(sweep.tables, second, method)):
            continue
        short, long = sorted((own(first, method), own(second, method)), key=len)
        if long == short or long.startswith((f"{short}.", f"{short}[")):
            raise Mistake(f"{first} and {second}: one says what the other says; keep one of them")
