"""What comes from outside?  The methods, laws, speeds, objectives and policies of plug-ins.

A plug-in is a module with a dictionary for what it brings, named as the registry it joins:
``METHODS``, ``LAWS``, ``SPEEDS``, ``OBJECTIVES`` or ``POLICIES``.  It is named on the command line
(``--plugin``) or in ``$STRAGGLE_PLUGINS``; or a distribution that is installed has entry points.
A scenario never imports anything.
"""

import hashlib
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from algorithms.method import Method
from algorithms.methods import METHODS
from simulator.cluster import LAWS
from simulator.cluster.speeds import SPEEDS
from simulator.mistakes import Mistake
from simulator.objectives.catalogue import OBJECTIVES
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.objectives.tables.policy import POLICIES, PolicyTable

VARIABLE = "STRAGGLE_PLUGINS"
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


_origins: dict[tuple[str, str], Origin] = {}
_loaded: set[str] = set()


def register(
    *,
    methods: Mapping[str, Method] | None = None,
    laws: Mapping[str, type] | None = None,
    speeds: Mapping[str, type] | None = None,
    objectives: Mapping[str, type[ObjectiveTable]] | None = None,
    policies: Mapping[str, type[PolicyTable]] | None = None,
    origin: Origin | None = None,
) -> None:
    """Let things of one's own be used by their names, in this process."""
    brought = (methods, laws, speeds, objectives, policies)
    for kind, things in zip(REGISTRIES, brought, strict=True):
        for name, thing in (things or {}).items():
            _join(kind, name, thing, origin or Origin("this program", _digest_of(thing)))


def add(where: str) -> None:
    """Load a plug-in, and let the processes that this one starts load it, too."""
    path = Path(where)
    named = str(path.resolve()) if path.suffix == ".py" or path.is_file() else where
    before = _named()
    if named not in before:
        os.environ[VARIABLE] = os.pathsep.join([*before, named])
    load()


def load() -> None:
    """Load what is installed or named, once in a process."""
    if "" not in _loaded:
        _loaded.add("")
        for kind in REGISTRIES:
            for point in entry_points(group=f"straggle.{kind}"):
                _load_entry_point(kind, point)
    for where in _named():
        if where not in _loaded:
            _loaded.add(where)
            _load_module(where)


def used(tables: Mapping[str, Any]) -> dict[str, Origin]:
    """The plug-ins that a scenario's tables make use of, by what they use: ``methods.mine``."""
    names = set(_names_in(tables))
    return {f"{kind}.{name}": at for (kind, name), at in _origins.items() if (kind, name) in names}


def is_portable(tables: Mapping[str, Any]) -> bool:
    """Whether another process can load all that these tables use."""
    return all(origin.plugin != "this program" for origin in used(tables).values())


def demand(wanted: Mapping[str, Sequence[str]]) -> None:
    """Refuse to go on without the plug-ins that a manifest names, or with others."""
    load()
    for key, (plugin, version) in wanted.items():
        kind, _, name = key.partition(".")
        there, asked = _origins.get((kind, name)), Origin(plugin, version)
        if there is None:
            how = "--plugin FILE_OR_MODULE names it"
            raise Mistake(f"{key}: comes from the plug-in {asked}, which is not loaded; {how}")
        if there.version != version:
            raise Mistake(f"{key}: was run with the plug-in {asked}, and now comes from {there}")


def origin_of(kind: str, name: str) -> Origin | None:
    """Where something comes from; None for what is shipped."""
    return _origins.get((kind, name))


# Loading


def _named() -> list[str]:
    return [where for where in os.environ.get(VARIABLE, "").split(os.pathsep) if where]


def _load_entry_point(kind: str, point: EntryPoint) -> None:
    distribution = point.dist
    assert distribution is not None
    origin = Origin(distribution.name, distribution.version)
    thing = _imported(point.load, f"plug-in {distribution.name}: {point.value}", "uninstall it")
    _join(kind, point.name, thing, origin)


