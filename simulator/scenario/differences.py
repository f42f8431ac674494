"""In what do two tables differ?  Key by key, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

MISSING = object()
LONGEST = 60


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Every key that differs: its path, and what was and is there.

    >>> list(differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}))
    [('a.b', '1', '3'), ('a.c', '2', 'nothing')]
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(before.get(key, MISSING), after.get(key, MISSING), inner)
    elif before is MISSING or after is MISSING or before != after:
        yield path, _brief(before), _brief(after)


def _brief(value: Any) -> str:
    text = "nothing" if value is MISSING else repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
