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
"""Whether gradients are computed, or only the schedule is simulated; with a record of its steps."""
Keep: TypeAlias = Callable[[Scenario, Run], Any]
"""Makes of a run what is kept of it: plain data; a function that processes can share."""


class Task(NamedTuple):
    """One run.  Its key is made of its content, so a store finds it again."""

    tables: dict[str, Any]
    folder: Path
    """Where the files that the scenario names are looked for."""
    method: str
    seed: int
    plane: Plane
    key: str
    schedule: str
    """Equal for tasks whose schedules are one."""
    seconds: float
    """Estimated, of one core."""

    def scenario(self) -> Scenario:
        """The scenario of this run alone."""
        found = loading.of_tables(self.tables).found_from(self.folder)
        return found.restrict([self.method], [self.seed])


class Job(NamedTuple):
    """Tasks of one schedule, which are done together."""

    tasks: list[Task]
    keep: Keep
    checkpoints: Path | None
    """The folder in which runs under way write down where they are."""


def tasks_of(
    tables: dict[str, Any],
    folder: Path,
    scenario: Scenario,
    plane: Plane = "training",
    *,
    fitting: bool = True,
) -> Iterator[Task]:
    """All runs of a scenario, which was read from these tables; ``fitting`` refuses too much."""
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
    """The same for the same run, in whatever campaign it is; another with other packages."""
    only = scenario.restrict([method], [seed])
    brought = sorted(map(str, plugins.used(only.canonical()).values()))
    whole = [only.fingerprint(), *(versions or _versions()), *brought]
    return f"{method}-{seed}-{hashlib.sha256(str(whole).encode()).hexdigest()[:16]}"


@cache
def _versions() -> list[str]:
    """Of what computes; to look them up takes longer than to hash a scenario."""
    return [version(name) for name in PACKAGES]