def _load_module(where: str) -> None:
    path, place = Path(where), f"--plugin {where}"
    if path.suffix == ".py":
        if not path.is_file():
            raise Mistake(f"{place}: no such file")
        _refuse_other(path)
        if str(path.parent) not in sys.path:  # so that other processes find it by its name
            sys.path.insert(0, str(path.parent))
        name = path.stem
    else:
        name = where
    module = _imported(lambda: importlib.import_module(name), place, "mend it, or leave it out")
    origin = Origin(path.name if path.suffix == ".py" else name, _digest(module))
    brought = {kind: getattr(module, kind.upper(), {}) for kind in REGISTRIES}
    for kind, things in brought.items():
        if not isinstance(things, dict):
            raise Mistake(f"{place}: {kind.upper()} is no dictionary of names")
        for label, thing in things.items():
            _join(kind, label, thing, origin)
    if not any(brought.values()):
        known = ", ".join(kind.upper() for kind in REGISTRIES)
        raise Mistake(f"{place}: brings nothing; it must hold one of {known}")


def _refuse_other(path: Path) -> None:
    """A module of that name may be there already, and would be imported in its place."""
    there = sys.modules.get(path.stem)
    file = getattr(there, "__file__", None)
    if there is not None and (file is None or Path(file).resolve() != path):
        raise Mistake(f"--plugin {path}: there is another module {path.stem!r}; rename the file")
    if not path.stem.isidentifier():
        raise Mistake(f"--plugin {path}: {path.stem!r} is no name of a module; rename the file")


def _imported(act: Callable[[], Any], place: str, remedy: str) -> Any:
    try:
        return act()
    except (Exception, SystemExit) as error:
        told = f"{type(error).__name__}: {error}".splitlines()[0]
        raise Mistake(f"{place}: cannot be imported: {told}; {remedy}") from error


def _digest(module: ModuleType) -> str:
    """Of the sources of a module, or of all in a package."""
    file = getattr(module, "__file__", None)
    if file is None:
        return "unknown"
    path = Path(file)
    files = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    return _hash(b"".join(each.read_bytes() for each in files))


def _digest_of(thing: Any) -> str:
    """Of the module in which something is written; of a notebook nothing is known."""
    source = thing.aggregation if isinstance(thing, Method) else thing
    module = sys.modules.get(getattr(source, "__module__", ""))
    return _digest(module) if module else "unknown"


def _hash(content: bytes) -> str:
    return f"sha256 {hashlib.sha256(content).hexdigest()[:16]}"


# Joining a registry


def _join(kind: str, name: str, thing: Any, origin: Origin) -> None:
    registry, place = REGISTRIES[kind], f"plug-in {origin.plugin}: {kind}.{name}"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Mistake(f"{place}: a name is made of lower-case letters, digits, '.', '_' and '-'")
    if name in registry:
        other = _origins.get((kind, name))
        if registry[name] is thing or (other is not None and other == origin):
            return
        holder = f"the plug-in {other.plugin}" if other else "straggle itself"
        raise Mistake(f"{place}: {holder} has one of this name; rename it")
    if wrong := _what_is_wrong(kind, thing):
        raise Mistake(f"{place}: {wrong}")
    registry[name] = thing
    _origins[kind, name] = origin


def _what_is_wrong(kind: str, thing: Any) -> str | None:
    """What keeps something from being of this kind."""
    match kind:
        case "methods":
            return None if isinstance(thing, Method) else "must be a Method (algorithms.method)"
        case "laws" | "speeds":
            needed = ("base", "vary", "varies") if kind == "laws" else ("pace",)
            missing = [each for each in needed if not hasattr(thing, each)]
            if not (isinstance(thing, type) and is_dataclass(thing)):
                return "must be a dataclass"
            return f"has no {missing[0]}" if missing else None
        case _:
            base = ObjectiveTable if kind == "objectives" else PolicyTable
            good = isinstance(thing, type) and issubclass(thing, base)
            return None if good else f"must be a subclass of {base.__name__}"


def _names_in(tables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything that is named in a scenario, by its kind."""
    for label, table in (tables.get("methods") or {}).items():
        yield "methods", str(table.get("method", label)) if isinstance(table, dict) else label
    objective = tables.get("objective") or {}
    yield "objectives", str(objective.get("kind"))
    if isinstance(policy := objective.get("policy"), dict):
        yield "policies", str(policy.get("kind"))
    yield from (("laws", name) for name in _laws_in(tables.get("cluster")))
    yield from (("laws", name) for name in _laws_in(tables.get("network")))
    cluster = tables.get("cluster") or {}
    yield from (("speeds", name) for name in _laws_in(cluster.get("speed")))


def _laws_in(table: Any) -> Iterator[str]:
    if isinstance(table, Mapping):
        if "law" in table:
            yield str(table["law"])
        for value in table.values():
            yield from _laws_in(value)
