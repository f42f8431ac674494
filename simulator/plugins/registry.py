"""Which plug-in does an entry of a registry come from, and is it a valid entry?

Only mistakes that would show late are checked: in the types of a scenario's table, or in functions
that the engine calls.
"""

import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, get_args

from algorithms.method import Method
from algorithms.methods import METHODS
from simulator.cluster import LAWS
from simulator.cluster.speeds import SPEEDS
from simulator.mistakes import Mistake
from simulator.objectives.catalogue import OBJECTIVES
from simulator.objectives.environments.catalogue import MODULES
from simulator.objectives.environments.catalogue import OWN as IN_JAX
from simulator.objectives.environments.wrappers import WRAPPERS
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.objectives.tables.policy import POLICIES, PolicyTable
from simulator.plugins.errors import named
from simulator.tracking.catalogue import SINKS
from simulator.tracking.sink import SinkTable

PROGRAM = "this program"
"""The plug-in of entries of ``register``; no other process can load it."""
OWN = ("algorithms", "simulator")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
REGISTRIES: dict[str, dict[str, Any]] = {
    "methods": METHODS,
    "laws": LAWS,
    "speeds": SPEEDS,
    "objectives": OBJECTIVES,
    "policies": POLICIES,
    "wrappers": WRAPPERS,
    "sinks": SINKS,
}
"""Those that a plug-in extends with a dictionary."""
ENVIRONMENTS = "environments"
"""The kind of the environments that a plug-in registers with gymnasium."""


class Origin(NamedTuple):
    """A plug-in and its version."""

    plugin: str
    version: str

    def __str__(self) -> str:
        return f"{self.plugin} ({self.version})"


origins: dict[tuple[str, str], Origin] = {}
"""The origins of all entries that are not shipped, by kind and name."""


def register(
    *,
    methods: Mapping[str, Method] | None = None,
    laws: Mapping[str, type] | None = None,
    speeds: Mapping[str, type] | None = None,
    objectives: Mapping[str, type[ObjectiveTable]] | None = None,
    policies: Mapping[str, type[PolicyTable]] | None = None,
    wrappers: Mapping[str, type] | None = None,
    sinks: Mapping[str, type[SinkTable]] | None = None,
) -> None:
    """Use entries of your own by their names, in this process; a second call replaces them."""
    given = (methods, laws, speeds, objectives, policies, wrappers, sinks)
    by_kind = {kind: each or {} for kind, each in zip(REGISTRIES, given, strict=True)}
    join(PROGRAM, by_kind, _version_of)


def join(
    plugin: str, by_kind: Mapping[str, Mapping[str, Any]], version: Callable[[Any], str]
) -> None:
    """Register all of these entries, or none if one of them is wrong."""
    entries = [(kind, *each) for kind, of_kind in by_kind.items() for each in of_kind.items()]
    for kind, name, entry in entries:
        if problem := _misnamed(plugin, kind, name, entry) or CHECKS[kind](name, entry):
            raise Mistake(f"plug-in {plugin}: {kind}.{name}: {problem}")
    for kind, name, entry in entries:
        if REGISTRIES[kind].get(name) is not entry:
            REGISTRIES[kind][name] = entry
            origins[kind, name] = Origin(plugin, version(entry))


def join_environments(plugin: str, module: str, names: Iterable[str], version: str) -> None:
    """Note the environments that this module has registered with gymnasium."""
    for name in names:
        if name in IN_JAX:
            other = "straggle itself has one of this name; rename it"
            raise Mistake(f"plug-in {plugin}: {ENVIRONMENTS}.{name}: {other}")
        MODULES[name] = module
        origins[ENVIRONMENTS, name] = Origin(plugin, version)


def _misnamed(plugin: str, kind: str, name: Any, entry: Any) -> str | None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return "a name is made of lower-case letters, digits, '.', '_' and '-'"
    known, origin = REGISTRIES[kind].get(name, entry), origins.get((kind, name))
    if known is entry or (origin and origin.plugin == plugin == PROGRAM):
        return None
    other = f"the plug-in {origin.plugin}" if origin else "straggle itself"
    return f"{other} has one of this name; rename it"


