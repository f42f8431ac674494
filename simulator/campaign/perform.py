"""How is a job done, in whatever process?  Its runs go from their checkpoints to their ends.

A job is plain data.  It tells how far it is, and what is kept of every run that has ended.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from simulator import plugins
from simulator.campaign.runner import Tell
from simulator.campaign.task import Job, Task
from simulator.campaign.words import fraction, where
from simulator.scenario.scenario import Scenario
from simulator.system.messages import LOG
from simulator.training.checkpoint import Keeper
from simulator.training.dry_run import simulate
from simulator.training.record import End, Run

MOMENT = 0.2
"""Seconds between two words on how far a run is."""


class Working(NamedTuple):
    """What a job is at, and the share of its run that is done."""

    doing: str
    share: float


class Done(NamedTuple):
    """A run has ended."""

    key: str
    end: End
    kept: Any


@plugins.blamed
def perform(name: str, job: Job, tell: Tell) -> None:
    """Do a job.  Interrupted runs are told, too, before the interruption goes on from here."""
    scenarios = [task.scenario() for task in job.tasks]

    def ended(at: int, run: Run) -> None:
        tell(Working(f"{run.method}, seed {run.seed}: recording", fraction(run, scenarios[at])))
        tell(Done(job.tasks[at].key, run.end, job.keep(scenarios[at], run)))

    watch = _watching(scenarios[0], tell)
    if job.tasks[0].plane == "training":
        _train(job, scenarios, ended, watch)
        return
    for at, (task, scenario) in enumerate(zip(job.tasks, scenarios, strict=True)):
        simulate(scenario, partial(ended, at), watch, keep_steps=task.plane == "steps")


def _keeper_of(job: Job, task: Task, scenario: Scenario) -> Keeper | None:
    """The checkpoints of a run, if its campaign has any."""
    if job.checkpoints is None:
        return None
    return Keeper(job.checkpoints, task.key, scenario.fingerprint(), LOG.warning)


def _train(
    job: Job,
    scenarios: list[Scenario],
    ended: Callable[[int, Run], None],
    watch: Callable[[Run], None],
) -> None:
    from simulator.training.checkpoint import Member
    from simulator.training.laboratory import laboratory_of

    members = [
        Member(scenario, _keeper_of(job, task, scenario))
        for task, scenario in zip(job.tasks, scenarios, strict=True)
    ]
    laboratory_of(scenarios[0]).train(members, ended, watch)


def _watching(scenario: Scenario, tell: Tell) -> Callable[[Run], None]:
    """Tells now and then how far a run is."""
    latest = 0.0

    def watch(run: Run) -> None:
        nonlocal latest
        if time.monotonic() - latest > MOMENT:
            latest = time.monotonic()
            tell(Working(where(run, scenario), fraction(run, scenario)))

    return watch
