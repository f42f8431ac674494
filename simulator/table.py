"""What may stand in a table of a file?  Only what is known, and only as it is meant."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from simulator.mistakes import did_you_mean


class Table(BaseModel):
    """A TOML table: no unknown keys, no conversions, no changes."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, table: Any) -> Any:
        if isinstance(table, Mapping):
            for key in table:
                if key not in cls.model_fields:
                    hint = did_you_mean(str(key), cls.model_fields)
                    context = {"key": str(key), "hint": hint}
                    raise PydanticCustomError("unknown_key", "unknown key; {hint}", context)
        return table
