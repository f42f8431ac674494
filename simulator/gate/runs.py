"""What is run, and what is kept of it?  Schedules without JAX, learning with it; plain data."""

import math
from typing import Any, TypeAlias

import numpy as np

from simulator.campaign.task import Plane, Task, tasks_of
from simulator.gate import shorthand
from simulator.gate.suite_file import COUNTED, Benchmark, ClaimTable
from simulator.scenario.scenario import Scenario
from simulator.schedule import Accounts, Step
from simulator.training.record import Run

Record: TypeAlias = dict[str, Any]
"""A run, as JSON knows it: ``method``, ``seed``, ``end`` and what its benchmark is about."""
COUNTS = ("started", "used", "recalled", "dropped", "lost", "unfinished")


def tasks(benchmark: Benchmark) -> list[Task]:
    """The runs that a benchmark asks for; equal runs of several benchmarks have equal keys."""
    found = tasks_of(benchmark.tables, benchmark.folder, benchmark.scenario, plane_of(benchmark))
    return list(found)


def plane_of(benchmark: Benchmark) -> Plane:
    if not benchmark.schedule_only:
        return "training"
    return "steps" if benchmark.table.kind == "exact" else "schedule"


def keep(scenario: Scenario, run: Run) -> Record:
    """What a run is, as far as any benchmark asks."""
    record = _ended(run)
    if run.metrics:
        return record | {"points": _points(run)}
    if run.history is not None:
        assert run.accounts is not None
        record |= {"steps": list(map(_step, run.history)), "workers": _workers(run.accounts)}
    return record


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
    values = {name: run.evaluations[name] for name in run.metrics}
    evaluated = [at for at, value in enumerate(values[run.metrics[0]]) if not math.isnan(value)]
    return [
        {"step": at, "seconds": times[at], **{name: each[at] for name, each in values.items()}}
        for at in evaluated
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
