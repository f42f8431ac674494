"""How does a file become a scenario?  Finding it, ``--set``, and its mistakes, a line each."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from algorithms.updates import Decay
from simulator import plugins
from simulator.mistakes import Mistake, all_of, check_all, did_you_mean
from simulator.scenario import prescription
from simulator.scenario.scenario import Scenario

UNION_BRANCHES = ("float", "int", "constrained-float", "Decay")
"""What pydantic calls the choices of a key that may be one of several things."""
HERE = Path(__file__).resolve().parent.parent
SHIPPED = (HERE / "shipped", HERE.parent / "scenarios")
"""Where the scenarios lie that come with the package: installed, and in a source tree."""
SWEEPS, SUITES = "sweeps/", "suites/"
"""The folders beside them in which the sweeps and the suites lie."""


def shipped() -> dict[str, Path]:
    """The scenarios that come with straggle, by name."""
    others = (SWEEPS, SUITES)
    return {name: path for name, path in _shipped().items() if not name.startswith(others)}


def shipped_sweeps() -> dict[str, Path]:
    """The sweeps that come with it, by name."""
    return _shipped_in(SWEEPS)


def shipped_suites() -> dict[str, Path]:
    """The suites of benchmarks that come with it, by name."""
    return _shipped_in(SUITES)


def _shipped_in(folder: str) -> dict[str, Path]:
    found = _shipped().items()
    return {name.removeprefix(folder): path for name, path in found if name.startswith(folder)}


def _shipped() -> dict[str, Path]:
    for folder in SHIPPED:
        if folder.is_dir():
            found = sorted(folder.rglob("*.toml"))
            return {path.relative_to(folder).with_suffix("").as_posix(): path for path in found}
    return {}


def load(source: str, settings: Iterable[str] = ()) -> Scenario:
    """A scenario from a path or a shipped name, with ``path=value`` settings applied.

    >>> load("straggler", ["cluster.workers=10", "seeds=[7]"]).seeds
    [7]
    """
    return check(*tables_of(source, settings))


def tables_of(source: str, settings: Iterable[str] = ()) -> tuple[dict[str, Any], Path]:
    """What a scenario file says, overridden but not checked, and the folder it lies in."""
    path = _find(source)
    tables = parse(path)
    if "scenario" in tables and "cluster" not in tables:
        raise Mistake(_is_a_sweep(source))
    if "benchmarks" in tables and "cluster" not in tables:
        raise Mistake(_is_a_suite(source))
    for setting in settings:
        override(tables, setting)
    return tables, path.parent


def check(tables: dict[str, Any], folder: Path = Path()) -> Scenario:
    """A scenario from plain tables, or the mistakes in them.

    A file that the scenario names is looked for from the scenario's own ``folder``.
    """
    scenario = of_tables(tables).found_from(folder)
    check_all([scenario.check, lambda: prescription.check(scenario)])
    return scenario


def of_tables(tables: dict[str, Any]) -> Scenario:
    """A scenario of the right form, or the mistakes in it."""
    plugins.load()
    try:
        return Scenario.model_validate(tables)
    except ValidationError as error:
        raise refusal(error, tables) from None


def override(tables: dict[str, Any], setting: str) -> None:
    """Set a key by its dotted path; the value is TOML, or else a string.

    >>> tables = {"stop": {"seconds": 5}, "methods": {"a": {"batch": 1}, "b": {"batch": 2}}}
    >>> override(tables, "stop.seconds=7.5"); override(tables, "methods.*.batch=9"); tables
    {'stop': {'seconds': 7.5}, 'methods': {'a': {'batch': 9}, 'b': {'batch': 9}}}
    """
    path, equals, text = setting.partition("=")
    if not equals:
        raise Mistake(f"--set {_brief(setting)}: write it as path=value, such as stop.seconds=500")
    try:
        put(tables, path, _value(text.strip()))
    except KeyError as error:
        raise Mistake(f"--set {_brief(setting)}: {error.args[0]}") from None


def put(tables: Any, path: str, value: Any) -> None:
    """Set a key by its path; a KeyError with one line if there is no such place.

    ``a.b[2]`` is an entry of a list, from 0, or with ``[-1]`` from its end; ``a.*.b`` every ``b``
    that there is.
    """
    keys = [key.strip() for key in path.replace("[", ".[").split(".")]
    if not all(keys):
        raise KeyError("write it as path=value, such as stop.seconds=500")
    _put(tables, keys, value, "")


def _put(place: Any, keys: list[str], value: Any, path: str) -> None:
    key, rest = keys[0], keys[1:]
    if key == "*" and isinstance(place, dict) and rest:
        chosen = [at for at in place if _there(place[at], rest)]
        if not chosen:
            raise KeyError(f"nothing in {path} has {'.'.join(rest)}")
        for one in chosen:
            _put(place[one], rest, value, _join(path, one))
        return
    if isinstance(place, list) and key == "seconds" and rest:
        _put(place, rest, value, path)  # a list of durations is short for a table with seconds
        return
    if isinstance(place, list) and (index := _index(key)) is not None:
        if not -len(place) <= index < len(place):
            raise KeyError(f"{path} has {len(place)} entries, from [0]")
        at: Any = index
    elif isinstance(place, dict) and not key.startswith("["):
        at = key
    elif isinstance(place, list):
        raise KeyError(f"{path} is a list; name an entry of it by its number, such as {path}[0]")
    else:
        raise KeyError(f"{path} is not a {'list' if key.startswith('[') else 'table'}")
    if not rest:
        place[at] = value
        return
    if isinstance(place, dict):
        place.setdefault(at, {})
    _put(place[at], rest, value, _join(path, key) if at == key else path + key)


def _there(place: Any, keys: list[str]) -> bool:
    """Whether there is such a key already."""
    for key in keys:
        if not isinstance(place, dict) or key not in place:
            return False
        place = place[key]
    return True


def _index(key: str) -> int | None:
    inner = key[1:-1]
    there = key.startswith("[") and key.endswith("]") and inner.removeprefix("-").isdecimal()
    return int(inner) if there else None


def _is_a_sweep(source: str) -> str:
    return f"{source}: is a sweep, not a scenario; straggle sweep {source} runs it"


def _is_a_suite(source: str) -> str:
    return f"{source}: is a suite of benchmarks, not a scenario; straggle check {source} runs it"


def _value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    except (RecursionError, ValueError) as error:
        raise Mistake(f"--set {_brief(text)}: cannot be read: {error}") from None
    return parsed["value"] if len(parsed) == 1 else text  # one value, no second line


def _find(source: str) -> Path:
    if not source:
        raise Mistake("no scenario: name a file or a shipped scenario")
    path = Path(source)
    if path.is_file():
        return path
    known = shipped()
    name = source.removesuffix(".toml").removeprefix("scenarios/")
    if name in known:
        return known[name]
    if name.removeprefix(SWEEPS) in shipped_sweeps():
        raise Mistake(_is_a_sweep(source))
    if name.removeprefix(SUITES) in shipped_suites():
        raise Mistake(_is_a_suite(source))
    if path.is_dir():
        raise Mistake(f"{source}: is a directory, not a scenario file")
    raise Mistake(f"{source}: no such file or shipped scenario; {did_you_mean(name, known)}")


def parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{path}: not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise Mistake(f"{path}: cannot be read: not a text file") from None
    except OSError as error:
        raise Mistake(f"{path}: cannot be read: {error.strerror}") from None
    except (RecursionError, ValueError) as error:
        raise Mistake(f"{path}: cannot be read: {_brief(str(error))}") from None


def refusal(error: ValidationError, tables: dict[str, Any]) -> Mistake:
    """All of pydantic's errors as ``path = value: what it must be``, in the order of the file."""
    found = _meant(list(error.errors(include_url=False)))
    found.sort(key=lambda each: _place(tables, _whole_path(each)))
    return all_of(list(dict.fromkeys(map(_explain, found))))


