"""How is a scenario run?  From an object, what a file says, a file, or a shipped name."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from simulator.campaign import run as campaign
from simulator.campaign.run import RunOptions
from simulator.campaign.words import warn
from simulator.commands.arguments import (
    check_jobs,
    check_settings,
    check_source,
    command_of,
    numbers_of,
    place_of,
)
from simulator.commands.outcome import Results, shown
from simulator.estimate import estimate
from simulator.estimate.remarks import one_of_equal_seeds, remarks
from simulator.mistakes import Mistake, check_argument, labels_of
from simulator.scenario import loading, prescription
from simulator.scenario.loading import Source
from simulator.scenario.scenario import Scenario
from simulator.system.machine import release_memory


def load(source: Source, *settings: str) -> Scenario:
    """A scenario from a path, a shipped name, or what a file says; ``settings`` change it.

    >>> load("straggler", "cluster.workers=10", "seeds=[7]").seeds
    [7]
    """
    check_source("load", source, "Scenario")
    check_settings("load", settings)
    return loading.load(source, settings)


def run(
    source: Source,
    *settings: str,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    out: str | Path | None = None,
    schedule_only: bool = False,
    tickets: bool | None = None,
    jobs: int | None = 1,
    quiet: bool = False,
    anyway: bool = False,
) -> Results:
    """``straggle run``: every method on every seed, and the results.

    Without ``out`` nothing stays: the files lie in a temporary directory for as long as somebody
    holds the results.  More ``jobs`` than one are processes (None: as many as pay): a script, but
    no notebook, needs ``if __name__ == "__main__":`` for them.

    >>> short = 'objective={kind="quadratic", dimension=5}', "stop={steps=3}"
    >>> found = run("straggler", *short, methods="afedpg", seeds=7, quiet=True)
    >>> found.runs["steps"].tolist(), found.manifest["command"].split()[-4:]
    ([3], ['--methods', 'afedpg', '--seeds', '7'])
    """
    check_source("run", source, "Scenario")
    check_settings("run", settings)
    check_jobs(jobs)
    methods, seeds = labels_of("run", methods), numbers_of("run", seeds)
    scenario = loading.load(source, settings).restrict(methods, seeds)
    place = place_of(out)
    warn(scenario)
    if schedule_only:
        scenario = one_of_equal_seeds(scenario)
    temporary = place.keeper is not None
    options = RunOptions(schedule_only, tickets, jobs, not anyway, quiet, temporary)
    command = shlex.join(command_of("run", source, settings, methods, seeds))
    ran = campaign.run(scenario, place.path, "", command=command, options=options)
    release_memory()  # a notebook may live for days
    return shown(ran.results, place.keeper)


def resume(directory: str | Path, *, jobs: int | None = 1, quiet: bool = False) -> Results:
    """``straggle run --resume``: finish what was begun there."""
    check_argument("resume: directory", directory, (str, Path), "give the path of one")
    check_jobs(jobs)
    ran = campaign.resume(Path(directory), None, options=RunOptions(jobs=jobs, quiet=quiet))
    return shown(ran.results)


class Valid(NamedTuple):
    """A scenario that is right, and what to know before it is run."""

    scenario: Scenario
    takes: list[str]
    """What a run of it takes, and what theory chooses."""
    remarks: list[str]
    """Settings that have no effect."""

    def __repr__(self) -> str:
        return "\n".join([*self.takes, *(f"warning: {remark}" for remark in self.remarks)])


def validate(source: Source, *settings: str) -> Valid:
    """``straggle validate``: what a scenario takes, without running it; mistakes are raised."""
    scenario = load(source, *settings)
    takes = [*estimate.lines(scenario), *prescription.told(scenario)]
    return Valid(scenario, takes, remarks(scenario))


def schema(kind: Literal["scenario", "sweep", "suite"] = "scenario") -> dict[str, Any]:
    """``straggle schema``: the JSON Schema of a file."""
    from simulator.commands.json_schema import SCHEMAS

    if kind not in SCHEMAS:
        raise Mistake(f"schema: kind = {kind!r}: must be one of {', '.join(SCHEMAS)}")
    return SCHEMAS[kind]()
