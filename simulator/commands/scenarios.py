"""How is a scenario run?  From an object, tables, a file, or a shipped name."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from simulator.campaign import run as campaign
from simulator.campaign.run import RunOptions
from simulator.campaign.runner import Runner
from simulator.commands.arguments import (
    check_jobs,
    checked,
    command_of,
    place_of,
)
from simulator.commands.outcome import Results, shown
from simulator.estimate import estimate
from simulator.estimate.remarks import one_of_equal_seeds, remarks, warn
from simulator.mistakes import Mistake, check_argument
from simulator.scenario import loading, prescription
from simulator.scenario.loading import Source
from simulator.scenario.scenario import Scenario
from simulator.system.machine import release_memory
from simulator.tracking import Tracking


def load(source: Source, *settings: str) -> Scenario:
    """A scenario from a path, a shipped name, or tables; ``settings`` change it.

    >>> load("straggler", "cluster.workers=10", "seeds=[7]").seeds
    [7]
    """
    checked("load", source, "Scenario", settings)
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
    runner: Runner | None = None,
    track: str | Sequence[str] = (),
    quiet: bool = False,
    anyway: bool = False,
) -> Results:
    """``straggle run``: run every method on every seed.

    Without ``out``, the files lie in a temporary directory that vanishes with the results.  With
    several ``jobs`` (None: as many as pay), a script (but no notebook) needs
    ``if __name__ == "__main__":``.  A ``runner`` such as ``Ray()`` does the runs elsewhere.
    ``track`` sends the metrics to sinks such as ``"tensorboard"``.

    >>> short = 'objective={kind="quadratic", dimension=5}', "stop={steps=3}"
    >>> found = run("straggler", *short, methods="afedpg", seeds=7, quiet=True)
    >>> found.runs["steps"].tolist(), found.manifest["command"].split()[-4:]
    ([3], ['--methods', 'afedpg', '--seeds', '7'])
    """
    methods, seeds = checked("run", source, "Scenario", settings, methods, seeds, jobs)
    scenario = loading.load(source, settings).restrict(methods, seeds)
    place = place_of(out, track)
    warn(scenario)
    if schedule_only:
        scenario = one_of_equal_seeds(scenario)
    temporary = place.keeper is not None
    command = shlex.join(command_of("run", source, settings, methods, seeds))
    with Tracking(track) as tracking:
        options = RunOptions(
            schedule_only, tickets, runner or jobs, not anyway, quiet, tracking, temporary
        )
        ran = campaign.run(scenario, place.path, "", command=command, options=options)
    release_memory()  # a notebook may live for days
    return shown(ran.results, place.keeper)


def resume(
    directory: str | Path,
    *,
    jobs: int | None = 1,
    runner: Runner | None = None,
    track: str | Sequence[str] = (),
    quiet: bool = False,
) -> Results:
    """``straggle run --resume``: finish an interrupted run."""
    check_argument("resume: directory", directory, (str, Path), "give the path of one")
    check_jobs(jobs)
    with Tracking(track) as tracking:
        options = RunOptions(jobs=runner or jobs, quiet=quiet, tracking=tracking)
        ran = campaign.resume(Path(directory), None, options=options)
    return shown(ran.results)


class Valid(NamedTuple):
    """A valid scenario, and notes about its runs."""

    scenario: Scenario
    takes: list[str]
    """The expected time and memory, and the settings that theory chooses."""
    remarks: list[str]
    """Settings that have no effect."""

    def __repr__(self) -> str:
        return "\n".join([*self.takes, *(f"warning: {remark}" for remark in self.remarks)])


def validate(source: Source, *settings: str) -> Valid:
    """``straggle validate``: check a scenario and estimate its runs; raises its mistakes."""
    scenario = load(source, *settings)
    takes = [*estimate.lines(scenario), *prescription.lines(scenario)]
    return Valid(scenario, takes, remarks(scenario))


def schema(kind: Literal["scenario", "sweep", "suite"] = "scenario") -> dict[str, Any]:
    """``straggle schema``: the JSON Schema of a file."""
    from simulator.commands.json_schema import SCHEMAS

    if kind not in SCHEMAS:
        raise Mistake(f"schema: kind = {kind!r}: must be one of {', '.join(SCHEMAS)}")
    return SCHEMAS[kind]()
