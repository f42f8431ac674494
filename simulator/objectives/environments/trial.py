"""Does an environment survive its first step?  A process of its own tries it.

Gymnasium's own environments do.  Those of others, and models from files, are tried once: a crash in
this process would end the command without a message.
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
    """Raise a one-line ValueError if the process that tries the environment dies or hangs."""
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
    """Whether gymnasium brings the environment; ``open_environment`` refuses unknown ones."""
    import gymnasium

    spec = gymnasium.registry.get(name)
    return ":" not in name and (spec is None or str(spec.entry_point).startswith(OWN))


@cache
def _tried(name: str, options: str) -> int | None:
    """The exit code of a process that plays a first step; None if it takes too long."""
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
    with suppress(Exception):  # ``open_environment`` raises it again, with a better message
        _try(sys.argv[1], json.loads(sys.argv[2]))
    os._exit(0)  # without closing the environment, which may crash
