"""How does a process do a job, and describe it?  It takes each run from its checkpoint to its end.

A job is plain data.  It reports its progress, and the stored data of every run that has ended.
"""

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from simulator import plugins
from simulator.campaign.runner import Tell
from simulator.campaign.task import Job, Task
from simulator.scenario.scenario import Scenario
from simulator.system.messages import LOG
from simulator.tracking.sink import Point
from simulator.training.checkpoint import Keeper
from simulator.training.dry_run import simulate
from simulator.training.record import End, Run

MOMENT = 0.2
"""Seconds between two reports of progress."""


class Working(NamedTuple):
    """A report: what a job is doing, and which share of its run is done."""

    doing: str
    share: float


class Points(NamedTuple):
    """A report: the newest evaluated steps of a run."""

    key: str
    points: Sequence[Point]


class Done(NamedTuple):
    """A report: a run has ended."""

    key: str
    end: End
    stored: Any


@plugins.blamed
def perform(name: str, job: Job, tell: Tell) -> None:
    """Do a job.  Interrupted runs are reported before the interrupt is raised again."""
    scenarios = [task.scenario() for task in job.tasks]

    def ended(at: int, run: Run) -> None:
        if run.end == "interrupted" and run.metrics and not run.evaluations:
            return  # before its first evaluation, a run has nothing to store
        tell(Working(f"{run.method}, seed {run.seed}: recording", fraction(run, scenarios[at])))
        if job.files:
            job.files.write(job.files.folder, scenarios[at], run)
        tell(Done(job.tasks[at].key, run.end, job.keep(scenarios[at], run)))

    watch = _watching(scenarios[0], tell)
    if job.tasks[0].plane == "training":
        _train(job, scenarios, ended, watch, tell)
        return
    for at, (task, scenario) in enumerate(zip(job.tasks, scenarios, strict=True)):
        simulate(scenario, partial(ended, at), watch, keep_steps=task.plane == "steps")


def _train(
    job: Job,
    scenarios: list[Scenario],
    ended: Callable[[int, Run], None],
    watch: Callable[[Run], None],
    tell: Tell,
) -> None:
    from simulator.training.checkpoint import Member
    from simulator.training.laboratory import laboratory_of

    def keeper(task: Task, scenario: Scenario) -> Keeper | None:
        if job.checkpoints is None:
            return None
        return Keeper(job.checkpoints, task.key, scenario.fingerprint(), LOG.warning)

    def log(key: str, points: Sequence[Point]) -> None:
        tell(Points(key, points))

    members = [
        Member(scenario, keeper(task, scenario), partial(log, task.key) if job.live else None)
        for task, scenario in zip(job.tasks, scenarios, strict=True)
    ]
    laboratory_of(scenarios[0]).train(members, ended, watch)


def _watching(scenario: Scenario, tell: Tell) -> Callable[[Run], None]:
    latest = 0.0

    def watch(run: Run) -> None:
        nonlocal latest
        if time.monotonic() - latest > MOMENT:
            latest = time.monotonic()
            tell(Working(describe(run, scenario), fraction(run, scenario)))

    return watch


def fraction(run: Run, scenario: Scenario) -> float:
    """The share of the run that is done if it goes on to its stop."""
    stop = scenario.stop
    done = max(
        run.time / (stop.seconds or math.inf),
        run.steps / (stop.steps or math.inf),
        run.gradients / (stop.gradients or math.inf),
    )
    return min(done, 1.0)  # the last step may go beyond the stop


def describe(run: Run, scenario: Scenario) -> str:
    value = f", {scenario.metric} {run.newest[scenario.metric]:.4g}" if run.newest else ""
    seconds = max(run.time, run.accounts.time if run.accounts else 0.0)
    time = f"{seconds:,.0f}" if 1000 <= seconds < 1e15 else f"{seconds:.4g}"
    return f"{run.method}, seed {run.seed}: {time} s simulated{value}"


def outcome(run: Run, scenario: Scenario) -> str:
    aims = run.metrics and scenario.stop.target is not None
    stopped = "stopped before the target" if aims else "done"
    end = {"target": "reached the target", "stop": stopped}.get(run.end, run.end)
    return f"{describe(run, scenario)}: {end} ({run.real_seconds:.1f} s)"
