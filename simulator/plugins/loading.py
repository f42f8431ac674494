"""How is a plug-in loaded?  By the name of its file or module, or by entry points.

``$STRAGGLE_PLUGINS`` names the loaded plug-ins for the processes that this one starts.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from simulator.mistakes import Mistake
from simulator.plugins.errors import files, in_a_line
from simulator.plugins.registry import (
    REGISTRIES,
    Origin,
    digest,
    files_of,
    join,
    join_environments,
    origins,
    used,
)

VARIABLE = "STRAGGLE_PLUGINS"
INSTALLED = "installed distributions"
GYMNASIUM = "gymnasium.envs.registration"
_loaded: set[str] = set()


def load_plugin(where: str | Path) -> None:
    """Load a file or a module by its name, here and in every process that this one starts."""
    place = str(Path(where).resolve()) if _is_file(str(where)) else str(where)
    load()
    _load_once(place, partial(_load_named, place))
    if place not in _named():
        os.environ[VARIABLE] = os.pathsep.join([*_named(), place])


def load() -> None:
    """Load installed plug-ins, and those of ``$STRAGGLE_PLUGINS``, once in a process."""
    _load_once(INSTALLED, _load_installed)
    for where in _named():
        _load_once(where, partial(_load_named, where))


def demand(wanted: Mapping[str, Sequence[str]]) -> None:
    """Refuse to go on without the plug-ins of a manifest, or with other versions."""
    load()
    for key, (plugin, version) in wanted.items():
        kind, _, name = key.partition(".")
        loaded = origins.get((kind, name))
        message = f"{key}: comes from the plug-in {Origin(plugin, version)}"
        if loaded is None:
            remedy = "--plugin FILE_OR_MODULE names it"
            raise Mistake(f"{message}, which is not loaded; {remedy}")
        if loaded.version != version:
            remedy = "load that version, or run it anew"
            raise Mistake(f"{message}, but {loaded} is loaded; {remedy}")


def options_for(tables: Mapping[str, Any]) -> list[str]:
    """The options ``--plugin`` for a scenario's tables; installed plug-ins need none."""
    plugins = {origin.plugin for origin in used(tables).values()}
    needed = [where for where in _named() if _plugin_of(where) in plugins]
    return [word for where in needed for word in ("--plugin", _from_here(where))]


def _plugin_of(where: str) -> str:
    return Path(where).name if _is_file(where) else where


def _from_here(where: str) -> str:
    """The path of a file from the working directory, if it lies below."""
    here = _is_file(where) and Path(where).is_relative_to(Path.cwd())
    return str(Path(where).relative_to(Path.cwd())) if here else where


def _named() -> list[str]:
    return [where for where in os.environ.get(VARIABLE, "").split(os.pathsep) if where]


def _is_file(where: str) -> bool:
    return where.endswith(".py") or os.sep in where


def _load_once(where: str, act: Callable[[], None]) -> None:
    if where not in _loaded:
        act()
        _loaded.add(where)


def _load_named(where: str) -> None:
    place, path = f"plug-in {where}", Path(where).absolute()
    name = _module_of(path, place) if _is_file(where) else where
    plugin = _plugin_of(where)
    before, known = sys.modules.get(name), _environments(name)
    module = _imported(partial(importlib.import_module, name), place, str(path))
    try:
        environments = _own(name, known)
        entries = _entries(module, place, bool(environments))
        version = _register_sources(plugin, name)
        join(plugin, entries, lambda entry: version)
        join_environments(plugin, name, environments, version)
    except Mistake:
        if before is None:
            del sys.modules[name]  # the user may mend it and load it again
        raise


def _module_of(path: Path, place: str) -> str:
    """The module name of a file, for this process and others."""
    if path.suffix != ".py" or not path.is_file():
        raise Mistake(f"{place}: no such Python file")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last: no file beside it hides a package
    importlib.invalidate_caches()
    if not path.stem.isidentifier() or _file_of(path.stem) != path.resolve():
        problem = f"{path.stem!r} is the name of another module, or cannot be one"
        raise Mistake(f"{place}: {problem}; rename the file")
    return path.stem


def _file_of(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except ValueError:  # the module __main__
        return None
    return Path(spec.origin).resolve() if spec and spec.origin else None


def _environments(module: str) -> set[str]:
    """The ids that gymnasium has before this module is imported; none if it names no gymnasium."""
    with suppress(ImportError, ValueError, OSError):
        spec = find_spec(module)
        if spec and spec.origin and b"gymnasium" in Path(spec.origin).read_bytes():
            return {*importlib.import_module(GYMNASIUM).registry}
    return set()


def _own(module: str, known: set[str]) -> list[str]:
    """The ids that this module has registered with gymnasium."""
    registry = getattr(sys.modules.get(GYMNASIUM), "registry", {})
    top = module.partition(".")[0]
    of_module = (name for name, spec in registry.items() if _home(spec) == top)
    fresh = (name for name in registry if known and name not in known)
    return list(dict.fromkeys((*of_module, *fresh)))


def _home(spec: Any) -> str:
    """The package of an environment's class."""
    entry = spec.entry_point
    place = entry.partition(":")[0] if isinstance(entry, str) else entry.__module__
    return str(place).partition(".")[0]


def _entries(module: ModuleType, place: str, registers: bool) -> dict[str, dict[str, Any]]:
    """The plug-in's dictionaries, by kind; a plug-in that ``registers`` may have none."""
    entries = {kind: getattr(module, kind.upper(), {}) for kind in REGISTRIES}
    for kind, each in entries.items():
        if not isinstance(each, dict) or each is REGISTRIES[kind]:
            raise Mistake(f"{place}: {kind.upper()} must be a dictionary of the plug-in's own")
    if not any(entries.values()) and not registers:
        known = ", ".join(kind.upper() for kind in REGISTRIES)
        raise Mistake(
            f"{place}: brings nothing; it must define one of {known}, or register an environment "
            "with gymnasium"
        )
    return entries


def _load_installed() -> None:
    points = entry_points()  # once: reading those of all packages takes a while
    for kind in REGISTRIES:
        for point in points.select(group=f"straggle.{kind}"):
            _load_entry_point(kind, point)


def _load_entry_point(kind: str, point: EntryPoint) -> None:
    """Register the entries of a dictionary, or any other object by the entry point's name."""
    assert point.dist is not None
    plugin = point.dist.name
    loaded = _imported(point.load, f"plug-in {plugin} ({point.value})")
    version = f"{point.dist.version}, {_register_sources(plugin, point.module)}"
    entries = loaded if isinstance(loaded, dict) else {point.name: loaded}
    join(plugin, {kind: entries}, lambda entry: version)


def _imported(act: Callable[[], Any], place: str, file: str = "") -> Any:
    try:
        return act()
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == file]
        at = f", line {lines[-1]}" if lines else ""
        problem = f"cannot be imported: {in_a_line(error)}"
        raise Mistake(f"{place}{at}: {problem}; mend it, or leave it out") from error


def _register_sources(plugin: str, module: str) -> str:
    """Let errors name the plug-in's sources; returns their digest."""
    sources = files_of(module)
    files.update(dict.fromkeys(map(str, sources), plugin))
    return digest(file.read_bytes() for file in sources)
