"""How are many runs done, each exactly once?

A campaign is a set of tasks and a store.  Tasks that the store lacks go to a runner in jobs.  Every
run is stored as soon as it ends, and runs under way write checkpoints.  So a kill loses seconds:
the same campaign, begun again, continues.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from simulator import plugins
from simulator.campaign.perform import Done, Points, Working, perform
from simulator.campaign.processes import Local
from simulator.campaign.progress import showing
from simulator.campaign.runner import Jobs
from simulator.campaign.task import Files, Job, Keep, Task
from simulator.campaign.tracked import track
from simulator.system.machine import cores
from simulator.tracking import UNTRACKED, Tracking
from simulator.training.checkpoint import Keeper
from simulator.training.record import BROKEN

TOGETHER = 32
"""Most runs of a sweep in a job: more are no quicker together."""
WORTH = 6.0
"""Estimated seconds of all runs from which on processes pay."""


class Store(Protocol):
    """The place of finished runs; only the process that started the campaign writes there."""

    def has(self, task: Task) -> bool:
        """Whether all of this run is stored."""

    def add(self, task: Task, done: Done) -> None:
        """Store a run durably: the process may be killed afterwards."""


class Plan(NamedTuple):
    """How the runs of a campaign are done."""

    keep: Keep
    outcome: Callable[[Task, Any], str]
    """Describes a finished run, given its task and the stored data."""
    checkpoints: Path | None = None
    files: Files | None = None
    together: int = 1
    """Most runs of one schedule that train side by side in a job."""
    tracking: Tracking = UNTRACKED
    """Gets the metrics of all runs while they train."""
    apart: Callable[[Task], str] = lambda task: ""
    """Tells trackers runs of one method and seed apart."""
    summary: Callable[[Task, Any], Mapping[str, Any]] = lambda task, stored: stored
    """The outcome of a run for trackers, given its task and the stored data."""


def conduct(
    tasks: Sequence[Task],
    plan: Plan,
    store: Store,
    *,
    jobs: Jobs = None,
    quiet: bool = True,
) -> None:
    """Do every task that the store lacks, where ``jobs`` says."""
    by_key = {task.key: task for task in tasks}
    missing = [task for task in by_key.values() if not store.has(task)]
    for key in by_key.keys() - {task.key for task in missing}:
        _clear(plan, key)  # a kill may come after a run is stored and before it is cleared
    runner = Local(jobs_for(missing, jobs)) if isinstance(jobs, int | None) else jobs
    done = len(by_key) - len(missing)
    tracked = {}
    if plan.tracking.active:
        tracked = {task.key: track(plan.tracking, task, plan.apart(task)) for task in missing}
    with showing(len(by_key), done=done, doing="preparing", quiet=quiet) as progress:

        def on_item(name: str, item: Working | Points | Done) -> None:
            if isinstance(item, Working):
                progress.under_way(*item)
                return
            if isinstance(item, Points):
                tracked[item.key].log(item.points)
                return
            task = by_key[item.key]
            store.add(task, item)
            if tracked:
                tracked[item.key].end(plan.summary(task, item.stored))
            if item.end != "interrupted":
                _clear(plan, task.key)
                failed = item.end in BROKEN
                progress.ended(plan.outcome(task, item.stored), failed=failed)

        # Only this process knows kinds that its own program has registered.
        portable: dict[str, Job] = {}
        local: dict[str, Job] = {}
        for name, job in jobs_of(missing, plan, runner.jobs).items():
            (portable if plugins.is_portable(job.tasks[0].tables) else local)[name] = job
        for each, part in ((runner, portable), (Local(1), local)):
            each.run(perform, part, on_item, kind=lambda job: job.tasks[0].method)


def jobs_for(tasks: Sequence[Task], wanted: int | None) -> int:
    """The number of processes: 1, this one, where starting more would not pay."""
    if wanted is None and sum(task.seconds for task in tasks) < WORTH:
        return 1
    return max(1, min(wanted or cores(), len(tasks)))


def jobs_of(tasks: Sequence[Task], plan: Plan, at_once: int) -> dict[str, Job]:
    """The tasks in jobs, small enough that no process is idle at the end.

    Schedules come first, since their processes need not load JAX; then the longest job.
    """
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.schedule if plan.together > 1 else task.key, []).append(task)
    most = max(1, min(plan.together, math.ceil(len(tasks) / (2 * at_once))))
    parts = [part[at : at + most] for part in groups.values() for at in range(0, len(part), most)]
    if at_once > 1:
        parts.sort(key=lambda part: -sum(task.seconds for task in part))
    parts.sort(key=lambda part: part[0].plane == "training")
    own = plan.keep, plan.checkpoints, plan.files, plan.tracking.active
    return {_name(part): Job(part, *own) for part in parts}


def _name(part: list[Task]) -> str:
    more = f" and {len(part) - 1} others" if len(part) > 1 else ""
    return f"{part[0].method}, seed {part[0].seed}{more} ({part[0].key[-16:]})"


def _clear(plan: Plan, key: str) -> None:
    if plan.checkpoints is not None:
        Keeper(plan.checkpoints, key, "").clear()
