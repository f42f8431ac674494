"""Which values does a study try, and what do they stand for in a scenario?

``cluster.workers=10:1000:log8`` are 8 values from 10 to 1000, evenly apart in their logarithms;
``lin`` in place of ``log`` puts them evenly apart, and ``10,30,100`` names them.  They are whole
numbers where the ends are written as such.  Two names stand for several keys at once: ``eps`` is
the target and what theory aims at, ``batch`` that of every method that has one.
"""

import copy
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from algorithms.methods import METHODS
from simulator.mistakes import Mistake
from simulator.scenario.paths import put

RANGE = re.compile(r"([^:]+):([^:]+):(log|lin)(\d+)")
DEFAULT = "cluster.workers=10:1000:log8"
MOST = 1000
"""Values."""


class Vary(NamedTuple):
    """A key of the scenario, by its path, and the values that it takes."""

    path: str
    values: tuple[float, ...]

    @property
    def name(self) -> str:
        """What an axis says."""
        return NAMES.get(self.path, self.path)

    def tables(self, tables: dict[str, Any], value: float) -> dict[str, Any]:
        """The scenario's tables, with this value."""
        varied = copy.deepcopy(tables)
        if self.path in SHORT:
            SHORT[self.path](varied, value)
        else:
            put(varied, self.path, value, f"--vary {self.path}")
        return varied


def read(text: str, option: str = "--vary") -> Vary:
    """What ``--vary`` says, or another option with values of a key.

    >>> read("cluster.workers=10:1000:log3")
    Vary(path='cluster.workers', values=(10, 100, 1000))
    >>> read("eps=0.3,0.1").values
    (0.3, 0.1)
    """
    path, equals, values = (part.strip() for part in text.partition("="))
    told = f"{option} {text}"
    if not (path and equals and values):
        raise Mistake(f"{told}: write PATH=START:STOP:logN, or PATH=A,B,…")
    found = _range(told, values) if ":" in values else [_number(told, v) for v in values.split(",")]
    distinct = tuple(dict.fromkeys(found))
    if not all(0 < value < np.inf for value in distinct):
        raise Mistake(f"{told}: must be positive numbers, for axes are logarithmic")
    return Vary(path, distinct)


def _range(told: str, values: str) -> list[float]:
    parts = RANGE.fullmatch(values)
    if not parts:
        raise Mistake(f"{told}: write a range as START:STOP:logN, such as 10:1000:log8")
    start, stop, many = _number(told, parts[1]), _number(told, parts[2]), int(parts[4])
    if not 2 <= many <= MOST:
        raise Mistake(f"{told}: {many} values; must be from 2 to {MOST}")
    if parts[3] == "log" and not min(start, stop) > 0:
        raise Mistake(f"{told}: a logarithmic range needs positive ends")
    spaced = np.geomspace if parts[3] == "log" else np.linspace
    found = spaced(start, stop, many).tolist()
    if isinstance(start, int) and isinstance(stop, int):
        return [round(value) for value in found]
    # Fewer digits: a value has to be read, and 0.1 is meant by 0.09999999999999999.
    return [float(f"{value:.6g}") for value in found]


def _number(told: str, word: str) -> float:
    try:
        return int(word)
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        raise Mistake(f"{told}: {word.strip()!r} is not a number") from None


def _accuracy(tables: dict[str, Any], value: float) -> None:
    """The target, and, where theory chooses a method's settings, what it aims at."""
    put(tables, "stop.target", value, "--vary eps")
    for method in tables.get("methods", {}).values():
        if isinstance(method, dict) and isinstance(method.get("theory"), dict):
            method["theory"]["eps"] = value


def _batch(tables: dict[str, Any], value: float) -> None:
    """Of every method that has one, even where theory would choose it."""
    methods = tables.get("methods", {}).items()
    named = {label: METHODS.get(table.get("method", label)) for label, table in methods}
    having = [label for label, method in named.items() if method and "batch" in method.parameters()]
    if not having:
        raise Mistake("--vary batch: no method of the scenario has a batch")
    for label in having:
        put(tables["methods"][label], "batch", value, "--vary batch")


SHORT: dict[str, Callable[[dict[str, Any], float], None]] = {"eps": _accuracy, "batch": _batch}
NAMES = {
    "cluster.workers": "workers n",
    "eps": "accuracy eps (norm of the gradient)",
    "batch": "batch M",
    "network.upload": "seconds of an upload, kappa",
}
