"""Why can a gymnasium environment not be made, and what is the remedy?  In one line."""

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import version as version_of
from typing import Any

from simulator.mistakes import one_line
from simulator.system.install import install_command, install_packages

EXTRAS = {"mujoco": ("MuJoCo", "mujoco"), "classic_control": ("pygame", "video")}
EXTRAS["toy_text"] = EXTRAS["classic_control"]
"""By folder of gymnasium's environments: the package they need, and straggle's extra for it."""
PACKAGES = {"box2d": ("Box2D", "gymnasium[box2d]"), "phys2d": ("flax", "gymnasium[jax]")}
PACKAGES["tabular"] = PACKAGES["phys2d"]
"""The same for folders without an extra of straggle's, and what to install."""
ATARI = re.compile(r"(?:ale_py:)?ALE/(\w+-v\d)|(\w+)(?:NoFrameskip|Deterministic)-v\d")


@contextmanager
def refusing(name: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Turn any error of the block into a ValueError of one line: environments are foreign code."""
    try:
        yield
    except Exception as problem:
        raise ValueError(refusal(name, options, problem)) from problem


def spec_of(name: str) -> Any:
    """Gymnasium's entry of an environment; imports the module that the name gives, if any."""
    import gymnasium

    module, _, registered = name.rpartition(":")
    if module:
        importlib.import_module(module)
    return gymnasium.spec(registered)


def creator_of(name: str) -> Any:
    """The class or function that makes the environment; imports its module."""
    from gymnasium.envs.registration import load_env_creator

    entry = spec_of(name).entry_point
    return load_env_creator(entry) if isinstance(entry, str) else entry


def refusal(name: str, options: Mapping[str, Any], problem: Exception) -> str:
    """Field, value and remedy."""
    import gymnasium

    spec = gymnasium.registry.get(name.rpartition(":")[2])
    if spec is None:
        return f"environment = {name!r}: {_unregistered(name, problem)}"
    if missing := _missing(str(spec.entry_point), problem):
        return f"environment = {name!r}: {missing}"
    if isinstance(problem, ImportError) and "mujoco" in str(problem):
        return f"environment = {name!r}: {_outdated(name, spec.version)}"
    if "xml_file" in options and isinstance(problem, OSError | ValueError):
        return f"environment_options.xml_file = {options['xml_file']!r}: {_unread(problem)}"
    given = f" with environment_options = {dict(options)}" if options else ""
    return f"environment = {name!r}: cannot be made{given}: {line(problem)}"


def line(problem: Exception) -> str:
    """An error's message in one line; a message of one or two words with the error's type."""
    text = " ".join(str(problem).split())
    return text if text.count(" ") > 1 else one_line(problem)


def newest(name: str) -> str | None:
    """The id of an environment's newest version in gymnasium."""
    return _newest().get(name.rpartition("-v")[0])


def _newest() -> dict[str, str]:
    """The newest ids by name without version."""
    import gymnasium

    oldest_first = sorted(gymnasium.registry.values(), key=lambda spec: spec.version or 0)
    return {spec.id.rpartition("-v")[0]: spec.id for spec in oldest_first}


def _unregistered(name: str, problem: Exception) -> str:
    from gymnasium import error

    if game := ATARI.fullmatch(name):
        written = f"ale_py:ALE/{game[1] or f'{game[2]}-v5'}"
        command = install_packages("gymnasium[atari]")
        return f"Atari's games are ale-py's; {command}, and write {written!r}"
    if isinstance(problem, error.DeprecatedEnv):
        return f"this version is gone; use {newest(name)!r}"
    if isinstance(problem, ModuleNotFoundError) and _names(problem, name):
        module = problem.name
        remedy = f"if {module}.py is yours, --plugin {module}.py loads it"
        return f"cannot be made: there is no module {module!r} on Python's path; {remedy}"
    if isinstance(problem, ImportError):  # raised by the module that registers the environment
        return f"cannot be made: {line(problem)}"
    if latest := newest(f"{name}-v"):
        return f"names no version; use {latest!r}"
    near = get_close_matches(name, _newest().values(), n=3)
    hint = f"; near it are {', '.join(near)}" if near else "; --plugin FILE registers your own"
    return f"gymnasium has no environment of this name{hint}"


def _names(problem: ModuleNotFoundError, name: str) -> bool:
    """Whether the module before the colon is missing, or a package above it."""
    module = name.rpartition(":")[0]
    return problem.name is not None and f"{module}.".startswith(f"{problem.name}.")


def _missing(entry: str, problem: Exception) -> str | None:
    """The package that is not installed, and the command that installs it, if one is missing."""
    from gymnasium import error

    folder = re.match(r"gymnasium\.envs\.(\w+)", entry)
    if not isinstance(problem, error.DependencyNotInstalled | ModuleNotFoundError):
        return None
    if folder and folder[1] in EXTRAS:
        package, extra = EXTRAS[folder[1]]
        return f"{package} is not installed; {install_command(extra)} installs it"
    if folder and folder[1] in PACKAGES:
        package, bringing = PACKAGES[folder[1]]
        return f"{package} is not installed; {install_packages(bringing)} installs it"
    return None


def _outdated(name: str, version: int | None) -> str:
    """MuJoCo's tasks: versions 2 and 3 are gone, and one older task does not run with MuJoCo 3."""
    if version in (2, 3):
        return f"gymnasium no longer has MuJoCo's tasks of versions 2 and 3; use {newest(name)!r}"
    return f"needs MuJoCo before 3, and {version_of('mujoco')} is installed; use {newest(name)!r}"


def _unread(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return (
            "there is no such file; one of yours is written from ./, / or ~, others are "
            "gymnasium's own"
        )
    return f"MuJoCo cannot read it: {line(problem)}"
