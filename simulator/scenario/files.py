"""Where is the file of a scenario, sweep or suite?  At a path, or among the shipped files."""

import tomllib
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from simulator.mistakes import Mistake, brief, did_you_mean

Kind: TypeAlias = Literal["scenario", "sweep", "suite"]
Tables: TypeAlias = dict[str, Any]
"""The content of a TOML file."""


class _Kind(NamedTuple):
    folder: str
    """Below that of the shipped scenarios."""
    key: str
    """A top-level key that only this kind has."""
    command: str
    """The command that takes such a file."""


KINDS: dict[Kind, _Kind] = {
    "scenario": _Kind("", "cluster", "run"),
    "sweep": _Kind("sweeps/", "scenario", "sweep"),
    "suite": _Kind("suites/", "benchmarks", "check"),
}
HERE = Path(__file__).resolve().parent.parent
SHIPPED = HERE / "shipped", HERE.parent / "scenarios"
"""The folders of the shipped files: in an installed package, and in a source tree."""


def shipped(kind: Kind = "scenario") -> dict[str, Path]:
    """The shipped files of a kind, by name."""
    root = next(filter(Path.is_dir, SHIPPED), HERE) / KINDS[kind].folder
    paths = sorted(root.rglob("*.toml"))
    files = {path.relative_to(root).with_suffix("").as_posix(): path for path in paths}
    others = tuple(each.folder for each in KINDS.values() if each.folder and kind == "scenario")
    return {name: path for name, path in files.items() if not name.startswith(others)}


def find(kind: Kind, source: str, folder: Path | None = None) -> Path:
    """The file of a path or a shipped name; relative paths start at ``folder``."""
    if not source:
        raise Mistake(f"no {kind}: name a file or a shipped {kind}")
    path = (folder or Path()) / source
    if path.is_file():
        return path
    name = source.removesuffix(".toml").removeprefix("scenarios/")
    for each in KINDS:
        if found := shipped(each).get(name.removeprefix(KINDS[each].folder)):
            if each != kind:
                raise _another(kind, each, source)
            return found
    if path.is_dir():
        raise Mistake(f"{source}: is a directory, not a {kind} file")
    place, beside = (f"{kind} = {source!r}", " beside this one") if folder else (source, "")
    hint = did_you_mean(name.removeprefix(KINDS[kind].folder), shipped(kind))
    raise Mistake(f"{place}: no such file{beside} or shipped {kind}; {hint}")


def read(kind: Kind, source: str, folder: Path | None = None) -> tuple[Tables, Path]:
    """The tables of a file, and its path; a file of another kind is refused."""
    path = find(kind, source, folder)
    tables = _parse(path)
    for each in KINDS:
        if KINDS[each].key in tables and KINDS[kind].key not in tables:
            raise _another(kind, each, source)
    return tables, path


def _another(wanted: Kind, found: Kind, source: str) -> Mistake:
    remedy = f"straggle {KINDS[found].command} {source} runs it"
    return Mistake(f"{source}: is a {found}, not a {wanted}; {remedy}")


def _parse(path: Path) -> Tables:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        hint = "; text needs quotes" if "Invalid value" in str(error) else ""
        raise Mistake(f"{path}: not valid TOML: {error}{hint}") from None
    except UnicodeDecodeError:
        raise Mistake(f"{path}: cannot be read: not a text file") from None
    except OSError as error:
        raise Mistake(f"{path}: cannot be read: {error.strerror}") from None
    except (RecursionError, ValueError) as error:
        raise Mistake(f"{path}: cannot be read: {brief(error)}") from None
