"""How is a method built in code?  By a class of its own, such as ``RennalaNigt``.

The classes are tables of a scenario file, made from the signatures of the methods.  ``methods.pyi``
declares them for editors and type checkers (``make stubs``).
"""

from typing import Any

from algorithms.methods import METHODS
from simulator.scenario.tables import class_name, method_table


def __getattr__(name: str) -> Any:
    for method in METHODS:
        if class_name(method) == name:
            return method_table(method)
    raise AttributeError(f"no method is called {name}")
