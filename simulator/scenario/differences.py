"""In what do two tables differ?  Key by key, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.mistakes import brief
from simulator.scenario.toml_text import inline


def differences(now: Any, then: Any, path: str = "") -> Iterator[str]:
    """A line for every key that differs.  None is what is not said.

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
