"""Which settings does a sweep try?  For each method, every combination of the keys that concern it.

The best settings are chosen in each *case*, a combination of circumstances: see
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
    """One method at one combination of values, on all seeds."""

    method: str
    values: Values
    """The value of each key, by its column in a frame."""
    case: str
    """The circumstances, in words."""
    tables: dict[str, Any]
    scenario: Scenario


def count(sweep: Sweep, method: str) -> int:
    """The number of a method's settings."""
    axes = _concerning(sweep, sweep.grid, method).values()
    return len(_entries_of(sweep, method)) * math.prod(map(len, axes))


def _concerning(sweep: Sweep, values: Mapping[str, Any], method: str) -> Values:
    tables = sweep.tables
    return {path: value for path, value in values.items() if concerns(tables, path, method)}


def _entries_of(sweep: Sweep, method: str) -> Entries:
    """The list's values for a method.

    An entry about other methods does not count; if all entries are, their circumstances do.
    """
    own: Entries = []
    other: Entries = []
    for entry in sweep.entries:
        values = _concerning(sweep, entry, method)
        of_methods = [path for path in entry if METHOD.fullmatch(path)]
        is_own = not of_methods or any(path in values for path in of_methods)
        (own if is_own else other).append(values)
    chosen = own or other or [{}]
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
                    texts = " and ".join(describe(s.values) for s in (found[key], setting))
                    raise Mistake(f"{method}: {texts} are one setting, said twice")
                found[key] = setting
    return list(found.values())


def _setting(sweep: Sweep, method: str, assigned: Values) -> Setting:
    tables = copy.deepcopy(sweep.tables)
    tables["methods"] = {method: tables["methods"][method]}
    for path, value in assigned.items():
        place = "grid" if path in sweep.grid else "list"
        key = own(path, method)
        put(tables, key, copy.deepcopy(value), f"{place}.{key}")
    try:
        scenario = loading.check(tables, sweep.folder)
        _check_score(sweep.table.score, scenario)
    except Mistake as mistake:
        general = _general_mistakes(sweep, method)
        lines = (m if m in general else _located(m, method, assigned) for m in mistake.args)
        raise Mistake(*lines) from None
    keys = [path for path in sweep.keys if concerns(sweep.tables, path, method)]
    values = {column(path): _value(tables, scenario, method, path) for path in keys}
    case = {column(p): _value(tables, scenario, method, p) for p in sweep.keys if is_of_case(p)}
    return Setting(method, values, describe(case), tables, scenario)


def _general_mistakes(sweep: Sweep, method: str) -> Sequence[str]:
    """Mistakes that do not depend on the setting."""
    tables = sweep.tables | {"methods": {method: sweep.tables["methods"][method]}}
    try:
        _check_score(sweep.table.score, loading.check(tables, sweep.folder))
    except Mistake as mistake:
        return mistake.args
    return ()


def _located(message: str, method: str, assigned: Values) -> str:
    """The message with its setting, unless it starts with the only key."""
    paths = {own(path, method): value for path, value in assigned.items()}
    if not paths or (len(paths) == 1 and message.startswith((f"{(p := min(paths))}:", f"{p} = "))):
        return message
    return f"at {describe(paths)}: {message}"


def _check_score(score: ScoreTable, scenario: Scenario) -> None:
    target, end = scenario.stop.target, scenario.stop.seconds
    if score.kind == "time":
        if target is None:
            raise Mistake("score.kind = 'time': needs a stop.target, and the scenario has none")
        if score.seconds is not None:
            raise Mistake(f"score.seconds = {score.seconds:g}: has no meaning for kind = 'time'")
    if score.kind in ("average", "late") and (score.seconds or end) is None:
        reason = f"{score.kind!r} needs a time, and the scenario has no stop.seconds"
        raise Mistake(f"score.seconds: is missing; kind = {reason}")
    if score.seconds is not None and end is not None and score.seconds > end:
        raise Mistake(f"score.seconds = {score.seconds:g}: is later than stop.seconds = {end:g}")


def _value(tables: dict[str, Any], scenario: Scenario, method: str, path: str) -> Any:
    """The value at a path: as written, or the method's default."""
    by_default = None if is_of_case(path) else settings_of(scenario, method).get(column(path))
    return get(tables, own(path, method), by_default)


def describe(values: Values) -> str:
    """Values in words.

    >>> describe({"step": 0.1, "batch": 20})
    'step = 0.1, batch = 20'
    """
    return ", ".join(f"{name} = {inline(value)}" for name, value in values.items())
