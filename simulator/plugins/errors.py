"""Which plug-in raised an error?"""

import re
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from simulator.mistakes import Mistake

P = ParamSpec("P")
T = TypeVar("T")

FRAME = re.compile(r'File "(.+)", line (\d+)')
"""A line's name in a traceback."""
files: dict[str, str] = {}
"""The sources of all plug-ins, each with the name of its plug-in."""


def blame(error: BaseException) -> BaseException:
    """A mistake that names the plug-in whose code raised this error; other errors unchanged."""
    plugin, place = _place_of(error)
    if not place or place in str(error):
        return error
    if not isinstance(error, Mistake):
        return Mistake(f"{place}: {in_a_line(error)} (--debug shows all)")
    if named(plugin) in str(error):  # the engine names the method's plug-in, but not the line
        return Mistake(*(line.replace(named(plugin), f"({place})") for line in error.args))
    return error.within(place)


def named(plugin: str) -> str:
    """The plug-in's name behind a method's label."""
    return f"(plug-in {plugin})"


def blamed(act: Callable[P, T]) -> Callable[P, T]:
    """The same function with blamed errors, which can also be sent to another process."""

    @wraps(act)
    def wrapped(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return act(*arguments, **named)
        except Exception as error:
            if (mistake := blame(error)) is not error:
                raise mistake from error
            raise

    return wrapped


def in_a_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _place_of(error: BaseException) -> tuple[str, str]:
    """The last plug-in in the traceback, and its line; empty without a plug-in."""
    lines = FRAME.findall("".join(traceback.format_exception(error))) if files else []
    for file, line in reversed(lines):
        if plugin := files.get(file):
            name = Path(file).name
            return plugin, f"plug-in {plugin}, {'' if name == plugin else f'{name}, '}line {line}"
    return "", ""
