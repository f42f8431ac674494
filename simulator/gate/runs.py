"""What is run, and what is kept of it?  Schedules without JAX, learning with it; plain data.

A piece of work is one method of a scenario on all its seeds.  Benchmarks that ask for the same
share it.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from simulator import plugins
from simulator.gate import shorthand
from simulator.gate.suite_file import COUNTED, Benchmark, ClaimTable
from simulator.runs.dry_run import run_schedules
from simulator.runs.record import Run
from simulator.scenario import loading
from simulator.scenario.scenario import Scenario
from simulator.schedule import Accounts, Step
from simulator.system.side_by_side import Tell

Record: TypeAlias = dict[str, Any]
"""A run, as JSON knows it: ``method``, ``seed``, ``end`` and what its benchmark is about."""
Plane: TypeAlias = Literal["steps", "times", "learning"]
COUNTS = ("started", "used", "recalled", "dropped", "lost", "unfinished")


class Work(NamedTuple):
    """One method of a scenario, which is told as tables to other processes."""

    plane: Plane
    tables: dict[str, Any]
    folder: Path
    method: str
    runs: int

    def scenario(self) -> Scenario:
        return loading.check(self.tables, self.folder).restrict([self.method], None)


def works_of(benchmark: Benchmark) -> dict[str, Work]:
    """What a benchmark asks for, by names that are equal for equal work."""
    table, scenario = benchmark.table, benchmark.scenario
    plane: Plane = "learning"
    if benchmark.schedule_only:
        plane = "steps" if table.kind == "exact" else "times"
    found = {}
    for method in scenario.methods:
        name = f"{plane} {method} {scenario.restrict([method], None).fingerprint()}"
        found[name] = Work(plane, benchmark.tables, benchmark.folder, method, len(scenario.seeds))
    return found


@plugins.blamed
def act(name: str, work: Work, tell: Tell) -> None:
    """Tell the runs of a piece of work, in the order of the seeds."""
    if work.plane == "learning":
        tell(_learnt(work.scenario()))
    else:
        tell(list(_schedules(work.scenario(), keep_steps=work.plane == "steps")))


def _schedules(scenario: Scenario, keep_steps: bool) -> Iterator[Record]:
    steps: list[Record] = []
    heard = (lambda step: steps.append(_step(step))) if keep_steps else (lambda step: None)
    for run in run_schedules(scenario, heard=heard):
        _go_on(run)
        record = _ended(run)
        if keep_steps:
            assert run.accounts is not None
            record |= {"steps": [*steps], "workers": _workers(run.accounts)}
            steps.clear()
        yield record


def _learnt(scenario: Scenario) -> list[Record]:
    """All seeds together where they share a schedule."""
    from simulator.runs.together import Member, run_together, schedule_key

    (label,) = scenario.methods
    groups: dict[str, list[Member]] = {}
    for seed in scenario.seeds:
        member = Member(scenario.restrict([label], [seed]))
        groups.setdefault(schedule_key(member), []).append(member)
    found: dict[int, Record] = {}

    def ended(at: int, run: Run) -> None:
        _go_on(run)
        found[run.seed] = _ended(run) | {"points": _points(run)}

    for members in groups.values():
        run_together(members, ended)
    return [found[seed] for seed in scenario.seeds]


def _go_on(run: Run) -> None:
    if run.end == "interrupted":
        raise KeyboardInterrupt


def _ended(run: Run) -> Record:
    """How a run ended, and where."""
    told = {"message": run.message} if run.message else {}
    return {
        "method": run.method,
        "seed": run.seed,
        "end": run.end,
        **told,
        "seconds": float(run.accounts.time if run.accounts else run.time),
        "steps_closed": run.steps,
        "gradients": run.gradients,
    }


def _step(step: Step) -> Record:
    return {
        "step": step.number,
        "seconds": step.time,
        "gradients": shorthand.gradients(step),
        "weights": shorthand.weights(step),
    }


def _workers(accounts: Accounts) -> list[Record]:
    """What became of the gradients of each worker; those with equal counts in one row."""
    table = np.stack([getattr(accounts, name) for name in COUNTS], axis=1)
    alike: dict[tuple[int, ...], list[int]] = {}
    for worker, counts in enumerate(table.tolist()):
        alike.setdefault(tuple(counts), []).append(worker)
    return [
        {
            "workers": shorthand.short(shorthand.ranges((worker, 0) for worker in who)),
            **dict(zip(COUNTS, counts, strict=True)),
        }
        for counts, who in alike.items()
    ]


def _points(run: Run) -> list[Record]:
    """The learning curve: everything that was measured, where it was."""
    times = [0.0, *run.times]
    seen = [at for at in range(run.steps + 1) if not math.isnan(run.looks[run.metrics[0]][at])]
    return [
        {"step": at, "seconds": times[at], **{name: run.looks[name][at] for name in run.metrics}}
        for at in seen
    ]


def recorded(benchmark: Benchmark, runs: list[Record]) -> list[Record]:
    """Of each run what its benchmark is about: this is what a baseline holds."""
    table = benchmark.table
    match table.kind:
        case "exact":
            return [_only(run, "steps", "workers") for run in runs]
        case "tolerance":
            metric = table.metric or benchmark.scenario.metric
            return [_curve(run, metric) for run in runs]
        case "claim":
            return [_measured(run, table) for run in runs]


def _curve(run: Record, metric: str) -> Record:
    points = [{key: p[key] for key in ("step", "seconds", metric)} for p in run["points"]]
    return {**_only(run), "points": points}


def _measured(run: Record, table: ClaimTable) -> Record:
    """What a claim compares; where a run never got there, how far it was watched, at the least."""
    what = table.measure.partition("-")[0]
    value = run[{"time": "seconds", "steps": "steps_closed"}.get(what, what)]
    there = run["end"] == ("stop" if table.measure in COUNTED else "target")
    return {**_only(run), "measured": value, "reached": there}


def _only(run: Record, *keys: str) -> Record:
    """Who ran and how it ended, and so much more."""
    kept = ("method", "seed", "end", "message", "seconds", *keys)
    return {key: run[key] for key in kept if key in run}
