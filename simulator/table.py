"""What may stand in a table of a file?  Only what is known, and only as it is meant.

A table may be one of several kinds, which a column names.  Kinds are looked up when a value is
checked.  So a kind that a plug-in adds counts from the moment it is registered, and the tables of
unused kinds are never built.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Self, Union

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    TypeAdapter,
    model_validator,
)
from pydantic_core import (
    CoreSchema,
    ErrorDetails,
    InitErrorDetails,
    PydanticCustomError,
    PydanticKnownError,
    ValidationError,
    core_schema,
)

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


class OneOf:
    """The annotation of a field: one of the tables of ``kinds``, which the column ``tag`` names.

    ``short`` turns what a user may write instead of a table into one.
    """

    def __init__(
        self,
        tag: str,
        kinds: Callable[[], Iterable[str]],
        table: Callable[[str], type[Table]],
        short: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self._tag, self._kinds, self._table, self._short = tag, kinds, table, short

    def check(self, value: Any) -> Table:
        """The table that this value is."""
        value = self._short(value)
        if isinstance(value, Table):
            return value
        if not isinstance(value, Mapping):
            raise PydanticKnownError("dict_type")
        if self._tag not in value:
            raise PydanticKnownError("union_tag_not_found", {"discriminator": self._tag})
        kind, kinds = value[self._tag], list(self._kinds())
        if kind not in kinds:
            expected = ", ".join(kinds)
            context = {"discriminator": self._tag, "tag": str(kind), "expected_tags": expected}
            raise PydanticKnownError("union_tag_invalid", context)
        return self._table(kind).model_validate(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        union: Any = Union[tuple(map(self._table, self._kinds()))]  # noqa: UP007
        tagged = TypeAdapter(Annotated[union, Field(discriminator=self._tag)])
        return handler(tagged.core_schema)
