"""Which methods does a key of a sweep concern?

A *key* is a path as in ``--set``.  Keys below ``methods`` are tuned: they concern the method that
they name, or with ``methods.*`` each that has them; they multiply the runs of no other method.
All other keys are circumstances, such as the number of workers: methods are compared in the same
circumstances.
"""

import re
from collections.abc import Sequence
from typing import Any

from algorithms.methods import METHODS
from simulator.scenario import paths
from simulator.scenario.paths import METHOD
from simulator.scenario.scenario import Scenario

Tables = dict[str, Any]
"""Of a scenario."""


def concerns(tables: Tables, path: str, method: str) -> bool:
    """Whether the runs of a method differ with a key."""
    match = METHOD.fullmatch(path)
    if match is None:
        return True
    return match[1] == method or (match[1] == "*" and has(tables, method, match[2].lstrip(".")))


def has(tables: Tables, method: str, path: str) -> bool:
    """Whether a method has a setting, said or by default."""
    said = paths.get(tables["methods"].get(method), path, ...) is not ...
    return said or path in parameters(tables, method)


def parameters(tables: Tables, method: str) -> Sequence[str]:
    """What can be set of a method."""
    table = tables["methods"].get(method)
    named = METHODS.get(str(table.get("method", method)) if isinstance(table, dict) else method)
    return list(named.parameters()) if named else []


def own(path: str, method: str) -> str:
    """The path that a key is for one method."""
    return path.replace("methods.*", f"methods.{method}", 1)


def is_of_case(path: str) -> bool:
    """Whether it is a circumstance, and not a setting of a method."""
    return METHOD.fullmatch(path) is None


def is_circumstance(name: str) -> bool:
    """The same of a column: settings of methods have other names than a scenario's tables.

    >>> is_circumstance("cluster.workers"), is_circumstance("step")
    (True, False)
    """
    return re.split(r"[.\[]", name)[0] in Scenario.model_fields


def column(path: str) -> str:
    """What a frame calls a key: that of a method without its label.

    >>> column("methods.*.step"), column("cluster.workers")
    ('step', 'cluster.workers')
    """
    match = METHOD.fullmatch(path)
    return match[2].lstrip(".") if match else path
