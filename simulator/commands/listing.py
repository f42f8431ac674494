"""What can a scenario use?  The entries of every registry, a line each."""

import tomllib
from pathlib import Path

from algorithms.methods import METHODS
from simulator.cluster import LAWS
from simulator.cluster.collectives import COLLECTIVES
from simulator.cluster.speeds import SPEEDS
from simulator.objectives.catalogue import OBJECTIVES
from simulator.objectives.environments.catalogue import MODULES, OWN
from simulator.objectives.environments.wrappers import WRAPPERS
from simulator.objectives.tables.policy import POLICIES
from simulator.scenario.files import shipped


def listing() -> dict[str, dict[str, str]]:
    """``straggle list``: by heading, the names, each with a description of one line."""
    return {
        "methods": {name: method.summary for name, method in METHODS.items()},
        "laws of durations": {name: _first_line(law) for name, law in LAWS.items()},
        "laws of speeds": {name: _first_line(speed) for name, speed in SPEEDS.items()},
        "collectives": COLLECTIVES,
        "objectives": {name: _first_line(table) for name, table in OBJECTIVES.items()},
        "policies": {name: _first_line(table) for name, table in POLICIES.items()},
        "environments": {
            **{name: f"of the plug-in {module}" for name, module in MODULES.items()},
            **dict.fromkeys(OWN, "pure JAX, all episodes of a batch at once"),
            "any gymnasium id": "played on the host",
        },
        "wrappers": {
            **{name: _first_line(wrapper) for name, wrapper in WRAPPERS.items()},
            "any class of gymnasium.wrappers": "by its name, on the host",
        },
        # Titles only: checking all these files would take seconds.
        "scenarios": _titles(shipped()),
        "sweeps": _titles(shipped("sweep")),
        "suites": _titles(shipped("suite")),
    }


def _titles(files: dict[str, Path]) -> dict[str, str]:
    return {name: tomllib.loads(path.read_text())["title"] for name, path in files.items()}


def _first_line(described: type) -> str:
    return (described.__doc__ or "").strip().partition("\n")[0].replace("`", "")
