"""How does a file become a scenario?  Its mistakes are a line each."""

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
"""A shipped name or a path, a scenario, or what a file says."""


def load(source: Source, settings: Iterable[str] = ()) -> Scenario:
    """A scenario from a source, with ``path=value`` settings applied.

    >>> load("straggler", ["cluster.workers=10", "seeds=[7]"]).seeds
    [7]
    """
    return check(*tables_of(source, settings))


def tables_of(
    source: Source, settings: Iterable[str] = (), beside: Path | None = None
) -> tuple[dict[str, Any], Path]:
    """What a scenario says, overridden but not checked, and the folder from which paths start.

    ``beside`` is that of a file which names the source.
    """
    if isinstance(source, str | Path):
        tables, path = files.read("scenario", str(source), beside)
        folder = path.parent
    else:
        said = source.as_tables() if isinstance(source, Scenario) else plain(source)
        tables, folder = copy.deepcopy(said), beside or Path()
    for setting in settings:
        paths.override(tables, setting)
    return tables, folder


def name_of(source: Source) -> str:
    """What files are called that are made of it."""
    return Path(source).stem if isinstance(source, str | Path) else "scenario"


def check(tables: dict[str, Any], folder: Path = Path()) -> Scenario:
    """A scenario from plain tables, or the mistakes in them.

    A file that the scenario names is looked for from the scenario's own ``folder``.
    """
    scenario = of_tables(tables).found_from(folder)
    scenario.check()
    return scenario


def of_tables(tables: dict[str, Any]) -> Scenario:
    """A scenario of the right form, or the mistakes in it."""
    plugins.load()
    try:
        return Scenario.model_validate(tables)
    except ValidationError as error:
        raise refusal(error, tables) from None
