"""What does the package ``simulator`` offer?  Read from its signatures and docstrings."""

import inspect
import re
from pathlib import Path
from typing import Any

import simulator
from simulator.commands.outcome import Shown

WIDE = 88
"""Characters of a signature that stands on one line."""


def functions(folder: Path, *names: str) -> str:
    """A section for each: signature, and docstring with its example."""
    return "\n\n".join(_section(name, getattr(simulator, name)) for name in names)


def classes(folder: Path, module: str) -> str:
    """The same for all public names of a module."""
    return functions(folder, *simulator.HOMES[module])


def _section(name: str, thing: Any) -> str:
    parts = [f"### {name}", _fenced("python", _signature(name, thing)), *_documented(thing)]
    if isinstance(thing, type):
        parts += _members(thing)
    return "\n\n".join(part for part in parts if part)


def _signature(name: str, thing: Any) -> str:
    if isinstance(thing, type) and issubclass(thing, (Exception, Shown)):
        return f"class {name}"  # users receive these, and make none
    arguments, answer = _arguments(thing)
    line = f"{name}({', '.join(arguments)}){answer}"
    if len(line) <= WIDE:
        return line
    return "\n".join([f"{name}(", *(f"    {each}," for each in arguments), f"){answer}"])


def _arguments(thing: Any) -> tuple[list[str], str]:
    columns = getattr(thing, "model_fields", None)
    if columns:
        written = [
            _field(key, column)
            for key, column in columns.items()
            if not (key in ("kind", "method") and str(column.annotation).startswith("typing.Lit"))
        ]
        return sorted(written, key=lambda each: "=" in each), ""
    signature = inspect.signature(thing)
    answer = signature.return_annotation
    arrow = "" if answer in (inspect.Signature.empty, None) else f" -> {_type(answer)}"
    arrow = "" if isinstance(thing, type) else arrow
    return [*_star(signature)], arrow


def _star(signature: inspect.Signature) -> list[str]:
    found, named = [], False
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not named:
            found += [] if any(one.startswith("*") for one in found) else ["*"]
            named = True
        found.append(_parameter(each))
    return found


def _parameter(each: inspect.Parameter) -> str:
    star = "*" if each.kind is each.VAR_POSITIONAL else ""
    kind = "" if each.annotation is each.empty else f": {_type(each.annotation)}"
    equals = " = " if kind else "="
    default = "" if each.default is each.empty else f"{equals}{_default(each.default)}"
    return f"{star}{each.name}{kind}{default}"


def _field(key: str, column: Any) -> str:
    if column.is_required():
        return key
    return f"{key}={_default(column.get_default(call_default_factory=True))}"


def _default(value: Any) -> str:
    if isinstance(value, float) and value == float("inf"):
        return "inf"
    if callable(value) and not hasattr(value, "model_fields"):
        return "..."
    return re.sub(r"(\w+)Table\(.*\)", r"\1()", repr(value)).replace("'", '"')


def _type(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text).replace("'", "").replace("Table", "")
    return re.sub(r"Annotated\[(\w+)(?:, \w+\([^)]*\))*\]", r"\1", text)


def _documented(thing: Any) -> list[str]:
    """The paragraphs of a docstring in Markdown; an example is a block of its own."""
    found = []
    for part in (inspect.getdoc(thing) or "").split("\n\n"):
        if part.startswith(">>>"):
            found.append(_fenced("pycon", part))
        else:
            found.append(_marked(part[:1].upper() + part[1:]))
    return found


def _marked(text: str) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", text).replace("  ", " ")


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _members(thing: type) -> list[str]:
    """A table of the methods and properties that a class of this package adds."""
    rows = {}
    for owner in reversed(thing.__mro__):
        if owner.__module__.startswith("simulator") and not issubclass(owner, Exception):
            for name, member in vars(owner).items():
                about = inspect.getdoc(_plain(member))
                if about and _is_shown(name, member, hasattr(thing, "model_fields")):
                    rows[name] = f"| {_call(name, member)} | {_first(about)} |"
    if not rows:
        return []
    return ["\n".join(["| member | what it is |", "| --- | --- |", *rows.values()])]


def _is_shown(name: str, member: Any, of_table: bool) -> bool:
    """Of the many members of a table only those that a notebook needs."""
    if of_table and not name.startswith(("replace", "to_toml", "build")):
        return False
    callable_or_value = isinstance(member, property) or inspect.isfunction(member)
    return callable_or_value and not name.startswith("_")


def _plain(member: Any) -> Any:
    return member.fget if isinstance(member, property) else member


def _call(name: str, member: Any) -> str:
    if isinstance(member, property):
        return f"`{name}`"
    arguments = [each.split(":")[0] for each in _star(inspect.signature(member))[1:]]
    return f"`{name}({', '.join(arguments)})`"


def _first(about: str) -> str:
    text = " ".join(about.split("\n\n")[0].split())
    return _marked(text).replace("|", "\\|")
