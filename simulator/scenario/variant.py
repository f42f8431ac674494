"""How does a sweep or a benchmark name the scenario that it changes?"""

from pathlib import Path
from typing import Annotated, Any

from annotated_types import MinLen
from pydantic import Field

from simulator.scenario import files, paths
from simulator.scenario.quantities import Seed
from simulator.table import Table


class VariantTable(Table):
    """A scenario, and what is changed in it."""

    scenario: str = Field(description="a shipped name, or a path from this file")
    seeds: Annotated[list[Seed], MinLen(1)] | None = Field(
        default=None, description="instead of the scenario's"
    )
    set: dict[str, Any] = Field(default={}, description="path = value, as with --set")

    def changed(self, folder: Path) -> tuple[dict[str, Any], Path]:
        """The scenario's tables with the changes, and the folder of its file.

        ``folder`` is the one in which the file of this table lies.
        """
        tables, path = files.read("scenario", self.scenario, folder)
        for key, value in paths.flat(self.set, "set").items():
            paths.put(tables, key, value, f"set.{key}")
        if self.seeds:
            tables["seeds"] = list(self.seeds)
        return tables, path.parent
