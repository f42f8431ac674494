"""Does an environment survive its first step?  Tried in a process that it can take with it.

Gymnasium's own are known to; what others bring, or models that they are told to load, are tried
once before they are opened here, where a crash would end everything without a word.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from simulator.objectives.environments.quiet import quietly

PATIENCE = 60.0
"""Seconds for an import, a reset and a step."""
OWN = "gymnasium.envs."
MODEL = "xml_file"


def check_survival(name: str, options: Mapping[str, Any]) -> None:
    """Raise a one-line ValueError if a process that tries the environment does not come back."""
    if _is_own(name) and MODEL not in options:
        return
    code = _tried(name, json.dumps(options, sort_keys=True, default=str))
    if code is None:
        raise ValueError(f"environment = {name!r}: its first step takes more than {PATIENCE:g} s")
    if code:
        raise ValueError(
            f"environment = {name!r}: the process that tried its first step died with exit code "
            f"{code}; mend the environment"
        )


def _is_own(name: str) -> bool:
    """Whether gymnasium brings it; what it does not know is refused by whoever opens it."""
    import gymnasium

    spec = gymnasium.registry.get(name)
    return ":" not in name and (spec is None or str(spec.entry_point).startswith(OWN))


@cache
def _tried(name: str, options: str) -> int | None:
    """The exit code of a process that makes it and plays a step; None if it takes too long."""
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", __name__, name, options]
    try:
        return subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": paths, "MUJOCO_GL": "disable"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def _try(name: str, options: Mapping[str, Any]) -> None:
    import gymnasium

    with quietly():
        environment = gymnasium.make(name, disable_env_checker=True, **options)
        environment.action_space.seed(0)
        environment.reset(seed=0)
        environment.step(environment.action_space.sample())


if __name__ == "__main__":
    with suppress(Exception):  # whoever opens it next is told, in better words
        _try(sys.argv[1], json.loads(sys.argv[2]))
    # Without its goodbye: what it has opened is not to be asked to close.
    os._exit(0)
