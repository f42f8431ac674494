"""What may stand in a table of a file?  Known keys, with values of their types.

A table may be one of several kinds, which a column names.  Kinds are looked up when a value is
checked.  So a kind that a plug-in registers counts at once, and the tables of unused kinds are
never built.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias, Union

from annotated_types import Ge, Gt, Le
from pydantic import (
    AfterValidator,
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

from simulator.mistakes import did_you_mean, printable
from simulator.refusal import refusal

TAGS = ("kind", "law", "method")
"""Columns that name the kind of a table."""

Count: TypeAlias = Annotated[int, Ge(1), Le(2**31 - 1)]
Workers: TypeAlias = Annotated[int, Ge(1), Le(1_000_000)]
Seed: TypeAlias = Annotated[int, Ge(0), Le(2**32 - 1)]
Seconds: TypeAlias = Annotated[float, Gt(0)]
WorkerNumber: TypeAlias = Annotated[int, Ge(0), Le(999_999)]
Title: TypeAlias = Annotated[str, AfterValidator(printable)]


class Table(BaseModel):
    """A TOML table: no unknown keys, no conversions, immutable.

    A table that is built in code is refused in the same way, under the name of its class.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True
    )

    if not TYPE_CHECKING:  # a type checker needs the columns as arguments

        def __init__(self, **columns: Any) -> None:
            try:
                super().__init__(**columns)
            except ValidationError as error:
                raise refusal(error, columns, self._place()) from None

        # pydantic then calls this in code only, and not for tables of a file.
        __init__.__pydantic_base_init__ = True

    @classmethod
    def _place(cls) -> str:
        """The prefix of the paths in its mistakes."""
        return cls.__name__.removesuffix("Table")

    def as_tables(self) -> dict[str, Any]:
        """Plain data as in a file, without defaults."""
        return {name: plain(value) for name, value in self._given()}

    def _given(self) -> Iterator[tuple[str, Any]]:
        for name, column in type(self).model_fields.items():
            value = getattr(self, name)
            usual = type(value) is type(column.default) and value == column.default
            if value is not None and (name in TAGS or not usual):
                yield name, value

    def __repr_name__(self) -> str:
        return type(self).__name__.removesuffix("Table")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((name, value) for name, value in self._given() if name not in TAGS)

    @model_validator(mode="wrap")
    @classmethod
    def _only_known_keys(cls, table: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Report unknown keys together with the mistakes of known ones."""
        if not isinstance(table, Mapping):
            return validate(table)
        problems = [_unknown(key, cls, table) for key in table if key not in cls.model_fields]
        if not problems:
            return validate(table)
        try:
            validate({key: table[key] for key in table if key in cls.model_fields})
        except ValidationError as error:
            found = error.errors(include_url=False)
            problems += [
                _restated(each, each["loc"]) for each in found if not _follows(each, problems)
            ]
        raise ValidationError.from_exception_data(cls.__name__, problems)


def _unknown(key: object, cls: type[Table], table: Any) -> InitErrorDetails:
    context = {"key": str(key), "hint": did_you_mean(str(key), cls.model_fields)}
    kind = PydanticCustomError("unknown_key", "unknown key; {hint}", context)
    return InitErrorDetails(type=kind, input=table)


def _follows(error: ErrorDetails, unknown: list[InitErrorDetails]) -> bool:
    """Whether the error may follow from an unknown key: a missing key that was misspelt."""
    if not error["loc"]:
        return True
    missed = f"did you mean '{error['loc'][0]}'?"
    hints = [str(each["type"]) for each in unknown]
    return error["type"] == "missing" and any(missed in hint for hint in hints)


def _restated(error: ErrorDetails, place: tuple[int | str, ...]) -> InitErrorDetails:
    kind = PydanticCustomError(error["type"], error["msg"], error.get("ctx"))
    return InitErrorDetails(type=kind, loc=place, input=error["input"])


def _of_short_form(error: ValidationError) -> ValidationError:
    """The same mistakes, without the column that a short form does not name."""
    found = error.errors(include_url=False)
    restated = [_restated(each, each["loc"][1:]) for each in found]
    return ValidationError.from_exception_data(error.title, restated)


def plain(value: Any) -> Any:
    """A value in which every table is a dictionary."""
    if isinstance(value, Table):
        return value.as_tables()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class OneOf:
    """The annotation of a field that holds one of several tables; the column ``tag`` names which.

    ``short`` turns a short form, such as a number, into a table.
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
        """The value as a table of its kind."""
        given, value = value, self._short(value)
        if isinstance(value, Table):
            kind = getattr(value, self._tag, "")
            if kind in self._kinds() and isinstance(value, self._table(kind)):
                return value
            known = {"known": ", ".join(self._kinds())}
            raise PydanticCustomError("kind", "is another table; known: {known}", known)
        if not isinstance(value, Mapping):
            raise PydanticKnownError("dict_type")
        if self._tag not in value:
            raise PydanticKnownError("union_tag_not_found", {"discriminator": self._tag})
        kind, kinds = value[self._tag], list(self._kinds())
        if kind not in kinds:
            expected = ", ".join(kinds)
            context = {"discriminator": self._tag, "tag": str(kind), "expected_tags": expected}
            raise PydanticKnownError("union_tag_invalid", context)
        try:
            return self._table(kind).model_validate(value)
        except ValidationError as error:
            if isinstance(given, int | float | list):
                raise _of_short_form(error) from None
            raise

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
