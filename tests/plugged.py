"""What a test loads as a plug-in, no other test knows of."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gymnasium.envs import registration

from simulator.plugins import REGISTRIES, VARIABLE, errors, loading, registry


@contextmanager
def no_plugins() -> Iterator[None]:
    """As in a new process without plug-ins."""
    with plugins_as_before():
        for kind, name in registry.origins:
            _table(kind).pop(name, None)
        _forget_modules()
        registry.origins.clear()
        errors.files.clear()
        loading._loaded.clear()
        os.environ.pop(VARIABLE, None)
        yield


@contextmanager
def plugins_as_before() -> Iterator[None]:
    """Forget the plug-ins that are loaded in here."""
    own = [registry.origins, registry.MODULES, errors.files, registration.registry]
    tables: list[dict[Any, Any]] = [*REGISTRIES.values(), *own]
    before = [dict(table) for table in tables]
    loaded, path, named = set(loading._loaded), list(sys.path), os.environ.get(VARIABLE)
    try:
        yield
    finally:
        _forget_modules()
        for table, entries in zip(tables, before, strict=True):
            table.clear()
            table.update(entries)
        loading._loaded.clear()
        loading._loaded.update(loaded)
        sys.path[:] = path
        os.environ.pop(VARIABLE, None)
        if named is not None:
            os.environ[VARIABLE] = named


def _table(kind: str) -> dict[str, Any]:
    return registry.MODULES if kind == registry.ENVIRONMENTS else REGISTRIES[kind]


def _forget_modules() -> None:
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) in errors.files:
            del sys.modules[name]
