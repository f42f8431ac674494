"""What may an editor offer while a scenario is written?  The JSON Schema of the format."""

from collections.abc import Callable
from typing import Any

from algorithms.methods import METHODS
from simulator.gate.suite_file import ClaimTable, ExactTable, SuiteTable, ToleranceTable
from simulator.objectives.catalogue import OBJECTIVES
from simulator.scenario.scenario import Scenario
from simulator.sweeps.sweep_file import SweepTable
from simulator.table import Table


def json_schema() -> dict[str, Any]:
    """The schema of a scenario file; a method's label stands for its name, as in the loader."""
    schema = _schema(Scenario, "straggle scenario")
    methods = schema["properties"]["methods"]
    references: dict[str, str] = methods["additionalProperties"]["discriminator"]["mapping"]
    methods["properties"] = {name: {"$ref": references[name]} for name in METHODS}
    methods["additionalProperties"] = {
        "anyOf": [
            {
                "allOf": [{"$ref": references[name]}],
                "properties": {"method": {"const": name}},
                "required": ["method"],
            }
            for name in METHODS
        ]
    }
    # The loader gives the method of a known label, so a file need not.
    for name in METHODS:
        table = schema["$defs"][references[name].rsplit("/", 1)[-1]]
        table["properties"]["method"]["description"] = "the method, under a label of your own"
        _say_it_or_let_theory(name, table)
    for objective in OBJECTIVES.values():
        _say_its_kind(schema["$defs"][objective.__name__])
    # Instead of its docstring, an example in Python included, which older pydantics leave out.
    schema["$defs"]["Decay"]["description"] = "scale * (k + offset)^-exponent at step k"
    return schema


def sweep_schema() -> dict[str, Any]:
    """The schema of a sweep file; its keys and values are those of the scenario it names."""
    return _schema(SweepTable, "straggle sweep")


def suite_schema() -> dict[str, Any]:
    """The schema of a suite file."""
    schema = _schema(SuiteTable, "straggle suite")
    for benchmark in (ExactTable, ToleranceTable, ClaimTable):
        _say_its_kind(schema["$defs"][benchmark.__name__])
    return schema


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "scenario": json_schema,
    "sweep": sweep_schema,
    "suite": suite_schema,
}


def _schema(table: type[Table], title: str) -> dict[str, Any]:
    schema = table.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = title
    return schema


def _say_its_kind(table: dict[str, Any]) -> None:
    """A class names its kind in code; a file has to."""
    table["properties"]["kind"].pop("default", None)
    table["required"] = ["kind", *table.get("required", ())]


def _say_it_or_let_theory(method: str, table: dict[str, Any]) -> None:
    """What theory can choose must be said where it is not asked; and nothing is ever null."""
    needed = [
        name
        for name, parameter in METHODS[method].parameters().items()
        if parameter.default is parameter.empty
    ]
    for name in needed:
        kinds = table["properties"][name].get("anyOf", [])
        if {"type": "null"} in kinds:
            kinds.remove({"type": "null"})
            del table["properties"][name]["default"]
    if METHODS[method].prescribe:
        table["anyOf"] = [{"required": needed}, {"required": ["theory"]}]
    else:
        del table["properties"]["theory"]
