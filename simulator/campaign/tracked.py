"""How do trackers know a run?  By its name, and by all settings, also those that theory chooses."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from simulator.campaign.task import Task
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.tracking import TrackedRun, Tracking

LONGEST = 100
"""Characters of a folder."""


def track(tracking: Tracking, task: Task, apart: str) -> TrackedRun:
    """A run for the sinks: ``METHOD-SEED``, in a folder that tells equally named runs apart."""
    name = "/".join(filter(None, [_folder(apart), f"{task.method}-{task.seed}"]))
    return tracking.run(name, lambda: all_settings(task.scenario()))


def _folder(words: str) -> str:
    """Words such as ``step = 0.1, batch = 2`` as the name of a folder.

    >>> _folder("step = 0.1, batch = 2"), _folder('file = "a/b.csv"')
    ('step=0.1,batch=2', 'file=a-b.csv~3929')
    """
    short = words.replace(" = ", "=").replace(", ", ",").replace('"', "")
    plain = re.sub(r"[^\w.,=+\[\]{} -]", "-", short)[:LONGEST]
    if plain == short:
        return plain
    return f"{plain}~{hashlib.sha256(words.encode()).hexdigest()[:4]}"


def all_settings(scenario: Scenario) -> dict[str, Any]:
    """The settings of a scenario of one run, by the paths of their keys."""
    (label,) = scenario.methods
    chosen = {f"methods.{label}.{k}": v for k, v in settings_of(scenario, label).items()}
    plain = to_jsonable_python(dict(_leaves(scenario.canonical())) | chosen)
    return {key: value for key, value in plain.items() if value is not None}


def _leaves(tables: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value
