"""Which settings does a sweep try?  Every combination of what concerns a method, for each method.

The best settings are chosen anew in each *case*, a combination of circumstances: see
``simulator/sweeps/keys.py``.
"""

import copy
import json
import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from simulator.mistakes import Mistake
from simulator.scenario import loading
from simulator.scenario.paths import METHOD, get, put
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.scenario.toml_text import inline
from simulator.sweeps.keys import column, concerns, is_of_case, own
from simulator.sweeps.sweep_file import Entries, ScoreTable, Sweep, Values


class Setting(NamedTuple):
    """One method at one combination of values; all of its seeds are run."""

    method: str
    values: Values
    """Of what is varied, as a frame has it: by column."""
    case: str
    """Circumstances in words; settings are compared within a case."""
    tables: dict[str, Any]
    scenario: Scenario


def many(sweep: Sweep, methods: Sequence[str]) -> int:
    """How many settings there are, without making them."""
    found = 0
    for method in methods:
        axes = _concerning(sweep, sweep.grid, method).values()
        found += len(_entries_of(sweep, method)) * math.prod(map(len, axes))
    return found


def _concerning(sweep: Sweep, values: Mapping[str, Any], method: str) -> Values:
    """What of this concerns a method."""
    tables = sweep.tables
    return {path: value for path, value in values.items() if concerns(tables, path, method)}


def _entries_of(sweep: Sweep, method: str) -> Entries:
    """What the list says to a method.

    An entry that is about other methods is not about this one; if all are, their circumstances
    still are.
    """
    about: Entries = []
    aside: Entries = []
    for entry in sweep.entries:
        mine = _concerning(sweep, entry, method)
        of_methods = [path for path in entry if METHOD.fullmatch(path)]
        is_mine = not of_methods or any(path in mine for path in of_methods)
        (about if is_mine else aside).append(mine)
    chosen = about or aside or [{}]
    return list({json.dumps(e, sort_keys=True, default=str): e for e in chosen}.values())


def settings(sweep: Sweep, methods: Sequence[str]) -> Sequence[Setting]:
    """Every setting of every method, each checked."""
    found: dict[str, Setting] = {}
    for method in methods:
        axes = _concerning(sweep, sweep.grid, method)
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
        key = own(path, method)
        put(tables, key, copy.deepcopy(value), f"{where}.{key}")
    try:
        scenario = loading.check(tables, sweep.folder)
        _check_score(sweep.table.score, scenario)
    except Mistake as mistake:
        of_all = _wrong_with_all(sweep, method)
        lines = (
            line if line in of_all else _located(line, method, assigned) for line in mistake.args
        )
        raise Mistake(*lines) from None
    values = {
        column(path): _value(tables, scenario, method, path)
        for path in sweep.keys
        if concerns(sweep.tables, path, method)
    }
    case = {column(p): _value(tables, scenario, method, p) for p in sweep.keys if is_of_case(p)}
    return Setting(method, values, told_of(case), tables, scenario)


def _wrong_with_all(sweep: Sweep, method: str) -> Sequence[str]:
    """What is wrong already where nothing is varied, and so is no setting's fault."""
    tables = sweep.tables | {"methods": {method: sweep.tables["methods"][method]}}
    try:
        _check_score(sweep.table.score, loading.check(tables, sweep.folder))
    except Mistake as mistake:
        return mistake.args
    return ()


def _located(told: str, method: str, assigned: Values) -> str:
    """At which setting it is, where that is not said."""
    paths = {own(path, method): value for path, value in assigned.items()}
    if not paths or (len(paths) == 1 and told.startswith((f"{(p := min(paths))}:", f"{p} = "))):
        return told
    return f"at {told_of(paths)}: {told}"


def _check_score(score: ScoreTable, scenario: Scenario) -> None:
    target, end = scenario.stop.target, scenario.stop.seconds
    if score.kind == "time":
        if target is None:
            raise Mistake("score.kind = 'time': needs a stop.target, and the scenario has none")
        if score.seconds is not None:
            raise Mistake(f"score.seconds = {score.seconds:g}: has no meaning for kind = 'time'")
    if score.kind in ("average", "late") and (score.seconds or end) is None:
        told = f"{score.kind!r} needs a time, and the scenario has no stop.seconds"
        raise Mistake(f"score.seconds: is missing; kind = {told}")
    if score.seconds is not None and end is not None and score.seconds > end:
        raise Mistake(f"score.seconds = {score.seconds:g}: is later than stop.seconds = {end:g}")


def _value(tables: dict[str, Any], scenario: Scenario, method: str, path: str) -> Any:
    """What the scenario has at a path: as written, else what the method has by default."""
    by_default = None if is_of_case(path) else settings_of(scenario, method).get(column(path))
    return get(tables, own(path, method), by_default)


def told_of(values: Values) -> str:
    """Values in words.

    >>> told_of({"step": 0.1, "batch": 20})
    'step = 0.1, batch = 20'
    """
    return ", ".join(f"{name} = {inline(value)}" for name, value in values.items())
