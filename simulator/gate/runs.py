"""Which runs does a benchmark need, and which data of them are stored?"""

import math
from typing import Any, TypeAlias

import numpy as np

from simulator.campaign import task
from simulator.campaign.task import Plane, Task
from simulator.gate import shorthand
from simulator.gate.suite_file import COUNTED, Benchmark, ClaimTable
from simulator.scenario.scenario import Scenario
from simulator.schedule import Accounts, Step
from simulator.training.record import Run

Record: TypeAlias = dict[str, Any]
"""A run as JSON: ``method``, ``seed``, ``end`` and the numbers of its benchmark."""
COUNTS = ("started", "used", "recalled", "dropped", "lost", "unfinished")


def tasks_of(benchmark: Benchmark) -> list[Task]:
    """The runs of a benchmark; equal runs of several benchmarks have equal keys."""
    plane: Plane = "training"
    if benchmark.schedule_only:
        plane = "steps" if benchmark.table.kind == "exact" else "schedule"
    return list(task.tasks_of(benchmark.tables, benchmark.folder, benchmark.scenario, plane))


def keep(scenario: Scenario, run: Run) -> Record:
    """The data of a run that any benchmark may need."""
    record: Record = {
        "method": run.method,
        "seed": run.seed,
        "end": run.end,
        **({"message": run.message} if run.message else {}),
        "seconds": float(run.accounts.time if run.accounts else run.time),
        "steps_closed": run.steps,
        "gradients": run.gradients,
    }
    if run.metrics:
        return record | {"points": _points(run)}
    if run.history is not None:
        assert run.accounts is not None
        record |= {"steps": list(map(_step, run.history)), "workers": _workers(run.accounts)}
    return record


def _step(step: Step) -> Record:
    return {
        "step": step.number,
        "seconds": step.time,
        "gradients": shorthand.gradients(step),
        "weights": shorthand.weights(step),
    }


def _workers(accounts: Accounts) -> list[Record]:
    """The outcomes of each worker's gradients; workers with equal counts share a row."""
    table = np.stack([getattr(accounts, name) for name in COUNTS], axis=1)
    equal: dict[tuple[int, ...], list[int]] = {}
    for worker, counts in enumerate(table.tolist()):
        equal.setdefault(tuple(counts), []).append(worker)
    return [
        {
            "workers": shorthand.short(shorthand.ranges((worker, 0) for worker in workers)),
            **dict(zip(COUNTS, counts, strict=True)),
        }
        for counts, workers in equal.items()
    ]


def _points(run: Run) -> list[Record]:
    times = [0.0, *run.times]
    values = {name: run.evaluations[name] for name in run.metrics}
    evaluated = [at for at, value in enumerate(values[run.metrics[0]]) if not math.isnan(value)]
    return [
        {"step": at, "seconds": times[at], **{name: each[at] for name, each in values.items()}}
        for at in evaluated
    ]


def recorded(benchmark: Benchmark, runs: list[Record]) -> list[Record]:
    """The data of each run that the baseline of a benchmark holds."""
    table = benchmark.table
    match table.kind:
        case "exact":
            return [_only(run, "steps", "workers") for run in runs]
        case "tolerance":
            keys = ("step", "seconds", table.metric or benchmark.scenario.metric)
            points = ([{key: p[key] for key in keys} for p in run["points"]] for run in runs)
            return [{**_only(r), "points": p} for r, p in zip(runs, points, strict=True)]
        case "claim":
            return [_measured(run, table) for run in runs]


def _measured(run: Record, table: ClaimTable) -> Record:
    """The quantity that a claim compares, at the goal or at the end of the run."""
    what = table.measure.partition("-")[0]
    value = run[{"time": "seconds", "steps": "steps_closed"}.get(what, what)]
    reached = run["end"] == ("stop" if table.measure in COUNTED else "target")
    return {**_only(run), "measured": value, "reached": reached}


def _only(run: Record, *keys: str) -> Record:
    chosen = ("method", "seed", "end", "message", "seconds", *keys)
    return {key: run[key] for key in chosen if key in run}
