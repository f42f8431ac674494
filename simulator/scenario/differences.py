"""In what do two tables differ?  Key by key, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.scenario.toml_text import inline

LONGEST = 60


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
        yield f"{path} is {_brief(now)}, was {_brief(then)}"


def _brief(value: Any) -> str:
    text = "nothing" if value is None else inline(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
