"""Which settings does a sweep try?  Its file, and every combination for each method.

A *key* is a path as in ``--set``.  Keys below ``methods`` are tuned: they concern the method that
they name, or with ``methods.*`` each that has them, and nobody else's runs are multiplied by them.
All other keys are circumstances, such as the number of workers: whoever compares methods compares
them in the same ones, so the best settings are chosen anew in each *case*.
"""

import copy
import json
import math
import re
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from annotated_types import MinLen
from pydantic import Field, ValidationError

from algorithms.methods import METHODS
from simulator import loading
from simulator.mistakes import Mistake, did_you_mean
from simulator.prescription import settings_of
from simulator.scenario import Scenario, Seconds, Seed
from simulator.tables import Table
from simulator.toml_text import inline

Values: TypeAlias = dict[str, Any]
"""By the path of a key."""
Entries: TypeAlias = list[Values]
MOST = 500
"""Runs, without being asked twice."""
METHOD = re.compile(r"methods\.([^.\[]+)(.*)")
WHOLE = {"law", "kind", "bandwidth", "latency"}
"""A table with one of these is a value; any other is more path."""


class ScoreTable(Table):
    """Which setting is the best: what is compared."""

    kind: Literal["value", "average", "time"] = Field(
        "value",
        description="the metric at a time, its average up to then, or the time to the target",
    )
    seconds: Seconds | None = Field(None, description="that time [the end of the run]")


class SweepTable(Table):
    """A scenario, and what of it is varied."""

    scenario: str = Field(description="a shipped name, or a path from this file")
    title: str = ""
    seeds: Annotated[list[Seed], MinLen(1)] | None = Field(
        None, description="instead of the scenario's"
    )
    score: ScoreTable = ScoreTable()
    set: Values = Field({}, description="path = value: fixed for all runs")
    grid: Values | None = Field(None, description="path = [values]: every combination is run")
    list: Entries | None = Field(None, description="tables of path = value, with all of the grid")


class Sweep(NamedTuple):
    """A sweep file, read: the scenario's tables with what is fixed, and what is varied."""

    name: str
    table: SweepTable
    tables: dict[str, Any]
    folder: Path
    grid: dict[str, Sequence[Any]]
    entries: Entries
    methods: list[str]

    @property
    def keys(self) -> Sequence[str]:
        """Every path that is varied, in the order of the file."""
        return list(dict.fromkeys([*self.grid, *(path for e in self.entries for path in e)]))


class Setting(NamedTuple):
    """One method at one combination of values; all of its seeds are run."""

    method: str
    values: Values
    """Of what is varied, as a frame has it: by column."""
    case: str
    """Circumstances in words; settings are compared within a case."""
    tables: dict[str, Any]
    scenario: Scenario


# The file


def read(source: str | Path, seeds: Sequence[int] | None = None) -> Sweep:
    """A sweep from a path or a shipped name; ``seeds`` in place of its own."""
    path = _find(str(source))
    plain = loading.parse(path)
    if "scenario" not in plain and {"cluster", "methods"} & plain.keys():
        raise Mistake(f"{source}: is a scenario, not a sweep; straggle run {source} runs it")
    try:
        table = SweepTable.model_validate(plain)
    except ValidationError as error:
        raise Mistake(loading.explain(error)) from None
    tables, folder = _scenario(table.scenario, path.parent)
    for key, value in _fixed(table.set, "set").items():
        _put(tables, key, value, "set")
    own = seeds or table.seeds
    if own:
        tables["seeds"] = list(own)
    methods = tables.get("methods", {})
    grid, entries = _grid(table.grid), _entries(table.list)
    sweep = Sweep(path.stem, table, tables, folder, grid, entries, list(methods))
    _check(sweep, own is not None)
    return sweep


def _find(source: str) -> Path:
    if (path := Path(source)).is_file():
        return path
    known = loading.shipped_sweeps()
    name = source.removesuffix(".toml").removeprefix("scenarios/").removeprefix(loading.SWEEPS)
    if name in known:
        return known[name]
    if name in loading.shipped():
        raise Mistake(f"{source}: is a scenario, not a sweep; straggle run {source} runs it")
    if path.is_dir():
        raise Mistake(f"{source}: is a directory, not a sweep file")
    raise Mistake(f"{source}: no such file or shipped sweep; {did_you_mean(name, known)}")


def _scenario(name: str, folder: Path) -> tuple[dict[str, Any], Path]:
    """Its tables: a file beside the sweep, or a shipped one."""
    known = loading.shipped()
    if (beside := folder / name).is_file():
        return loading.tables_of(str(beside))
    if name in known:
        return loading.tables_of(str(known[name]))
    hint = did_you_mean(name, known)
    raise Mistake(f"scenario = {name!r}: no such file beside the sweep, or shipped one; {hint}")


def _fixed(table: dict[str, Any], where: str) -> Values:
    """Paths and values of a table in which keys may be dotted, quoted or not."""
    found: Values = {}
    for path, value in _flat(table, ""):
        if path in found:
            raise Mistake(f"{where}.{path}: stands there twice")
        found[path] = value
    return found


