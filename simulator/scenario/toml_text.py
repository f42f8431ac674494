"""How is a scenario written as TOML?  Top-level keys, then a section per table."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from simulator.mistakes import Mistake

BARE = re.compile(r"[A-Za-z0-9_-]+")


def document(tables: dict[str, Any], remarks: Sequence[str] = ()) -> str:
    """A whole file, which is read back as the same tables.

    >>> print(document({"seeds": [0], "methods": {"a.b": {"step": 0.5}}}, ("why",)), end="")
    # why
    seeds = [0]
    <BLANKLINE>
    [methods."a.b"]
    step = 0.5
    """
    lines = [f"# {remark}" for remark in remarks]
    return "\n".join([*lines, *_section(tables, ())]) + "\n"


def _section(table: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    """A table's own values, then the tables in it; of methods and the like, one level down."""
    below = {name: value for name, value in table.items() if _is_section(value, path)}
    own = [f"{key(name)} = {inline(v)}" for name, v in table.items() if name not in below]
    heading = ["", f"[{'.'.join(map(key, path))}]"] if path and (own or not below) else []
    deeper = [line for name, value in below.items() for line in _section(value, (*path, name))]
    return [*heading, *own, *deeper]


def _is_section(value: Any, path: tuple[str, ...]) -> bool:
    return isinstance(value, dict) and path in ((), ("methods",))


def inline(value: Any) -> str:
    """A value on one line.

    >>> inline({"law": "fixed", "seconds": [1, 2.5, float("inf")], "on": True})
    '{ law = "fixed", seconds = [1, 2.5, inf], on = true }'
    """
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return _float(value)
        case str():
            # The one character that JSON lets stand and TOML does not.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return f"[{', '.join(map(inline, value))}]"
        case dict():
            inner = ", ".join(f"{key(name)} = {inline(item)}" for name, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case None:
            raise Mistake("None: TOML has no such value; leave the key out")
        case _:
            return str(value)


def _float(value: float) -> str:
    if math.isfinite(value):
        text = repr(value)
        return text if any(mark in text for mark in ".e") else f"{text}.0"
    return "nan" if math.isnan(value) else f"{'-' if value < 0 else ''}inf"


def key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if BARE.fullmatch(name) else inline(name)
