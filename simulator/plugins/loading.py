"""How is a plug-in loaded?  By its file or module's name, or as it is installed.

``$STRAGGLE_PLUGINS`` names what a process has loaded, for the processes that it starts.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from simulator.mistakes import Mistake
from simulator.plugins.errors import files, in_a_line
from simulator.plugins.registry import REGISTRIES, Origin, digest, files_of, join, origins

VARIABLE = "STRAGGLE_PLUGINS"
INSTALLED = "what is installed"
_loaded: set[str] = set()


def load_plugin(where: str | Path) -> None:
    """Load a file or a module by its name, here and in every process that this one starts."""
    place = str(Path(where).resolve()) if _is_file(str(where)) else str(where)
    load()
    _load_once(place, partial(_load_named, place))
    if place not in _named():
        os.environ[VARIABLE] = os.pathsep.join([*_named(), place])


def load() -> None:
    """Load what is installed, and what the environment names, once in a process."""
    _load_once(INSTALLED, _load_installed)
    for where in _named():
        _load_once(where, partial(_load_named, where))


def demand(wanted: Mapping[str, Sequence[str]]) -> None:
    """Refuse to go on without the plug-ins that a manifest names, or with other versions."""
    load()
    for key, (plugin, version) in wanted.items():
        kind, _, name = key.partition(".")
        there, asked = origins.get((kind, name)), Origin(plugin, version)
        if there is None:
            how = "--plugin FILE_OR_MODULE names it"
            raise Mistake(f"{key}: comes from the plug-in {asked}, which is not loaded; {how}")
        if there.version != version:
            how = "load that version, or run it anew"
            raise Mistake(f"{key}: comes from the plug-in {asked}, but {there} is loaded; {how}")


def _named() -> list[str]:
    return [where for where in os.environ.get(VARIABLE, "").split(os.pathsep) if where]


def _is_file(where: str) -> bool:
    return where.endswith(".py") or os.sep in where


def _load_once(where: str, act: Callable[[], None]) -> None:
    if where not in _loaded:
        act()
        _loaded.add(where)


# By its name


def _load_named(where: str) -> None:
    place, path = f"plug-in {where}", Path(where).absolute()
    name = _module_of(path, place) if _is_file(where) else where
    plugin = path.name if _is_file(where) else name
    before = sys.modules.get(name)
    module = _imported(partial(importlib.import_module, name), place, str(path))
    try:
        named = _brought(module, place)
        version = _known_as(plugin, name)
        join(plugin, named, lambda thing: version)
    except Mistake:
        if before is None:
            del sys.modules[name]  # it may be mended and loaded again
        raise


def _module_of(path: Path, place: str) -> str:
    """The name by which this process and others import a file."""
    if path.suffix != ".py" or not path.is_file():
        raise Mistake(f"{place}: no such Python file")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last: no file beside it hides a package
    importlib.invalidate_caches()
    if not path.stem.isidentifier() or _file_of(path.stem) != path.resolve():
        other = f"{path.stem!r} is the name of another module, or cannot be one"
        raise Mistake(f"{place}: {other}; rename the file")
    return path.stem


def _file_of(module: str) -> Path | None:
    try:
        found = find_spec(module)
    except ValueError:  # of a program that is run
        return None
    return Path(found.origin).resolve() if found and found.origin else None


def _brought(module: ModuleType, place: str) -> dict[str, dict[str, Any]]:
    named = {kind: getattr(module, kind.upper(), {}) for kind in REGISTRIES}
    for kind, things in named.items():
        if not isinstance(things, dict) or things is REGISTRIES[kind]:
            raise Mistake(f"{place}: {kind.upper()} must be a dictionary of the plug-in's own")
    if not any(named.values()):
        known = ", ".join(kind.upper() for kind in REGISTRIES)
        raise Mistake(f"{place}: brings nothing; it must define one of {known}")
    return named


# What is installed


def _load_installed() -> None:
    points = entry_points()  # once: to read those of all packages takes a while
    for kind in REGISTRIES:
        for point in points.select(group=f"straggle.{kind}"):
            _load_entry_point(kind, point)


def _load_entry_point(kind: str, point: EntryPoint) -> None:
    """A dictionary brings all that it holds; any other object has the entry point's name."""
    assert point.dist is not None
    plugin = point.dist.name
    thing = _imported(point.load, f"plug-in {plugin} ({point.value})")
    version = f"{point.dist.version}, {_known_as(plugin, point.module)}"
    named = thing if isinstance(thing, dict) else {point.name: thing}
    join(plugin, {kind: named}, lambda thing: version)


# Both


def _imported(act: Callable[[], Any], place: str, file: str = "") -> Any:
    try:
        return act()
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == file]
        at = f", line {lines[-1]}" if lines else ""
        told = f"cannot be imported: {in_a_line(error)}"
        raise Mistake(f"{place}{at}: {told}; mend it, or leave it out") from error


def _known_as(plugin: str, module: str) -> str:
    """The digest of its sources, which errors name from now on."""
    found = files_of(module)
    files.update(dict.fromkeys(map(str, found), plugin))
    return digest(file.read_bytes() for file in found)
