"""Which plug-in brought what, and in which version?"""

import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from algorithms.method import Method
from algorithms.methods import METHODS
from simulator.cluster import LAWS
from simulator.cluster.speeds import SPEEDS
from simulator.mistakes import Mistake
from simulator.objectives.catalogue import OBJECTIVES
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.objectives.tables.policy import POLICIES, PolicyTable
from simulator.plugins.checks import what_is_wrong
from simulator.plugins.errors import named

PROGRAM = "this program"
"""The plug-in of what ``register`` brings; no other process can load it."""
OWN = ("algorithms", "simulator")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
REGISTRIES: dict[str, dict[str, Any]] = {
    "methods": METHODS,
    "laws": LAWS,
    "speeds": SPEEDS,
    "objectives": OBJECTIVES,
    "policies": POLICIES,
}


class Origin(NamedTuple):
    """The plug-in that something comes from, and which version of it."""

    plugin: str
    version: str

    def __str__(self) -> str:
        return f"{self.plugin} ({self.version})"


origins: dict[tuple[str, str], Origin] = {}
"""Of everything that is not shipped, by its kind and name."""


def register(
    *,
    methods: Mapping[str, Method] | None = None,
    laws: Mapping[str, type] | None = None,
    speeds: Mapping[str, type] | None = None,
    objectives: Mapping[str, type[ObjectiveTable]] | None = None,
    policies: Mapping[str, type[PolicyTable]] | None = None,
) -> None:
    """Use things of your own by their names, in this process; a second call replaces them."""
    brought = (methods, laws, speeds, objectives, policies)
    named = {kind: each or {} for kind, each in zip(REGISTRIES, brought, strict=True)}
    join(PROGRAM, named, _version_of)


def join(
    plugin: str, named: Mapping[str, Mapping[str, Any]], version: Callable[[Any], str]
) -> None:
    """Let all of these be used by their names; or none, if something is wrong with one."""
    things = [(kind, *each) for kind, entries in named.items() for each in entries.items()]
    for kind, name, thing in things:
        if wrong := _misnamed(plugin, kind, name, thing) or what_is_wrong(kind, name, thing):
            raise Mistake(f"plug-in {plugin}: {kind}.{name}: {wrong}")
    for kind, name, thing in things:
        if REGISTRIES[kind].get(name) is not thing:
            REGISTRIES[kind][name] = thing
            origins[kind, name] = Origin(plugin, version(thing))


def _misnamed(plugin: str, kind: str, name: Any, thing: Any) -> str | None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return "a name is made of lower-case letters, digits, '.', '_' and '-'"
    there, holder = REGISTRIES[kind].get(name, thing), origins.get((kind, name))
    if there is thing or (holder and holder.plugin == plugin == PROGRAM):
        return None
    other = f"the plug-in {holder.plugin}" if holder else "straggle itself"
    return f"{other} has one of this name; rename it"


# What a scenario uses


def used(tables: Mapping[str, Any]) -> dict[str, Origin]:
    """The plug-ins that a scenario's tables make use of, by what they use: ``methods.mine``."""
    names = set(_names_in(tables))
    return {f"{kind}.{name}": at for (kind, name), at in origins.items() if (kind, name) in names}


def title(label: str, method: str) -> str:
    """The label of a method in messages, with its plug-in if it is of one."""
    origin = origins.get(("methods", method))
    return f"{label} {named(origin.plugin)}" if origin else label


def is_portable(tables: Mapping[str, Any]) -> bool:
    """Whether another process can load all that these tables use."""
    return all(origin.plugin != PROGRAM for origin in used(tables).values())


def _names_in(tables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything that a scenario names, by its kind."""
    for label, table in (tables.get("methods") or {}).items():
        yield "methods", str(table.get("method", label)) if isinstance(table, dict) else label
    objective = tables.get("objective") or {}
    yield "objectives", str(objective.get("kind"))
    if isinstance(policy := objective.get("policy"), dict):
        yield "policies", str(policy.get("kind"))
    cluster = tables.get("cluster") or {}
    yield from (("speeds", name) for name in _laws_in(cluster.get("speed")))
    for name in (*_laws_in(cluster), *_laws_in(tables.get("network"))):
        yield "laws", name


def _laws_in(table: Any) -> Iterator[str]:
    if isinstance(table, Mapping):
        if "law" in table:
            yield str(table["law"])
        for value in table.values():
            yield from _laws_in(value)


# Versions


def files_of(module: str) -> list[Path]:
    """The sources of a module, or of the whole package that it is in."""
    for name in (module.partition(".")[0], module):
        if file := getattr(sys.modules.get(name), "__file__", None):
            path = Path(file)
            return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    return []


def digest(sources: Iterable[bytes]) -> str:
    return f"sha256 {hashlib.sha256(b''.join(sources)).hexdigest()[:16]}"


def _version_of(thing: Any) -> str:
    """A digest of its name and the files that it is written in; in a notebook, of its lines."""
    parts = [thing.aggregation, thing.rule] if isinstance(thing, Method) else [thing]
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
