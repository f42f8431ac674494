"""Is an entry of a plug-in a method, law, speed, objective or policy?

Only mistakes that would show late are checked: in the types of a scenario's table, or in functions
that the engine calls.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, get_args

from algorithms.method import Method
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.objectives.tables.policy import PolicyTable


def _method(name: str, entry: Any) -> str | None:
    if not isinstance(entry, Method):
        return "must be a Method (algorithms.method)"
    return _untyped({name: each.annotation for name, each in entry.parameters().items()})


def _dataclass(needed: tuple[str, ...], name: str, entry: Any) -> str | None:
    if not (isinstance(entry, type) and is_dataclass(entry)):
        return "must be a dataclass"
    missing = [each for each in needed if not hasattr(entry, each)]
    return f"has no {missing[0]}" if missing else _untyped({f.name: f.type for f in fields(entry)})


def _untyped(types: Mapping[str, Any]) -> str | None:
    """The columns of a scenario's table have these types."""
    for name, kind in types.items():
        if kind is inspect.Parameter.empty:
            return f"{name} has no type"
        if isinstance(kind, str):
            return f"{name} has a type in quotes; do without 'from __future__ import annotations'"
    return None


def _table(base: type, needed: tuple[str, ...], name: str, entry: Any) -> str | None:
    if not (isinstance(entry, type) and issubclass(entry, base)):
        return f"must be a subclass of {base.__name__}"
    abstract = getattr(entry, "__abstractmethods__", ())
    missing = [*sorted(abstract), *(each for each in needed if not hasattr(entry, each))]
    if missing:
        return f"has no {missing[0]}"
    kind = getattr(entry, "model_fields")["kind"].annotation  # noqa: B009
    return None if name in get_args(kind) else f"must say kind: Literal[{name!r}]"


CHECKS: dict[str, Callable[[str, Any], str | None]] = {
    "methods": _method,
    "laws": partial(_dataclass, ("varies", "base", "vary")),
    "speeds": partial(_dataclass, ("pace",)),
    "objectives": partial(_table, ObjectiveTable, ("metrics",)),
    "policies": partial(_table, PolicyTable, ()),
}
"""``problem = CHECKS[kind](name, entry)``, None for a good entry."""
