"""How are tables written as TOML, and how do two of them differ?"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulator.mistakes import Mistake, brief

BARE = re.compile(r"[A-Za-z0-9_-]+")


def document(tables: dict[str, Any], remarks: Sequence[str] = ()) -> str:
    """The text of a whole file.

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
    """A table's own values, then sections for the tables in it."""
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
            # JSON allows DEL in a string, TOML does not.
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
    return name if BARE.fullmatch(name) else inline(name)


def differences(now: Any, then: Any, path: str = "") -> Iterator[str]:
    """A line for every key that differs; an absent key counts as None.

    >>> list(differences({"a": {"b": 1}}, {"a": {"b": 3, "c": "x"}}))
    ['a.b is 1, was 3', 'a.c is nothing, was "x"']
    """
    if isinstance(now, Mapping) and isinstance(then, Mapping):
        for key in dict.fromkeys([*then, *now]):
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(now.get(key), then.get(key), inner)
    elif now != then:
        yield f"{path} is {_written(now)}, was {_written(then)}"


def _written(value: Any) -> str:
    return "nothing" if value is None else brief(inline(value))
