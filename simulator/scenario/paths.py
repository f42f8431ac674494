"""How is a key of a scenario named?  By its path, such as ``cluster.compute[2]``.

``a.b[2]`` is an entry of a list, counted from 0, or with ``[-1]`` from its end; ``a.*.b`` is every
existing ``b``.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

from simulator.mistakes import Mistake, brief
from simulator.refusal import join

METHOD = re.compile(r"methods\.([^.\[]+)(.*)")
"""The path of a key of a method: its label, or ``*``, and the rest."""
WHOLE = {"law", "kind", "bandwidth", "latency"}
"""A table with one of these keys is a value; any other continues the path."""
EXAMPLE = "write it as path=value, such as stop.seconds=500"


def override(tables: dict[str, Any], setting: str) -> None:
    """Set a key as ``--set`` does; the value is TOML, or else a string.

    >>> tables = {"stop": {"seconds": 5}, "methods": {"a": {"batch": 1}, "b": {"batch": 2}}}
    >>> override(tables, "stop.seconds=7.5"); override(tables, "methods.*.batch=9"); tables
    {'stop': {'seconds': 7.5}, 'methods': {'a': {'batch': 9}, 'b': {'batch': 9}}}
    """
    path, equals, text = setting.partition("=")
    place = f"--set {brief(setting)}"
    if not equals:
        raise Mistake(f"{place}: {EXAMPLE}")
    put(tables, path, _value(text.strip()), place)


def _value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    except (RecursionError, ValueError) as error:
        raise Mistake(f"--set {brief(text)}: cannot be read: {error}") from None
    return parsed["value"] if len(parsed) == 1 else text  # one value, no second line


def get(tables: Any, path: str, default: Any = None) -> Any:
    """The value at a path.

    >>> get({"cluster": {"compute": [1, 2]}}, "cluster.compute[-1]"), get({}, "stop.steps", 5)
    (2, 5)
    """
    return _get(tables, _keys(path), default)


def _get(place: Any, keys: Sequence[str], default: Any) -> Any:
    for key in keys:
        try:
            place = place[_index(key) if isinstance(place, list) else key]
        except (KeyError, IndexError, TypeError):
            return default
    return place


def put(tables: Any, path: str, value: Any, place: str) -> None:
    """Set the value at a path; ``place`` names the option or key in which the path stands."""
    try:
        keys = _keys(path)
        if not all(keys):
            raise KeyError(EXAMPLE)
        _put(tables, keys, value, "")
    except KeyError as error:
        raise Mistake(f"{place}: {error.args[0]}") from None


def _put(place: Any, keys: list[str], value: Any, path: str) -> None:
    key, rest = keys[0], keys[1:]
    if key == "*" and isinstance(place, dict) and rest:
        chosen = [at for at in place if _get(place[at], rest, ...) is not ...]
        if not chosen:
            raise KeyError(f"nothing in {path} has {'.'.join(rest)}")
        for at in chosen:
            _put(place[at], rest, value, join(path, at))
    elif isinstance(place, list) and key == "seconds" and rest:
        _put(place, rest, value, path)  # a list of durations is short for a table with seconds
    elif rest:
        inner = _inside(place, key, path)
        if isinstance(place, dict):
            place.setdefault(inner, {})
        _put(place[inner], rest, value, join(path, key))
    else:
        place[_inside(place, key, path)] = value


def _inside(place: Any, key: str, path: str) -> Any:
    """A key of a table, or an index of a list; a KeyError with one line if there is none."""
    if isinstance(place, dict) and not key.startswith("["):
        return key
    if not isinstance(place, list):
        raise KeyError(f"{path} is not a {'list' if key.startswith('[') else 'table'}")
    index = _index(key)
    if index is None:
        raise KeyError(f"{path} is a list; name an entry of it by its number, such as {path}[0]")
    if not -len(place) <= index < len(place):
        raise KeyError(f"{path} has {len(place)} entries, from [0]")
    return index


def _keys(path: str) -> list[str]:
    return [key.strip() for key in path.replace("[", ".[").split(".")]


def _index(key: str) -> int | None:
    """2 for ``[2]``; None for a key that is no index."""
    found = re.fullmatch(r"\[(-?\d+)\]", key, re.ASCII)
    return int(found[1]) if found else None


def flat(table: dict[str, Any], place: str) -> dict[str, Any]:
    """The values of a table by their paths; dotted keys may be quoted or not.

    >>> flat({"stop": {"steps": 5}, "cluster.compute": {"law": "power"}}, "set")
    {'stop.steps': 5, 'cluster.compute': {'law': 'power'}}
    """
    found: dict[str, Any] = {}
    for path, value in _flat(table, ""):
        if path in found:
            raise Mistake(f"{place}.{path}: is given twice; name it once")
        found[path] = value
    return found


def _flat(table: dict[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    """TOML reads ``stop.seconds = 5`` as nested tables, and keeps a path only in quotes."""
    for key, value in table.items():
        path = f"{before}.{key}" if before else key
        if isinstance(value, dict) and not _is_value(path, key, value):
            yield from _flat(value, path)
        else:
            yield path, value


def _is_value(path: str, key: str, value: dict[str, Any]) -> bool:
    """Whether a table is a value, and does not continue the path."""
    of_a_method = METHOD.fullmatch(path)
    return bool(WHOLE & value.keys()) or ("." in key and not (of_a_method and not of_a_method[2]))
