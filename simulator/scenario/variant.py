"""How does a sweep or a benchmark name the scenario that it changes?"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from annotated_types import MinLen
from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from simulator.scenario import loading, paths
from simulator.scenario.scenario import Scenario
from simulator.table import Seed, Table, plain


def _name_or_tables(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Scenario | Mapping):
        return plain(value)
    raise PydanticCustomError("scenario", "must be a name, a path, or a scenario itself")


if TYPE_CHECKING:
    AnyScenario: TypeAlias = str | Scenario | Mapping[str, Any]
else:
    AnyScenario = Annotated[
        Any, PlainValidator(_name_or_tables), WithJsonSchema({"type": "string"})
    ]


class VariantTable(Table):
    """A scenario with changes."""

    scenario: AnyScenario = Field(description="a shipped name, or a path from this file")
    seeds: Annotated[list[Seed], MinLen(1)] | None = Field(
        default=None, description="instead of the scenario's"
    )
    set: dict[str, Any] = Field(default={}, description="path = value, as with --set")

    def changed(self, folder: Path) -> tuple[dict[str, Any], Path]:
        """The changed tables, and the folder of the scenario; ``folder`` is that of this file."""
        tables, place = loading.tables_of(self.scenario, beside=folder)
        for key, value in paths.flat(self.set, "set").items():
            paths.put(tables, key, value, f"set.{key}")
        if self.seeds:
            tables["seeds"] = list(self.seeds)
        return tables, place
