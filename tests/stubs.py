"""Which names and arguments are public, for editors and type checkers?  ``make stubs`` writes it.

The names are those of ``simulator.HOMES``; a method's arguments are those of its two factories.
"""

import inspect
import types
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from algorithms.methods import METHODS
from simulator import HOMES
from simulator.plugins.registry import origins
from simulator.scenario.tables import class_name, method_table

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = '"""Written by ``make stubs``: do not edit."""'
METHODS_HEAD = f"""\
{WRITTEN}

from typing import Any, Literal

from algorithms.updates import Decay
from simulator.scenario.tables import MethodTable, TheoryTable
"""


def stubs() -> dict[Path, str]:
    """What is to stand in each file."""
    return {
        ROOT / "simulator" / "__init__.pyi": names(),
        ROOT / "simulator" / "scenario" / "methods.pyi": methods(),
    }


def names() -> str:
    """Where every public name comes from."""
    lines = []
    for home, public in HOMES.items():
        module = import_module(home)
        inner = {name: f"{name}Table" for name in public if hasattr(module, f"{name}Table")}
        lines += [f"from {home} import {inner.get(name, name)} as {name}" for name in public]
    listed = "".join(f'    "{name}",\n' for public in HOMES.values() for name in public)
    return f"{WRITTEN}\n\n" + "\n".join(sorted(lines)) + f"\n\n__all__ = [\n{listed}]\n"


def methods() -> str:
    """A class with typed arguments for every method that is shipped."""
    shipped = [name for name in METHODS if ("methods", name) not in origins]
    return "\n".join([METHODS_HEAD, *map(_class, shipped)])


def _class(name: str) -> str:
    method, columns = METHODS[name], method_table(name).model_fields
    types = {key: _written(each.annotation) for key, each in method.parameters().items()}
    required = [f"{key}: {kind}" for key, kind in types.items() if columns[key].is_required()]
    optional = [f"{key}: {kind}" for key, kind in types.items() if not columns[key].is_required()]
    if method.prescribe:
        optional.append("theory: TheoryTable | dict[str, Any] | None")
    arguments = [*required, *(f"{each} = ..." for each in optional)]
    written = "".join(f"        {each},\n" for each in arguments)
    return (
        f"class {class_name(name)}(MethodTable):\n"
        f'    """{method.summary[0].upper()}{method.summary[1:]}."""\n\n'
        "    def __init__(\n        self,\n        *,\n"
        f"{written}    ) -> None: ...\n"
    )


def _written(kind: Any) -> str:
    return " | ".join(dict.fromkeys(_parts(kind)))


def _parts(kind: Any) -> list[str]:
    """The choices of a type, as they are written, without their limits."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _parts(inner[0])
    if origin in (Union, types.UnionType):
        return [part for each in inner for part in _parts(each)]
    if origin is Literal:
        return [f"Literal[{', '.join(map(repr, inner))}]".replace("'", '"')]
    if origin is list:
        return [f"list[{' | '.join(_parts(inner[0]))}]"]
    return ["None"] if kind is type(None) else [inspect.formatannotation(kind).rpartition(".")[2]]


if __name__ == "__main__":
    for file, text in stubs().items():
        file.write_text(text, encoding="utf-8")
