"""Are the arguments of a public function valid?  If not, a line says what to give."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

from simulator.mistakes import Mistake, check_argument, labels_of
from simulator.system.messages import LOG
from simulator.table import Table


class Place(NamedTuple):
    path: Path
    keeper: object
    """Removes a temporary directory with the last reference to it; None for a lasting one."""


def place_of(out: str | Path | None, track: str | Sequence[str] = ()) -> Place:
    """A directory for results: ``out``, or a temporary one."""
    check_argument("out", out, (str, Path, NoneType), "give the path of a directory")
    if out is not None:
        return Place(Path(out), None)
    if track:
        LOG.warning("track: the files of a tracker vanish with these results; give out='results/…'")
    keeper = tempfile.TemporaryDirectory(prefix="straggle-")
    return Place(Path(keeper.name), keeper)


def check_source(function: str, source: object, kind: str) -> None:
    remedy = f"give a {kind}, the tables of its file, its path, or the name of a shipped one"
    check_argument(f"{function}: source", source, (str, Path, Table, Mapping), remedy)
    other = type(source).__name__.removesuffix("Table")
    if isinstance(source, Table) and other != kind:
        raise Mistake(f"{function}: source is a {other}; {remedy}")


def checked(
    function: str,
    source: object,
    kind: str,
    settings: Iterable[object] = (),
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    jobs: int | None = None,
) -> tuple[list[str] | None, list[int] | None]:
    """Refuse invalid arguments; returns methods and seeds as lists."""
    check_source(function, source, kind)
    for setting in settings:
        check_argument(f"{function}: a setting", setting, str, "write it as 'path=value'")
    check_jobs(jobs)
    return labels_of(function, methods), numbers_of(function, seeds)


def numbers_of(function: str, seeds: int | Sequence[int] | None) -> list[int] | None:
    """Seeds as a list; a number is one seed, and None means all of the scenario's."""
    remedy = "give whole numbers, 0 or more, such as [0, 1]"
    if seeds is None:
        return None
    numbers: Any = [seeds] if isinstance(seeds, Integral) else seeds
    check_argument(f"{function}: seeds", numbers, Iterable, remedy)
    for seed in numbers:
        check_argument(f"{function}: a seed", seed, Integral, remedy)
        if seed < 0:
            raise Mistake(f"{function}: seeds = {seed}: must be 0 or more")
    return [int(seed) for seed in numbers] or None


def check_jobs(jobs: int | None) -> None:
    if jobs is not None and jobs < 1:
        raise Mistake(f"jobs = {jobs}: must be at least 1")


def command_of(
    name: str,
    source: object,
    settings: Iterable[str] = (),
    methods: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
) -> list[str]:
    """The words of the same command; for an object, the name of the function instead."""
    words = [f"simulator.{name}", type(source).__name__]
    if isinstance(source, str | Path):
        words = ["straggle", name, str(source)]
    words += [word for setting in settings for word in ("--set", setting)]
    words += ["--methods", ",".join(methods)] if methods else []
    words += ["--seeds", ",".join(map(str, seeds))] if seeds else []
    return words
