"""Can this be a method, a law, a speed, an objective or a policy?  If not, what is wrong with it?

Only what a mistake would hide until later is checked: a type that a scenario's table is made from,
a function that the engine calls.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, get_args

from algorithms.method import Method
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.objectives.tables.policy import PolicyTable


def what_is_wrong(kind: str, name: str, thing: Any) -> str | None:
    """What keeps this from being of its kind, in words; None if nothing does."""
    return CHECKS[kind](name, thing)


def _method(name: str, thing: Any) -> str | None:
    if not isinstance(thing, Method):
        return "must be a Method (algorithms.method)"
    return _untyped({name: each.annotation for name, each in thing.parameters().items()})


def _dataclass(needed: tuple[str, ...], name: str, thing: Any) -> str | None:
    if not (isinstance(thing, type) and is_dataclass(thing)):
        return "must be a dataclass"
    missing = [each for each in needed if not hasattr(thing, each)]
    return f"has no {missing[0]}" if missing else _untyped({f.name: f.type for f in fields(thing)})


def _untyped(types: Mapping[str, Any]) -> str | None:
    """The columns of a scenario's table are made from these types."""
    for name, kind in types.items():
        if kind is inspect.Parameter.empty:
            return f"{name} has no type"
        if isinstance(kind, str):
            return f"{name} has a type in quotes; do without 'from __future__ import annotations'"
    return None


def _table(base: type, needed: tuple[str, ...], name: str, thing: Any) -> str | None:
    if not (isinstance(thing, type) and issubclass(thing, base)):
        return f"must be a subclass of {base.__name__}"
    abstract = getattr(thing, "__abstractmethods__", ())
    missing = [*sorted(abstract), *(each for each in needed if not hasattr(thing, each))]
    if missing:
        return f"has no {missing[0]}"
    kind = getattr(thing, "model_fields")["kind"].annotation  # noqa: B009
    return None if name in get_args(kind) else f"must say kind: Literal[{name!r}]"


CHECKS: dict[str, Callable[[str, Any], str | None]] = {
    "methods": _method,
    "laws": partial(_dataclass, ("varies", "base", "vary")),
    "speeds": partial(_dataclass, ("pace",)),
    "objectives": partial(_table, ObjectiveTable, ("metrics",)),
    "policies": partial(_table, PolicyTable, ()),
}
