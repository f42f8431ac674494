"""Which tables may a scenario hold for laws and methods?

Nothing is declared twice: a law's table is made from the law's own fields, a method's from the
parameters of its two factories.  A law or method that joins its registry can be written in a
scenario file, checked, and found in the JSON Schema, without a line here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from typing import Annotated, Any, Literal, Union

from annotated_types import Ge, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from algorithms.methods import METHODS
from simulator.cluster import LAWS, Law
from simulator.mistakes import did_you_mean


class Table(BaseModel):
    """A TOML table: no unknown keys, no conversions, no changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

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


class LawTable(Table):
    """A law of durations; its numbers are judged where durations are drawn."""

    model_config = ConfigDict(allow_inf_nan=True)

    law: str

    def build(self) -> Law:
        law = LAWS[self.law]
        values = {field.name: getattr(self, field.name) for field in fields(law)}  # type: ignore[arg-type]
        for name, value in values.items():
            if isinstance(value, LawTable):
                values[name] = value.build()
        return law(**values)


class TransferTable(LawTable):
    """A law of transfer times: for a vector of dimension d, times d to some power."""

    dimension_power: Annotated[float, Ge(-10), Le(10)] = 0.0


def _law_table(name: str, base: type[LawTable]) -> type[LawTable]:
    law = LAWS[name]
    columns: dict[str, Any] = {"law": (Literal[name], ...)}
    for field in fields(law):  # type: ignore[arg-type]
        kind = steady_law(rearranged=law.varies) if field.type is Law else field.type
        columns[field.name] = (kind, ... if field.default is MISSING else field.default)
    title = law.__name__ + base.__name__.removesuffix("Table")
    summary = (law.__doc__ or "").split("\n\n")[0]
    return create_model(title, __base__=base, __doc__=summary, **columns)


def any_law(base: type[LawTable]) -> Any:
    """The type of a field that takes a number, a list of one per worker, or a law's table."""
    return _number_or([_law_table(name, base) for name in LAWS])


@cache
def steady_law(rearranged: bool = True) -> Any:
    """The type of a law that another law holds in a field of type ``Law``.

    Chance varies any law that does not vary itself; among these, one that rearranges another
    holds a law that does not.
    """
    steady = [name for name, law in LAWS.items() if not law.varies]
    names = [name for name in steady if rearranged or not _holds_a_law(LAWS[name])]
    return _number_or([_law_table(name, LawTable) for name in names])


def _holds_a_law(law: type[Law]) -> bool:
    return any(field.type is Law for field in fields(law))  # type: ignore[arg-type]


def _number_or(tables: list[type[LawTable]]) -> Any:
    return Annotated[_tagged(tables, "law"), BeforeValidator(_as_table), Shorthand()]


def _tagged(tables: Sequence[type[Table]], tag: str) -> Any:
    """One of these tables, told apart by a column."""
    union: Any = Union[tuple(tables)]  # noqa: UP007 (there is no other way to write it)
    return Annotated[union, Field(discriminator=tag)]


def _as_table(value: Any) -> Any:
    """A number, or a list of one per worker, is short for the fixed law."""
    if isinstance(value, int | float | list) and not isinstance(value, bool):
        return {"law": "fixed", "seconds": value}
    if not isinstance(value, dict | LawTable):
        message = "must be a number, a list of one per worker, or the table of a law"
        raise PydanticCustomError("law", "{message}", {"message": message})
    return value


class Shorthand:
    """Tells the JSON Schema what ``_as_table`` allows."""

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Any:
        number = {"type": "number"}
        return {"anyOf": [number, {"type": "array", "items": number}, handler(core)]}


class MethodTable(Table):
    """A method and its settings."""

    method: str

    def settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields if name != "method"}


def _method_table(name: str) -> type[MethodTable]:
    columns: dict[str, Any] = {"method": (Literal[name], name)}
    for parameter in METHODS[name].parameters().values():
        default = ... if parameter.default is parameter.empty else parameter.default
        columns[parameter.name] = (parameter.annotation, default)
    title = "".join(word.capitalize() for word in name.split("-"))
    summary = METHODS[name].summary
    return create_model(title, __base__=MethodTable, __doc__=summary, **columns)


def any_method() -> Any:
    """The type of a method's table, told apart by ``method``."""
    return _tagged([_method_table(name) for name in METHODS], "method")