def _method(name: str, entry: Any) -> str | None:
    if not isinstance(entry, Method):
        return "must be a Method (algorithms.method)"
    for part in ("aggregation", "rule"):
        if not callable(getattr(entry, part)):
            return f"its {part} must be a function; give Method(aggregation, rule, summary)"
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


def _wrapper(name: str, entry: Any) -> str | None:
    """Gymnasium is not imported for this."""
    bases = entry.__mro__ if isinstance(entry, type) else ()
    names = {(base.__module__.partition(".")[0], base.__name__) for base in bases}
    return None if ("gymnasium", "Wrapper") in names else "must be a subclass of gymnasium.Wrapper"


CHECKS: dict[str, Callable[[str, Any], str | None]] = {
    "methods": _method,
    "laws": partial(_dataclass, ("varies", "base", "vary")),
    "speeds": partial(_dataclass, ("pace",)),
    "objectives": partial(_table, ObjectiveTable, ("metrics",)),
    "policies": partial(_table, PolicyTable, ()),
    "wrappers": _wrapper,
    "sinks": partial(_table, SinkTable, ()),
}
"""``problem = CHECKS[kind](name, entry)``, None for a good entry."""


def used(tables: Mapping[str, Any]) -> dict[str, Origin]:
    """The plug-ins of a scenario's tables, by the entry that is used: ``methods.mine``."""
    names = set(_names_in(tables))
    return {f"{kind}.{name}": at for (kind, name), at in origins.items() if (kind, name) in names}


def title(label: str, method: str) -> str:
    """The label of a method in messages, with its plug-in if there is one."""
    origin = origins.get(("methods", method))
    return f"{label} {named(origin.plugin)}" if origin else label


def is_portable(tables: Mapping[str, Any]) -> bool:
    """Whether another process can load all entries of these tables."""
    return all(origin.plugin != PROGRAM for origin in used(tables).values())


def _names_in(tables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and name of all entries in a scenario."""
    for label, table in (tables.get("methods") or {}).items():
        yield "methods", str(table.get("method", label)) if isinstance(table, dict) else label
    objective = tables.get("objective") or {}
    yield "objectives", str(objective.get("kind"))
    yield ENVIRONMENTS, str(objective.get("environment")).rpartition(":")[2]
    for entry in objective.get("wrappers") or ():
        yield "wrappers", str(entry.get("wrapper") if isinstance(entry, dict) else entry)
    if isinstance(policy := objective.get("policy"), dict):
        yield "policies", str(policy.get("kind"))
    cluster = tables.get("cluster") or {}
    yield from (("speeds", name) for name in _laws_in(cluster.get("speed")))
    for part in (cluster, tables.get("network"), tables.get("server")):
        yield from (("laws", name) for name in _laws_in(part))


def _laws_in(table: Any) -> Iterator[str]:
    if isinstance(table, Mapping):
        if "law" in table:
            yield str(table["law"])
        for value in table.values():
            yield from _laws_in(value)


def files_of(module: str) -> list[Path]:
    """The sources of a module, or of the whole package around it."""
    for name in (module.partition(".")[0], module):
        if file := getattr(sys.modules.get(name), "__file__", None):
            path = Path(file)
            return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    return []


def digest(sources: Iterable[bytes]) -> str:
    return f"sha256 {hashlib.sha256(b''.join(sources)).hexdigest()[:16]}"


def _version_of(entry: Any) -> str:
    """A digest of its name and its source files; in a notebook, of its lines."""
    parts = [entry.aggregation, entry.rule] if isinstance(entry, Method) else [entry]
    modules = [getattr(part, "__module__", "") for part in parts]
    own = [module for module in modules if module.partition(".")[0] not in OWN]
    files = dict.fromkeys(file for module in own for file in files_of(module))
    try:
        lines = [file.read_bytes() for file in files]
        lines = lines or [inspect.getsource(part).encode() for part in parts]
        names = [getattr(part, "__qualname__", "").encode() for part in parts]
        return digest([*lines, *names])
    except (OSError, TypeError):
        return "unknown"
