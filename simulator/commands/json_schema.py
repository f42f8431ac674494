"""Which JSON Schema describes scenarios, sweeps and suites to an editor?"""

from collections.abc import Callable
from typing import Any

from algorithms.methods import METHODS
from simulator.gate.suite_file import ClaimTable, ExactTable, SuiteTable, ToleranceTable
from simulator.objectives.catalogue import OBJECTIVES
from simulator.scenario.scenario import Scenario
from simulator.sweeps.sweep_file import SweepTable
from simulator.table import Table


def json_schema() -> dict[str, Any]:
    """The schema of a scenario file; a method's label names the method, as in the loader."""
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
    # The loader adds the method of a known label, so a file may leave it out.
    for name in METHODS:
        table = schema["$defs"][references[name].rsplit("/", 1)[-1]]
        table["properties"]["method"]["description"] = "the method, under a label of your own"
        _require_settings_or_theory(name, table)
    for objective in OBJECTIVES.values():
        _require_kind(schema["$defs"][objective.__name__])
    # Older versions of pydantic shorten the docstring, which has an example.
    schema["$defs"]["Decay"]["description"] = "scale * (k + offset)^-exponent at step k"
    return schema


def sweep_schema() -> dict[str, Any]:
    return _schema(SweepTable, "straggle sweep")


def suite_schema() -> dict[str, Any]:
    schema = _schema(SuiteTable, "straggle suite")
    for benchmark in (ExactTable, ToleranceTable, ClaimTable):
        _require_kind(schema["$defs"][benchmark.__name__])
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


def _require_kind(table: dict[str, Any]) -> None:
    """In code the class implies the kind; a file must name it."""
    table["properties"]["kind"].pop("default", None)
    table["required"] = ["kind", *table.get("required", ())]


def _require_settings_or_theory(method: str, table: dict[str, Any]) -> None:
    """Without ``theory``, a file must give all settings; no value is null."""
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
