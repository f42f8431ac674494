"""How is a table refused?  By a line for each mistake, in the words of this project."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails, ValidationError

from algorithms.updates import Decay
from simulator.mistakes import Mistake, all_of, brief, did_you_mean

UNION_BRANCHES = ("float", "int", "constrained-float", "Decay")
"""pydantic's names for the choices of a union."""


def join(path: str, key: str) -> str:
    return f"{path}{'' if key.startswith('[') else '.'}{key}" if path and key else path or key


def dotted(keys: Sequence[int | str]) -> str:
    """A path in the notation of ``--set``.

    >>> dotted(["cluster", "compute", 3])
    'cluster.compute[3]'
    """
    path = ""
    for key in keys:
        path = join(path, f"[{key}]" if isinstance(key, int) else key)
    return path


def refusal(error: ValidationError, tables: dict[str, Any], place: str = "") -> Mistake:
    """All of pydantic's errors as ``path = value: remedy``, in the order of the file.

    ``place`` is the path of a table that is not a whole file.
    """
    errors = _relevant(list(error.errors(include_url=False)))
    errors.sort(key=lambda each: _place(tables, _whole_path(each)))
    return all_of(list(dict.fromkeys(_explain(each, place) for each in errors)))


def _relevant(errors: list[ErrorDetails], depth: int = 0) -> list[ErrorDetails]:
    """The errors without those of unlikely choices of a union.

    Every choice reports errors.  The likely choice has the deepest error that is not just about
    a type.
    """
    found = [each for each in errors if len(each["loc"]) == depth]
    groups: dict[int | str, list[ErrorDetails]] = {}
    for each in errors:
        if len(each["loc"]) > depth:
            groups.setdefault(each["loc"][depth], []).append(each)
    if len(groups) > 1 and all(_is_branch(key, errors[0]["loc"][:depth]) for key in groups):
        best = max(errors, key=lambda e: (len(e["loc"]), not e["type"].endswith("_type")))
        groups = {0: groups[best["loc"][depth]]}
    return found + [each for group in groups.values() for each in _relevant(group, depth + 1)]


def _whole_path(error: ErrorDetails) -> list[int | str]:
    """The path of the key, also for an error of its table."""
    key = error.get("ctx", {}).get("key")
    return [*_as_written(error["loc"]), *([] if key is None else [key])]


def _place(tables: Any, path: Sequence[int | str]) -> list[int]:
    """The position in the file: the index of each key in its table."""
    place = []
    for key in path:
        keys = list(tables) if isinstance(tables, dict) else []
        place.append(keys.index(key) if key in keys else key if isinstance(key, int) else len(keys))
        tables = tables[key] if key in keys else None
    return place


def _explain(error: ErrorDetails, place: str) -> str:
    path = join(place, dotted(_as_written(error["loc"])))
    value, kind = error["input"], error["type"]
    context: dict[str, Any] = error.get("ctx", {})
    if kind in ("missing", "union_tag_not_found"):
        tag = context.get("discriminator", "").strip("'")
        return _missing(path, tag, list(value) if isinstance(value, dict) else [])
    if kind == "label":
        return f"{path}: {error['msg']}"
    if kind in ("unknown_key", "not_said", "not_known"):
        return f"{join(path, context['key'])}: {error['msg']}"
    if kind == "unexpected_keyword_argument":
        return f"{path}: unknown key"
    if kind == "union_tag_invalid":
        return _unknown_tag(error["loc"], path, context)
    message = _in_our_words(error["msg"])
    if kind == "predicate_failed":
        message = message.replace("_", " ")
    if isinstance(value, dict | Decay) or path == place:
        return f"{path}: {message}" if path else message
    return f"{path} = {brief(repr(value))}: {message}"


def _missing(path: str, tag: str, keys: Sequence[str]) -> str:
    """A missing key; or the key of the same table that may be a misspelt ``tag``."""
    for key in get_close_matches(tag, keys, n=1):
        return f"{join(path, key)}: unknown key; {did_you_mean(key, [tag])}"
    return f"{join(path, tag)}: is missing"


def _unknown_tag(location: Sequence[int | str], path: str, context: dict[str, Any]) -> str:
    known = [word.strip(" '") for word in context["expected_tags"].split(",")]
    hint = did_you_mean(context["tag"], known)
    if hint.startswith("known"):
        hint += "; name a plug-in with others by --plugin"
    if location[0] == "methods":
        return f"{path}: no method '{context['tag']}'; {hint}"
    return f"{join(path, context['discriminator'].strip(chr(39)))} = {context['tag']!r}: {hint}"


def _in_our_words(message: str) -> str:
    if "dictionary" in message:
        return "must be a table"
    for foreign, own in (
        ("Input should be", "must be"),
        ("List should have", "must have"),
        ("Dictionary should have", "must have"),
        ("a valid integer", "a whole number"),
        ("valid ", ""),
        ("Predicate '", ""),
        ("' failed", ""),
    ):
        message = message.replace(foreign, own)
    return re.sub(r" after validation, not \d+", "", message)


def _as_written(location: Sequence[int | str]) -> list[int | str]:
    """The path as the user wrote it, without the names that pydantic gives a union's branches."""
    return [key for at, key in enumerate(location) if not _is_branch(key, location[:at])]


def _is_branch(key: int | str, path: Sequence[int | str]) -> bool:
    return isinstance(key, str) and ("[" in key or key in _branches(path))


def _branches(path: Sequence[int | str]) -> set[str]:
    if path and path[0] == "benchmarks" and len(path) == 2:
        return {"exact", "tolerance", "claim"}
    return set() if path and path[0] == "methods" and len(path) < 3 else set(UNION_BRANCHES)
