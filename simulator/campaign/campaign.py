"""How are many runs done, each of them once?

A campaign is tasks and a store.  What the store has is left alone; the rest goes to a runner in
jobs.  Every run is stored as soon as it ends, and runs under way write checkpoints: a kill loses
seconds, and the same campaign begun again goes on where it was.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from simulator import plugins
from simulator.campaign.perform import Done, Working, perform
from simulator.campaign.progress import showing
from simulator.campaign.runner import Local, Runner
from simulator.campaign.task import Job, Keep, Task
from simulator.system.machine import cores
from simulator.training.checkpoint import Keeper

TOGETHER = 32
"""At most so many runs of a sweep in a job: more are no quicker together."""
WORTH = 6.0
"""Estimated seconds of all runs together, from which on it pays to start processes."""


class Store(Protocol):
    """Where finished runs go; only the process that asked for the campaign writes there."""

    def has(self, task: Task) -> bool:
        """Whether this run has ended, and all of it is stored."""

    def add(self, task: Task, done: Done) -> None:
        """Store a run, for good: the process may be killed afterwards."""


class Plan(NamedTuple):
    """How the runs of a campaign are done."""

    keep: Keep
    words: Callable[[Task, Any], str]
    """The outcome of a run, from its task and what is kept of it."""
    checkpoints: Path | None = None
    together: int = 1
    """At most so many runs of one schedule train side by side in a job."""


def conduct(
    tasks: Sequence[Task],
    plan: Plan,
    store: Store,
    *,
    runner: Runner | None = None,
    jobs: int | None = None,
    quiet: bool = True,
) -> None:
    """Do every task that the store has not, once; ``jobs`` processes, or as many as pay."""
    tasks = list({task.key: task for task in tasks}.values())
    missing = [task for task in tasks if not store.has(task)]
    by_key = {task.key: task for task in missing}
    for task in tasks:
        if task.key not in by_key:  # a kill may come before a run that was stored is tidied up
            _clear(plan, task)
    runner = runner or Local(jobs_for(missing, jobs))
    done = len(tasks) - len(missing)
    with showing(len(tasks), done=done, doing="preparing", quiet=quiet) as progress:

        def on_item(name: str, item: Working | Done) -> None:
            if isinstance(item, Working):
                progress.under_way(*item)
                return
            task = by_key[item.key]
            store.add(task, item)
            if item.end != "interrupted":
                _clear(plan, task)
                failed = item.end in ("failed", "stalled")
                progress.ended(plan.words(task, item.kept), failed=failed)

        for by, part in _by_runner(jobs_of(missing, plan, runner.jobs), runner):
            by.run(perform, part, on_item, kind=lambda job: job.tasks[0].method)


def jobs_for(tasks: Sequence[Task], wanted: int | None) -> int:
    """How many processes do them: one, this one, where starting more would not pay."""
    if wanted is None and sum(task.seconds for task in tasks) < WORTH:
        return 1
    return max(1, min(wanted or cores(), len(tasks)))


def jobs_of(tasks: Sequence[Task], plan: Plan, at_once: int) -> dict[str, Job]:
    """The tasks in jobs, small enough that no process is idle at the end.

    Schedules come first, since the processes that do them need not load JAX; then the longest.
    """
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.schedule if plan.together > 1 else task.key, []).append(task)
    most = max(1, min(plan.together, math.ceil(len(tasks) / (2 * at_once))))
    parts = [part[at : at + most] for part in groups.values() for at in range(0, len(part), most)]
    if at_once > 1:
        parts.sort(key=lambda part: -sum(task.seconds for task in part))
    parts.sort(key=lambda part: part[0].plane == "training")
    return {_name(part): Job(part, plan.keep, plan.checkpoints) for part in parts}


def _name(part: list[Task]) -> str:
    more = f" and {len(part) - 1} others" if len(part) > 1 else ""
    return f"{part[0].method}, seed {part[0].seed}{more} ({part[0].key[-16:]})"


def _by_runner(jobs: dict[str, Job], runner: Runner) -> list[tuple[Runner, dict[str, Job]]]:
    """Which runner does what.  What this program alone has registered is done in this process."""
    portable = {name: job for name, job in jobs.items() if plugins.is_portable(job.tasks[0].tables)}
    here = {name: job for name, job in jobs.items() if name not in portable}
    return [(runner, portable), (Local(1), here)]


def _clear(plan: Plan, task: Task) -> None:
    if plan.checkpoints is not None:
        Keeper(plan.checkpoints, task.key, "").clear()
