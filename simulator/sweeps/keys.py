"""Which methods does a key of a sweep concern?

A *key* is a path as in ``--set``.  A key below ``methods`` is a setting: it concerns the named
method, or with ``methods.*`` each method that has it, and multiplies the runs of no other.  Every
other key, such as the number of workers, is a circumstance: methods are compared within it.
"""

import re
from collections.abc import Sequence
from typing import Any

from algorithms.methods import METHODS
from simulator.scenario import paths
from simulator.scenario.paths import METHOD
from simulator.scenario.scenario import Scenario

Tables = dict[str, Any]


def concerns(tables: Tables, path: str, method: str) -> bool:
    """Whether the runs of a method differ with a key."""
    match = METHOD.fullmatch(path)
    if match is None:
        return True
    return match[1] == method or (match[1] == "*" and has(tables, method, match[2].lstrip(".")))


def has(tables: Tables, method: str, path: str) -> bool:
    """Whether a method has a setting, given or by default."""
    given = paths.get(tables["methods"].get(method), path, ...) is not ...
    return given or path in parameters(tables, method)


def parameters(tables: Tables, method: str) -> Sequence[str]:
    """The names of a method's settings."""
    table = tables["methods"].get(method)
    named = METHODS.get(str(table.get("method", method)) if isinstance(table, dict) else method)
    return list(named.parameters()) if named else []


def own(path: str, method: str) -> str:
    """The path for one method: ``*`` is replaced by its label."""
    return path.replace("methods.*", f"methods.{method}", 1)


def is_of_case(path: str) -> bool:
    """Whether a path is a circumstance."""
    return METHOD.fullmatch(path) is None


def is_circumstance(name: str) -> bool:
    """Whether a column is a circumstance: no setting is called as a table of a scenario.

    >>> is_circumstance("cluster.workers"), is_circumstance("step")
    (True, False)
    """
    return re.split(r"[.\[]", name)[0] in Scenario.model_fields


def column(path: str) -> str:
    """The column of a key: a method's setting without the label.

    >>> column("methods.*.step"), column("cluster.workers")
    ('step', 'cluster.workers')
    """
    match = METHOD.fullmatch(path)
    return match[2].lstrip(".") if match else path
