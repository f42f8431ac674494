"""Does a gymnasium environment take these options?  Checked before it is made.

Its constructors tell the names of options, and their defaults the types.  Classes hand options on
to the classes they inherit, so all constructors count.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simulator.mistakes import no_such_option

OURS = {
    "id": "the environment is named by its own key",
    "max_episode_steps": "the horizon says how long an episode is",
    "render_mode": "straggle evaluate RUN --video shows a policy",
    "disable_env_checker": "it has no effect on the episodes",
}
"""Arguments of gymnasium.make that only straggle sets, and the reason."""
HANDED_ON = {"model_path", "frame_skip", "observation_space", "default_camera_config"}
"""Arguments that MuJoCo's tasks give to the class they inherit."""


def check_options(name: str, creator: Any, options: Mapping[str, Any]) -> None:
    """Raise a one-line ValueError that names the first option that will not do."""
    known, complete = _parameters(creator)
    for option, value in options.items():
        if option in OURS:
            raise ValueError(f"environment_options.{option}: leave it out; {OURS[option]}")
        if option in known:
            _check(option, value, known[option])
        elif complete:
            raise ValueError(no_such_option(name, option, known))


def _parameters(creator: Any) -> tuple[dict[str, inspect.Parameter], bool]:
    """The options by name, and whether these are all."""
    found: dict[str, inspect.Parameter] = {}
    hidden = {"self", *OURS}
    for constructor in _constructors(creator):
        parameters = inspect.signature(constructor).parameters.values()
        for parameter in parameters:
            named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if named and parameter.name not in hidden:
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return found, True
        hidden |= HANDED_ON
    return found, False


def _constructors(creator: Any) -> Iterable[Callable[..., Any]]:
    """The constructor of a class and those it inherits."""
    if not inspect.isclass(creator):
        return [creator]
    # EzPickle only stores its arguments for copies.
    lineage = (one for one in inspect.getmro(creator) if one.__name__ != "EzPickle")
    return [vars(one)["__init__"] for one in lineage if "__init__" in vars(one)]


def _check(option: str, value: Any, parameter: inspect.Parameter) -> None:
    message = f"environment_options.{option} = {value!r}: must be"
    kind, fits = _kind(parameter)
    if not fits(value):
        raise ValueError(f"{message} {kind}")
    if option == "frame_skip" and value < 1:
        raise ValueError(f"{message} at least 1")


def _kind(parameter: inspect.Parameter) -> tuple[str, Callable[[Any], bool]]:
    """The type of an option's values by its default: in words, and as a test."""
    default = parameter.default
    if "|" in str(parameter.annotation):  # several types
        return "", lambda value: True
    if isinstance(default, bool):
        return "true or false", lambda value: isinstance(value, bool)
    if parameter.annotation in (int, "int"):
        return "a whole number", lambda value: type(value) is int
    if isinstance(default, int | float):
        return "a number", lambda value: type(value) in (int, float)
    if isinstance(default, str):
        return "a string", lambda value: isinstance(value, str)
    if isinstance(default, tuple):
        size = len(default)
        return f"a list of {size}", lambda v: isinstance(v, list | tuple) and len(v) == size
    return "", lambda value: True
