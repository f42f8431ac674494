"""What may stand in a table of a file?  Only what is known, and only as it is meant."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, ValidationError

from simulator.mistakes import did_you_mean


class Table(BaseModel):
    """A TOML table: no unknown keys, no conversions, no changes."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _only_known_keys(cls, table: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Report unknown keys beside the mistakes of the known ones, and not instead of them."""
        if not isinstance(table, Mapping):
            return validate(table)
        problems = [_unknown(key, cls, table) for key in table if key not in cls.model_fields]
        if not problems:
            return validate(table)
        try:
            validate({key: table[key] for key in table if key in cls.model_fields})
        except ValidationError as error:
            found = error.errors(include_url=False)
            problems += [_restated(each) for each in found if not _follows(each, problems)]
        raise ValidationError.from_exception_data(cls.__name__, problems)


def _unknown(key: object, cls: type[Table], table: Any) -> InitErrorDetails:
    context = {"key": str(key), "hint": did_you_mean(str(key), cls.model_fields)}
    kind = PydanticCustomError("unknown_key", "unknown key; {hint}", context)
    return InitErrorDetails(type=kind, input=table)


def _follows(error: ErrorDetails, unknown: list[InitErrorDetails]) -> bool:
    """Whether an unknown key may be the cause: what it was to say is missing."""
    if not error["loc"]:
        return True
    missed = f"did you mean '{error['loc'][0]}'?"
    hints = [str(each["type"]) for each in unknown]
    return error["type"] == "missing" and any(missed in hint for hint in hints)


def _restated(error: ErrorDetails) -> InitErrorDetails:
    """An error in the form from which pydantic makes errors."""
    kind = PydanticCustomError(error["type"], error["msg"], error.get("ctx"))
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"])
