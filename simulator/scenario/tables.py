"""Which tables describe laws and methods in a scenario?

A law's table is made from the fields of its dataclass, a method's from the parameters of its two
factories.  So a law or method that joins its registry is known to scenario files and to the JSON
Schema without a line here.
"""

from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeVar

from annotated_types import Ge, Gt, Le
from pydantic import ConfigDict, Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from algorithms.method import Method
from algorithms.methods import METHODS
from algorithms.theory import Problem
from algorithms.updates import Decay
from simulator.cluster import LAWS, Law, Link, Seconds, Speed, Wire
from simulator.cluster.network import NO_TIME
from simulator.cluster.speeds import SPEEDS
from simulator.table import OneOf, Table

T = TypeVar("T")


class LawTable(Table):
    """A law of durations; its numbers are checked where durations are drawn."""

    model_config = ConfigDict(allow_inf_nan=True)

    law: str

    def build(self) -> Law:
        law = LAWS[self.law]
        return law(**_built(self, law))

    def as_tables(self) -> Any:
        """The table; for the fixed law its number or list."""
        tables = super().as_tables()
        fixed = self.law == "fixed" and len(tables) == 2
        return tables["seconds"] if fixed else tables

    def __repr__(self) -> str:
        return repr(self.build())


class TransferTable(LawTable):
    """A law of transfer times; for dimension d, times ``d**dimension_power``."""

    dimension_power: Annotated[float, Ge(-10), Le(10)] = 0.0

    def link(self) -> Link:
        return Seconds(self.build(), self.dimension_power)

    def __repr__(self) -> str:
        return repr(self.link() if self.dimension_power else self.build())


class SpeedTable(Table):
    """A law of speeds; its numbers are checked where the speeds are made."""

    model_config = ConfigDict(allow_inf_nan=True)

    law: str

    def build(self) -> Speed:
        speed = SPEEDS[self.law]
        return speed(**_built(self, speed))

    def __repr__(self) -> str:
        return repr(self.build())


def _built(table: Table, described: type) -> dict[str, Any]:
    """The values of the described dataclass's fields, in which laws are built as well."""
    values = ((field.name, getattr(table, field.name)) for field in fields(described))
    return {name: v.build() if isinstance(v, LawTable) else v for name, v in values}


@cache
def _table_of(name: str, described: type, base: type[Table]) -> type[Any]:
    """The table of a registered law: its columns are the law's fields."""
    columns: dict[str, Any] = {"law": (Literal[name], ...)}
    varies = getattr(described, "varies", True)
    for field in fields(described):
        kind = steady_law(rearranged=varies) if field.type is Law else field.type
        columns[field.name] = (kind, ... if field.default is MISSING else field.default)
    title = described.__name__ + base.__name__.removesuffix("Table")
    summary = (described.__doc__ or "").split("\n\n")[0]
    return create_model(title, __base__=base, __doc__=summary, **columns)


def law_of(base: type[LawTable]) -> Any:
    """The type of a field that takes a number, a list of one per worker, or a law's table."""
    choice = OneOf("law", LAWS.keys, lambda name: _table_of(name, LAWS[name], base), _as_table)
    return Annotated[base, choice, Shorthand()]


def any_speed() -> Any:
    """The type of a field that takes the table of a law of speeds."""

    def table(name: str) -> type[Table]:
        return _table_of(name, SPEEDS[name], SpeedTable)

    choice = OneOf("law", SPEEDS.keys, table, lambda value: _of_object(value, SPEEDS))
    return Annotated[SpeedTable, choice]


def checked(kind: type[T], value: object) -> T:
    """The table that a checked field holds; code may have given a law or a number."""
    assert isinstance(value, kind)
    return value


def steady_law(rearranged: bool = True) -> Any:
    """The type of a law inside another law, in a field of type ``Law``.

    A random law holds any steady law; a steady law holds one that holds no further law.
    """

    def holds_a_law(law: type) -> bool:
        return any(field.type in (Law, "Law") for field in fields(law))

    def names() -> list[str]:
        steady = {name: law for name, law in LAWS.items() if not law.varies}
        return [name for name, law in steady.items() if rearranged or not holds_a_law(law)]

    choice = OneOf("law", names, lambda name: _table_of(name, LAWS[name], LawTable), _as_table)
    return Annotated[LawTable, choice, Shorthand()]


class WireTable(Table):
    """Latency and bandwidth: a vector takes ``latency + bytes / bandwidth``."""

    model_config = ConfigDict(allow_inf_nan=True)

    law: Literal["wire"] = "wire"
    bandwidth: Any
    latency: Any = None

    def link(self) -> Link:
        latency = self.latency.build() if self.latency else NO_TIME
        return Wire(self.bandwidth.build(), latency)

    def __repr__(self) -> str:
        return repr(self.link())


def any_link() -> Any:
    """The type of a link: a law of transfer times, or a table with a bandwidth."""
    latency = law_of(LawTable) | None
    columns: dict[str, Any] = {
        "bandwidth": (steady_law(), Field(description="bytes per second")),
        "latency": (latency, Field(default=None, description="seconds that every message costs")),
    }
    wire = create_model("Wire", __base__=WireTable, __doc__=WireTable.__doc__, **columns)

    def table(name: str) -> type[Table]:
        return wire if name == "wire" else _table_of(name, LAWS[name], TransferTable)

    choice = OneOf("law", lambda: [*LAWS, "wire"], table, _as_link)
    return Annotated[Table, choice, Shorthand()]