def _flat(table: dict[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    """TOML reads ``stop.seconds = 5`` as a table in a table: only in quotes it is a path."""
    for key, value in table.items():
        path = f"{before}.{key}" if before else key
        if isinstance(value, dict) and not _is_value(path, key, value):
            yield from _flat(value, path)
        else:
            yield path, value


def _is_value(path: str, key: str, value: dict[str, Any]) -> bool:
    """Whether a table is what a key is set to, and not more of the path."""
    of_a_method = METHOD.fullmatch(path)
    return bool(WHOLE & value.keys()) or ("." in key and not (of_a_method and not of_a_method[2]))


def _grid(table: dict[str, Any] | None) -> dict[str, Sequence[Any]]:
    if table is None:
        return {}
    found = _fixed(table, "grid")
    for path, values in found.items():
        if not isinstance(values, list):
            raise Mistake(f"grid.{path} = {inline(values)}: must be a list of values")
        if not values:
            raise Mistake(f"grid.{path} = []: is empty; name the values to try")
        if twice := _twice(values):
            raise Mistake(f"grid.{path}: {twice} stands there twice")
    if not found:
        raise Mistake("grid: is empty; name a key and its values, or leave it out")
    return found


def _entries(table: Entries | None) -> Entries:
    if table is None:
        return []
    found = [_fixed(entry, f"list[{at}]") for at, entry in enumerate(table)]
    if not found:
        raise Mistake("list: is empty; name some settings, or leave it out")
    for at, entry in enumerate(found):
        if not entry:
            raise Mistake(f"list[{at}]: is empty; name a key and its value")
    if twice := _twice(found):
        raise Mistake(f"list: {twice} stands there twice")
    return found


def _twice(values: Sequence[Any]) -> str:
    """The first that stands there twice, as it is written."""
    seen: set[str] = set()
    for value in values:
        text = json.dumps(value, sort_keys=True, default=str)
        if text in seen:
            return inline(value)
        seen.add(text)
    return ""


def _check(sweep: Sweep, seeds_said: bool) -> None:
    """Refuse keys that nobody has or that stand in two places; values are checked in their runs."""
    if not (sweep.grid or sweep.entries):
        raise Mistake("grid: is missing; a sweep varies something: give [grid] or [[list]]")
    if not isinstance(sweep.tables.get("methods"), dict) or not sweep.methods:
        raise Mistake(f"scenario = {sweep.table.scenario!r}: has no methods")
    for path in sweep.keys:
        if path.partition(".")[0] == "methods":
            _check_method(sweep, path)
        if path == "seeds" and seeds_said:
            raise Mistake("seeds: stands there twice; say it once, or vary it")
    fixed = _fixed(sweep.table.set, "set")
    for path in fixed.keys() & set(sweep.keys):
        raise Mistake(f"{path}: stands there twice, in set and where it is varied")
    for path in sweep.grid:
        if any(path in entry for entry in sweep.entries):
            raise Mistake(f"{path}: stands there twice, in grid and in list")
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
    elif not any(_has(sweep, method, rest) for method in sweep.methods):
        known = {name for method in sweep.methods for name in _parameters(sweep, method)}
        raise Mistake(f"{path}: no method of the scenario has it; {did_you_mean(rest, known)}")


def _check_apart(sweep: Sweep, first: str, second: str) -> None:
    """Refuse two paths that lead to one place, or of which one is part of the other."""
    for method in sweep.methods:
        if not (concerns(sweep, first, method) and concerns(sweep, second, method)):
            continue
        short, long = sorted((_own(first, method), _own(second, method)), key=len)
        if long == short or long.startswith((f"{short}.", f"{short}[")):
            raise Mistake(f"{first} and {second}: one says what the other says; keep one of them")


# Every combination


def concerns(sweep: Sweep, path: str, method: str) -> bool:
    """Whether the runs of a method differ with a key."""
    match = METHOD.fullmatch(path)
    if match is None:
        return True
    return match[1] == method or (match[1] == "*" and _has(sweep, method, match[2].lstrip(".")))


def _has(sweep: Sweep, method: str, path: str) -> bool:
    """Whether a method has a setting, said or by default."""
    place = sweep.tables["methods"].get(method)
    for key in path.split("."):
        if not isinstance(place, dict) or key not in place:
            return path in _parameters(sweep, method)
        place = place[key]
    return True


def _parameters(sweep: Sweep, method: str) -> Sequence[str]:
    table = sweep.tables["methods"].get(method)
    named = METHODS.get(table.get("method", method) if isinstance(table, dict) else method)
    return list(named.parameters()) if named else []


def _own(path: str, method: str) -> str:
    return path.replace("methods.*", f"methods.{method}", 1)


def many(sweep: Sweep, methods: Sequence[str]) -> int:
    """How many settings there are, without making them."""
    found = 0
    for method in methods:
        axes = [len(values) for path, values in sweep.grid.items() if concerns(sweep, path, method)]
        found += len(_entries_of(sweep, method)) * math.prod(axes)
    return found


def _entries_of(sweep: Sweep, method: str) -> Entries:
    """What the list says to a method.

    An entry that is about other methods is not about this one; if all are, their circumstances
    still are.
    """
    about: Entries = []
    aside: Entries = []
    for entry in sweep.entries:
        mine = {path: value for path, value in entry.items() if concerns(sweep, path, method)}
        of_methods = [path for path in entry if METHOD.fullmatch(path)]
        is_mine = not of_methods or any(path in mine for path in of_methods)
        (about if is_mine else aside).append(mine)
    chosen = about or aside or [{}]
    return list({json.dumps(e, sort_keys=True, default=str): e for e in chosen}.values())


def settings(sweep: Sweep, methods: Sequence[str]) -> Sequence[Setting]:
    """Every setting of every method, each checked."""
    found: dict[str, Setting] = {}
    for method in methods:
        axes = {path: v for path, v in sweep.grid.items() if concerns(sweep, path, method)}
        for entry in _entries_of(sweep, method):
            for values in product(*axes.values()):
                setting = _setting(sweep, method, entry | dict(zip(axes, values, strict=True)))
                key = setting.scenario.fingerprint()
                if key in found:
                    told = told_of(found[key].values), told_of(setting.values)
                    raise Mistake(f"{method}: {told[0]} and {told[1]} are one setting, said twice")
                found[key] = setting
    return list(found.values())


def _setting(sweep: Sweep, method: str, assigned: Values) -> Setting:
    tables = copy.deepcopy(sweep.tables)
    tables["methods"] = {method: tables["methods"][method]}
    for path, value in assigned.items():
        where = "grid" if path in sweep.grid else "list"
        _put(tables, _own(path, method), copy.deepcopy(value), where)
    try:
        scenario = loading.check(tables, sweep.folder)
        _check_score(sweep.table.score, scenario)
    except Mistake as mistake:
        raise Mistake(_located(str(mistake), method, assigned)) from None
    values = {
        column(path): _value(tables, scenario, method, path)
        for path in sweep.keys
        if concerns(sweep, path, method)
    }
    case = {column(p): _value(tables, scenario, method, p) for p in sweep.keys if is_of_case(p)}
    return Setting(method, values, told_of(case), tables, scenario)


def _located(told: str, method: str, assigned: Values) -> str:
    """At which setting it is, where that is not said."""
    paths = {_own(path, method): value for path, value in assigned.items()}
    if not paths or (len(paths) == 1 and told.startswith((f"{(p := min(paths))}:", f"{p} = "))):
        return told
    return f"at {told_of(paths)}: {told}"


def _put(tables: dict[str, Any], path: str, value: Any, where: str) -> None:
    try:
        loading.put(tables, path, value)
    except KeyError as error:
        raise Mistake(f"{where}.{path}: {error.args[0]}") from None


def _check_score(score: ScoreTable, scenario: Scenario) -> None:
    target, end = scenario.stop.target, scenario.stop.seconds
    if score.kind == "time":
        if target is None:
            raise Mistake("score.kind = 'time': needs a stop.target, and the scenario has none")
        if score.seconds is not None:
            raise Mistake(f"score.seconds = {score.seconds:g}: has no meaning for kind = 'time'")
    if score.kind == "average" and (score.seconds or end) is None:
        raise Mistake("score.seconds: is missing; an average is up to a time, and no stop.seconds")
    if score.seconds is not None and end is not None and score.seconds > end:
        raise Mistake(f"score.seconds = {score.seconds:g}: is later than stop.seconds = {end:g}")


def is_of_case(path: str) -> bool:
    """Whether it is a circumstance, and not a setting of a method."""
    return METHOD.fullmatch(path) is None


def is_circumstance(name: str) -> bool:
    """The same of a column: settings of methods have other names than a scenario's tables.

    >>> is_circumstance("cluster.workers"), is_circumstance("step")
    (True, False)
    """
    return re.split(r"[.\[]", name)[0] in Scenario.model_fields


def column(path: str) -> str:
    """What a frame calls a key: that of a method without its label.

    >>> column("methods.*.step"), column("cluster.workers")
    ('step', 'cluster.workers')
    """
    match = METHOD.fullmatch(path)
    return match[2].lstrip(".") if match else path


def _value(tables: dict[str, Any], scenario: Scenario, method: str, path: str) -> Any:
    """What the scenario has at a path: as written, else what the method has by default."""
    place: Any = tables
    for key in re.findall(r"\[-?\d+\]|[^.\[\]]+", _own(path, method)):
        try:
            place = place[int(key[1:-1]) if key.startswith("[") else key]
        except (KeyError, IndexError, TypeError):
            return None if is_of_case(path) else settings_of(scenario, method).get(column(path))
    return place


def told_of(values: Values) -> str:
    """Values in words.

    >>> told_of({"step": 0.1, "batch": 20})
    'step = 0.1, batch = 20'
    """
    return ", ".join(f"{name} = {inline(value)}" for name, value in values.items())
