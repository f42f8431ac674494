"""How do tests run a scenario?  What the scenarios of a file have in common is compiled once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.campaign.run import RunOptions, run
from simulator.objectives.objective import Values
from simulator.scenario.scenario import Scenario
from simulator.training import laboratory
from simulator.training.checkpoint import Member
from simulator.training.dry_run import simulate
from simulator.training.executor import BatchedExecutor, Executor
from simulator.training.jax_setup import prepare
from simulator.training.laboratory import Laboratory, Watch, laboratory_of
from simulator.training.record import Run


@pytest.fixture(autouse=True, scope="module")
def compiled_once() -> Iterator[None]:
    """All objectives of a file are held: a new one would compile the same functions again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(laboratory, "MOST_OBJECTIVES", 1000)
        yield
    laboratory._laboratories.clear()


def run_scenario(
    scenario: Scenario,
    *,
    watch: Watch = lambda run: None,
    executor: Callable[[Values], Executor] = BatchedExecutor,
) -> Iterator[Run]:
    """Every method on every seed; an interrupted one is the last."""
    prepare()
    own = laboratory_of(scenario)
    if executor is not BatchedExecutor:
        own = Laboratory(own.objective, executor)
    for seed in scenario.seeds:
        for label in scenario.methods:
            found: list[Run] = []
            member = Member(scenario.restrict([label], [seed]))
            interrupted = False
            try:
                own.train([member], lambda at, run, found=found: found.append(run), watch)  # type: ignore[misc]
            except KeyboardInterrupt:
                interrupted = True
            yield from found
            if interrupted:
                return


def run_schedules(scenario: Scenario) -> Iterator[Run]:
    """The schedule of every method on every seed."""
    for seed in scenario.seeds:
        for label in scenario.methods:
            found: list[Run] = []
            simulate(scenario.restrict([label], [seed]), found.append)
            yield from found


def run_in(directory: Path, scenario: Scenario, **options: Any) -> tuple[Path, int]:
    """A whole run, written there; its exit code."""
    ran = run(scenario, directory, "", command="", options=RunOptions(quiet=True, **options))
    interrupted = ran.results.manifest["status"] == "interrupted"
    return ran.results.directory, 130 if interrupted else 0 if ran.good else 3
