"""What is the smallest piece of work?  One method on one seed of one scenario, as plain data."""

import hashlib
from collections.abc import Callable, Collection, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from simulator import plugins
from simulator.estimate import estimate
from simulator.results.writer import PACKAGES
from simulator.scenario import loading
from simulator.scenario.scenario import Scenario
from simulator.training.record import Run
from simulator.training.schedules import schedule_key

Plane: TypeAlias = Literal["training", "schedule", "steps"]
"""Compute gradients, or only simulate the schedule, and in the last case keep its steps."""
Keep: TypeAlias = Callable[[Scenario, Run], Any]
"""Makes the stored data of a run; processes must be able to pickle the function and the data."""


class Task(NamedTuple):
    """One run.  Its key is a hash of its content, so a store finds it again."""

    tables: dict[str, Any]
    folder: Path
    """Relative paths in the scenario start here."""
    method: str
    seed: int
    plane: Plane
    key: str
    schedule: str
    """Equal for tasks that share a schedule."""
    seconds: float
    """Estimated, on one core."""

    def scenario(self) -> Scenario:
        """The scenario of this run alone."""
        scenario = loading.of_tables(self.tables).found_from(self.folder)
        return scenario.restrict([self.method], [self.seed])


class Files(NamedTuple):
    """Files that a process writes when a run has ended."""

    folder: Path
    write: Callable[[Path, Scenario, Run], None]


class Job(NamedTuple):
    """Tasks of one schedule, which are done together."""

    tasks: list[Task]
    keep: Keep
    checkpoints: Path | None
    files: Files | None = None
    live: bool = False
    """Whether to report the evaluated steps of runs while they train."""


def tasks_of(
    tables: dict[str, Any],
    folder: Path,
    scenario: Scenario,
    plane: Plane = "training",
    *,
    fitting: bool = True,
) -> Iterator[Task]:
    """All runs of a scenario that was read from these tables.

    ``fitting`` refuses a run that needs too much memory or would never end.
    """
    judge = estimate.check if fitting else estimate.estimate
    seconds = judge(scenario, plane != "training").seconds
    for method in scenario.methods:
        for seed in scenario.seeds:
            only = scenario.restrict([method], [seed])
            key = key_of(only, method, seed) + ("" if plane == "training" else f"-{plane}")
            schedule = schedule_key(only) if plane == "training" else key
            yield Task(tables, folder, method, seed, plane, key, schedule, seconds[method])


def key_of(
    scenario: Scenario, method: str, seed: int, versions: Collection[str] | None = None
) -> str:
    """A run's key: the same in every campaign, another with other versions of packages."""
    only = scenario.restrict([method], [seed])
    used = sorted(map(str, plugins.used(only.canonical()).values()))
    content = [only.fingerprint(), *(versions or _versions()), *used]
    return f"{method}-{seed}-{hashlib.sha256(str(content).encode()).hexdigest()[:16]}"


@cache  # looking versions up takes longer than hashing a scenario
def _versions() -> list[str]:
    return [version(name) for name in PACKAGES]