def _meant(errors: list[ErrorDetails], depth: int = 0) -> list[ErrorDetails]:
    """The errors without those of the choices that the user did not mean.

    Where a key may be one of several things, each of them complains.  The complaint that went
    deepest, and not just about the type, is about what the user meant.
    """
    found = [each for each in errors if len(each["loc"]) == depth]
    groups: dict[int | str, list[ErrorDetails]] = {}
    for each in errors:
        if len(each["loc"]) > depth:
            groups.setdefault(each["loc"][depth], []).append(each)
    if len(groups) > 1 and all(_is_branch(key, errors[0]["loc"][:depth]) for key in groups):
        best = max(errors, key=lambda e: (len(e["loc"]), not e["type"].endswith("_type")))
        groups = {0: groups[best["loc"][depth]]}
    return found + [each for group in groups.values() for each in _meant(group, depth + 1)]


def _whole_path(error: ErrorDetails) -> list[int | str]:
    """Down to the key, also where the error is one of its table."""
    key = error.get("ctx", {}).get("key")
    return [*_as_written(error["loc"]), *([] if key is None else [key])]


def _place(tables: Any, path: Sequence[int | str]) -> list[int]:
    """Where a file says this: the number of each key in its table."""
    place = []
    for key in path:
        keys = list(tables) if isinstance(tables, dict) else []
        place.append(keys.index(key) if key in keys else key if isinstance(key, int) else len(keys))
        tables = tables[key] if key in keys else None
    return place


def _explain(error: ErrorDetails) -> str:
    path, value, kind = _dotted(_as_written(error["loc"])), error["input"], error["type"]
    context: dict[str, Any] = error.get("ctx", {})
    if kind in ("missing", "union_tag_not_found"):
        tag = context.get("discriminator", "").strip("'")
        return f"{_join(path, tag)}: is missing"
    if kind == "label":
        return f"{path}: {error['msg']}"
    if kind in ("unknown_key", "not_said", "not_known"):
        return f"{_join(path, context['key'])}: {error['msg']}"
    if kind == "unexpected_keyword_argument":
        return f"{path}: unknown key"
    if kind == "union_tag_invalid":
        return _unknown_tag(error["loc"], path, context)
    message = _in_our_words(error["msg"])
    if kind == "predicate_failed":
        message = message.replace("_", " ")
    if isinstance(value, dict | Decay) or not path:
        return f"{path}: {message}" if path else message
    return f"{path} = {_brief(repr(value))}: {message}"


def _unknown_tag(location: Sequence[int | str], path: str, context: dict[str, Any]) -> str:
    known = [word.strip(" '") for word in context["expected_tags"].split(",")]
    hint = did_you_mean(context["tag"], known)
    if location[0] == "methods":
        return f"{path}: no method '{context['tag']}'; {hint}"
    return f"{_join(path, context['discriminator'].strip(chr(39)))} = {context['tag']!r}: {hint}"


def _in_our_words(message: str) -> str:
    if "dictionary" in message:
        return "must be a table"
    for theirs, ours in (
        ("Input should be", "must be"),
        ("List should have", "must have"),
        ("Dictionary should have", "must have"),
        ("a valid integer", "a whole number"),
        ("valid ", ""),
        ("Predicate '", ""),
        ("' failed", ""),
    ):
        message = message.replace(theirs, ours)
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


def _dotted(path: Sequence[int | str]) -> str:
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path and key else path or key


def _brief(value: Any) -> str:
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
