"""How does a file become a scenario?  Each mistake in it becomes a line."""

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from simulator import plugins
from simulator.refusal import refusal
from simulator.scenario import files, paths
from simulator.scenario.scenario import Scenario
from simulator.table import plain

Source: TypeAlias = str | Path | Scenario | Mapping[str, Any]
"""A shipped name or a path, a scenario, or the tables of a file."""


def load(source: Source, settings: Iterable[str] = ()) -> Scenario:
    """A scenario from a source, with ``path=value`` settings applied.

    >>> load("straggler", ["cluster.workers=10", "seeds=[7]"]).seeds
    [7]
    """
    return check(*tables_of(source, settings))


def tables_of(
    source: Source, settings: Iterable[str] = (), beside: Path | None = None
) -> tuple[dict[str, Any], Path]:
    """The tables of a scenario, overridden but not checked, and the folder of its paths.

    ``beside`` is the folder of a file that names the source.
    """
    if isinstance(source, str | Path):
        tables, path = files.read("scenario", str(source), beside)
        folder = path.parent
    else:
        tables, folder = copy.deepcopy(plain(source)), beside or Path()
    for setting in settings:
        paths.override(tables, setting)
    return tables, folder


def untracked(tables: dict[str, Any]) -> dict[str, Any]:
    """The tables without trackers, which no result stores: an address may hold a password."""
    return {name: table for name, table in tables.items() if name != "tracking"}


def name_of(source: Source) -> str:
    """The name of files and folders that are made from a source."""
    return Path(source).stem if isinstance(source, str | Path) else "scenario"


def check(tables: dict[str, Any], folder: Path = Path()) -> Scenario:
    """A scenario from plain tables, whose paths start at ``folder``, or the mistakes in it."""
    scenario = of_tables(tables).found_from(folder)
    scenario.check()
    return scenario


def of_tables(tables: dict[str, Any]) -> Scenario:
    """A scenario of the right form, or the mistakes in its form."""
    plugins.load()
    try:
        return Scenario.model_validate(tables)
    except ValidationError as error:
        raise refusal(error, tables) from None