def _as_link(value: Any) -> Any:
    """A ``Wire``, or a table with a bandwidth instead of a law, becomes the table of a wire."""
    if isinstance(value, Wire):
        free = {} if value.latency == NO_TIME else {"latency": value.latency}
        return {"law": "wire", "bandwidth": value.bandwidth, **free}
    if isinstance(value, Seconds):
        law = _as_table(value.law)
        return {**law, "dimension_power": value.dimension_power} if isinstance(law, dict) else law
    wired = isinstance(value, dict) and any(str(key)[:3] in ("ban", "lat") for key in value)
    if isinstance(value, dict) and value.keys() == {"latency"}:
        message = "a latency alone; add a bandwidth, or give the seconds as a number: upload = 0.5"
        raise PydanticCustomError("law", "{message}", {"message": message})
    if wired and "law" not in value:  # misspelt or not
        return {"law": "wire", **value}
    return value if isinstance(value, WireTable) else _as_table(value)


def _as_table(value: Any) -> Any:
    """A number, or a list of one per worker, becomes the table of the fixed law."""
    if isinstance(value, int | float | list) and not isinstance(value, bool):
        return {"law": "fixed", "seconds": value}
    value = _of_object(value, LAWS)
    if not isinstance(value, dict | LawTable):
        message = "must be a number, a list of one per worker, or the table of a law"
        raise PydanticCustomError("law", "{message}", {"message": message})
    return value


def _of_object(value: Any, registry: Mapping[str, type]) -> Any:
    """The table of a registered dataclass; any other value unchanged."""
    for name, described in registry.items():
        if type(value) is described:
            return {"law": name, **{f.name: getattr(value, f.name) for f in fields(described)}}
    if is_dataclass(value) and not isinstance(value, type):
        message = f"no law is registered as {type(value).__name__}; register it, or name another"
        raise PydanticCustomError("law", "{message}", {"message": message})
    return value


class Shorthand:
    """Adds the short forms of ``_as_table`` to the JSON Schema."""

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Any:
        number = {"type": "number"}
        return {"anyOf": [number, {"type": "array", "items": number}, handler(core)]}


class TheoryTable(Table):
    """The accuracy for which theory chooses a method's settings (docs/theory.md)."""

    eps: Annotated[float, Gt(0)] = Field(description="how small the gradient's norm is to be")
    factor: Annotated[float, Ge(1)] = Field(
        default=1.0,
        description="boldness: so many times longer steps and smaller batches than proven",
    )
    hessian_smoothness: Annotated[float, Ge(0)] | None = Field(
        default=None,
        description="in place of the objective's own: any larger one is a bound as well",
    )
    limit: Annotated[int, Ge(1)] = Field(
        default=10_000_000, description="gradients; a run that would need more is refused"
    )


class MethodTable(Table):
    """A method and its settings."""

    method: str
    theory: TheoryTable | None = Field(default=None, description="chooses settings not given here")

    def as_tables(self) -> dict[str, Any]:
        tables = super().as_tables().items()
        return {name: asdict(v) if isinstance(v, Decay) else v for name, v in tables}

    def settings(self) -> dict[str, Any]:
        """Given or default settings; None is for theory to choose."""
        others = ("method", "theory")
        return {name: getattr(self, name) for name in type(self).model_fields if name not in others}

    @model_validator(mode="before")
    @classmethod
    def _check_theory(cls, table: Any) -> Any:
        name = cls.model_fields["method"].default
        wanted = isinstance(table, Mapping) and table.get("theory") is not None
        if wanted and METHODS[name].prescribe is None:
            known = ", ".join(sorted(n for n, method in METHODS.items() if method.prescribe))
            text = f"prescribes no settings for {name}, but for: {known}"
            raise PydanticCustomError("not_known", "{text}", {"key": "theory", "text": text})
        return table

    @model_validator(mode="after")
    def _check_complete(self) -> Self:
        if self.theory is None:
            for name, parameter in METHODS[self.method].parameters().items():
                if parameter.default is parameter.empty and getattr(self, name) is None:
                    raise PydanticCustomError("not_said", "is missing", {"key": name})
        return self


def method_table(name: str) -> type[MethodTable]:
    """The table of a registered method."""
    return _method_table(name, METHODS[name])


def class_name(method: str) -> str:
    """The class of a method's table.

    >>> class_name("rennala-nigt")
    'RennalaNigt'
    """
    return "".join(word.capitalize() for word in method.split("-"))


@cache
def _method_table(name: str, method: Method) -> type[MethodTable]:
    columns: dict[str, Any] = {"method": (Literal[name], name)}
    chosen = _chosen_by_theory(method)
    for parameter in method.parameters().values():
        kind, default = parameter.annotation, parameter.default
        if default is parameter.empty:
            default = ...
            if parameter.name in chosen:
                kind, default = kind | None, None
        columns[parameter.name] = (kind, default)
    return create_model(class_name(name), __base__=MethodTable, __doc__=method.summary, **columns)


def _chosen_by_theory(method: Method) -> Collection[str]:
    """The settings that theory can choose: the same for every problem."""
    if method.prescribe is None:
        return ()
    some = Problem(smoothness=1.0, hessian_smoothness=1.0, deviation=1.0, gap=1.0)
    return method.prescribe(some, 1.0, 1, 1.0).settings.keys()
