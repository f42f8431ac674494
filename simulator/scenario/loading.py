"""How does a file become a scenario?  Its mistakes are a line each."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulator import plugins
from simulator.refusal import refusal
from simulator.scenario import files, paths
from simulator.scenario.scenario import Scenario


def load(source: str, settings: Iterable[str] = ()) -> Scenario:
    """A scenario from a path or a shipped name, with ``path=value`` settings applied.

    >>> load("straggler", ["cluster.workers=10", "seeds=[7]"]).seeds
    [7]
    """
    return check(*tables_of(source, settings))


def tables_of(source: str, settings: Iterable[str] = ()) -> tuple[dict[str, Any], Path]:
    """What a scenario file says, overridden but not checked, and the folder it lies in."""
    tables, path = files.read("scenario", source)
    for setting in settings:
        paths.override(tables, setting)
    return tables, path.parent


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
