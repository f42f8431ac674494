"""Which keys does a table of a file have?  Types and defaults from the JSON Schema of the code.

The meaning of a key is its description in the schema, or the longer one in ``meanings.toml``.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from inspect import Parameter
from pathlib import Path
from typing import Any

from algorithms.methods import METHODS
from simulator import schema
from simulator.scenario.tables import class_name

DOCS = Path(__file__).resolve().parent.parent
LARGEST = 2**31 - 1
"""A limit that only keeps an integer small enough for an array is not shown."""
LAWS = {
    "Law": ("law of durations", "clusters/index.md#laws-of-durations"),
    "Speed": ("law of speeds", "clusters/index.md#laws-of-speeds"),
    "Transfer": ("link", "clusters/network.md#links"),
}
Schema = dict[str, Any]


@cache
def definitions(kind: str) -> dict[str, Schema]:
    """The tables of a kind of file by their names; the file itself is ``top``."""
    whole = schema(kind)  # type: ignore[arg-type]
    return {"top": whole, **whole["$defs"]}


@cache
def meanings() -> dict[str, dict[str, str]]:
    return tomllib.loads((DOCS / "meanings.toml").read_text(encoding="utf-8"))


def table(folder: Path, kind: str, name: str) -> str:
    """The keys of a table: key, type, default, meaning."""
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    definition = definitions(kind)[name]
    for key, found in definition["properties"].items():
        required = key in definition.get("required", [])
        rows.append(_row(folder, name if kind == "scenario" else kind, key, found, required))
    return "\n".join(rows)


def methods(folder: Path) -> str:
    """Every method and its settings."""
    rows = [f"| `{name}` | {_codes(METHODS[name].parameters())} |" for name in METHODS]
    return "\n".join(["| method | settings |", "| --- | --- |", *rows])


def settings(folder: Path) -> str:
    """The keys of all methods' tables, each once."""
    rows = {}
    for name in METHODS:
        definition = definitions("scenario")[class_name(name)]
        asked = METHODS[name].parameters()
        for key, found in definition["properties"].items():
            required = key in asked and asked[key].default is Parameter.empty
            row = _row(folder, "settings", key, found, required)
            if len(row) > len(rows.get(key, "")):  # the widest type: AFedPG's schedules
                rows[key] = row
    rows.pop("method")  # a method's name is the type of this key
    return "\n".join(
        ["| key | type | default | meaning |", "| --- | --- | --- | --- |", *rows.values()]
    )


def _codes(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _row(folder: Path, table: str, key: str, found: Schema, required: bool) -> str:
    meaning = meanings().get(table, {}).get(key) or found.get("description")
    if not meaning:
        raise KeyError(f"docs/meanings.toml: [{table}] {key}: is missing; say what it means")
    default = "required" if required else _default(found.get("default"))
    meaning = re.sub(r"\]\((?!http|#)", f"]({os.path.relpath(DOCS, folder)}/", meaning)
    meaning = meaning.replace("](./", "](")
    return f"| `{key}` | {_joined(_kinds(found, folder))} | {default} | {meaning} |"


def _joined(kinds: Iterable[str]) -> str:
    *most, last = dict.fromkeys(kinds)
    return f"{', '.join(most)} or {last}" if most else last


def _default(value: Any) -> str:
    if isinstance(value, dict) and value:
        return "its defaults"
    return "none" if value is None else f"`{json.dumps(value)}`"


def _kinds(found: Schema, folder: Path) -> Iterator[str]:
    """The alternatives of a type, in words."""
    if "discriminator" in found:
        yield _law(found, folder)
    elif "anyOf" in found or "oneOf" in found:
        alternatives = found.get("anyOf") or found["oneOf"]
        laws = any("discriminator" in each and "law" in str(each) for each in alternatives)
        for each in alternatives:
            if each.get("type") != "null" and not (laws and each.get("type")):
                yield from _kinds(each, folder)
    elif "enum" in found or "const" in found:
        yield from (f"`{json.dumps(value)}`" for value in found.get("enum", [found.get("const")]))
    elif found.get("type") == "array":
        inner = _joined(_kinds(found.get("items", {}), folder))
        inner = re.sub(r"^(integer|float|table|string)\b", r"\1s", inner)
        yield f"{found['minItems']} {inner}" if found.get("maxItems") else f"list of {inner}"
    elif found.get("type") in ("integer", "number"):
        yield {"integer": "integer", "number": "float"}[found["type"]] + _limits(found)
    else:
        yield {"string": "string", "boolean": "boolean"}.get(found.get("type", ""), "table")


def _law(found: Schema, folder: Path) -> str:
    name = str(next(iter(found["discriminator"]["mapping"].values())))
    for suffix, (words, place) in LAWS.items():
        if name.endswith(suffix):
            return f"[{words}]({os.path.relpath(DOCS / place, folder)})"
    return "table"


def _limits(found: Schema) -> str:
    low, high = found.get("minimum"), found.get("maximum")
    above, below = found.get("exclusiveMinimum"), found.get("exclusiveMaximum")
    high = None if high == LARGEST else high
    if low is not None and high is not None:
        return f", {low:g} to {high:,}" if isinstance(high, int) else f", {low:g} to {high:g}"
    parts = {">": above, "≥": low, "<": below, "≤": high}
    return ",".join(f" {sign} {value:g}" for sign, value in parts.items() if value is not None)
