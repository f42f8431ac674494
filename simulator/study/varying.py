"""Which values does a study try, and which keys of a scenario do they set?

``cluster.workers=10:1000:log8`` are 8 values from 10 to 1000 with equal ratios; ``lin`` in place of
``log`` gives equal differences, and ``10,30,100`` lists the values.  Whole ends give whole numbers.
Two names set several keys: ``eps`` the target and the accuracy of theory, ``batch`` the batch of
every method that has one.  Several keys vary together: the k-th values of all belong together.
"""

import copy
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from algorithms.methods import METHODS
from simulator.mistakes import Mistake
from simulator.scenario.paths import put

RANGE = re.compile(r"([^:]+):([^:]+):(log|lin)(\d+)")
DEFAULT = "cluster.workers=10:1000:log8"
MOST = 1000
"""Values of a study."""


class Vary(NamedTuple):
    """The path of a key, its values, and the keys that vary with it."""

    path: str
    values: tuple[float, ...]
    others: "tuple[Vary, ...]" = ()
    """Each with as many values."""

    @property
    def name(self) -> str:
        """The label of an axis."""
        return NAMES.get(self.path, self.path)

    def tables(self, tables: dict[str, Any], value: float) -> dict[str, Any]:
        """A copy of a scenario's tables with this value."""
        varied = copy.deepcopy(tables)
        self._set(varied, value)
        for other in self.others:
            other._set(varied, other.values[self.values.index(value)])
        return varied

    def _set(self, tables: dict[str, Any], value: float) -> None:
        if self.path in SHORT:
            SHORT[self.path](tables, value)
        else:
            put(tables, self.path, value, f"--vary {self.path}")


def together(texts: str | Sequence[str]) -> Vary:
    """Parse ``--vary``, once or several times; the first key is the axis.

    >>> together(["eps=0.4,0.1", "cluster.workers=10,20"]).others
    (Vary(path='cluster.workers', values=(10, 20), others=()),)
    """
    first, *rest = [texts] if isinstance(texts, str) else texts or [DEFAULT]
    axis, others = read(first), tuple(_parse(text, "--vary") for text in rest)
    for other in others:
        if len(other.values) != len(axis.values):
            raise Mistake(
                f"--vary {other.path}: has {len(other.values)} values, and {axis.path} "
                f"{len(axis.values)} different ones; keys that vary together need equally many"
            )
    return axis._replace(others=others)


def read(text: str, option: str = "--vary") -> Vary:
    """Parse ``--vary``, or another option with different values of a key.

    >>> read("cluster.workers=10:1000:log3").values
    (10, 100, 1000)
    >>> read("eps=0.3,0.1").values
    (0.3, 0.1)
    """
    found = _parse(text, option)
    return found._replace(values=tuple(dict.fromkeys(found.values)))


def _parse(text: str, option: str) -> Vary:
    path, equals, values = (part.strip() for part in text.partition("="))
    try:
        if not (path and equals and values):
            raise Mistake("write PATH=START:STOP:logN, or PATH=A,B,…")
        found = _range(values) if ":" in values else [_number(word) for word in values.split(",")]
        if not all(0 < value < np.inf for value in found):
            raise Mistake("must be positive numbers, for axes are logarithmic")
    except Mistake as mistake:
        raise mistake.within(f"{option} {text}") from None
    return Vary(path, tuple(found))


def _range(values: str) -> list[float]:
    parts = RANGE.fullmatch(values)
    if not parts:
        raise Mistake("write a range as START:STOP:logN, such as 10:1000:log8")
    start, stop, count = _number(parts[1]), _number(parts[2]), int(parts[4])
    if not 2 <= count <= MOST:
        raise Mistake(f"{count} values; must be from 2 to {MOST}")
    if parts[3] == "log" and not min(start, stop) > 0:
        raise Mistake("a logarithmic range needs positive ends")
    spaced = np.geomspace if parts[3] == "log" else np.linspace
    found = spaced(start, stop, count).tolist()
    if isinstance(start, int) and isinstance(stop, int):
        return [round(value) for value in found]
    # Six digits are readable, and turn 0.09999999999999999 into 0.1.
    return [float(f"{value:.6g}") for value in found]


def _number(word: str) -> float:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    raise Mistake(f"{word.strip()!r} is not a number")


def _accuracy(tables: dict[str, Any], value: float) -> None:
    """Set the target, and the accuracy of theory where it chooses settings."""
    put(tables, "stop.target", value, "--vary eps")
    for method in tables.get("methods", {}).values():
        if isinstance(method, dict) and isinstance(method.get("theory"), dict):
            method["theory"]["eps"] = value


def _batch(tables: dict[str, Any], value: float) -> None:
    """Set the batch of every method that has one, even if theory would choose it."""
    found = False
    for label, table in tables.get("methods", {}).items():
        method = METHODS.get(table.get("method", label))
        if method and "batch" in method.parameters():
            put(table, "batch", value, "--vary batch")
            found = True
    if not found:
        raise Mistake("--vary batch: no method of the scenario has a batch")


SHORT: dict[str, Callable[[dict[str, Any], float], None]] = {"eps": _accuracy, "batch": _batch}
NAMES = {
    "cluster.workers": "workers n",
    "eps": "accuracy eps (norm of the gradient)",
    "batch": "batch M",
    "network.upload": "seconds of an upload, kappa",
}
