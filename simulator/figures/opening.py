"""What did the workers do in the opening rounds?  A run's schedule, replayed into bars.

Only times are replayed, without gradients.  A bar is an outage, a transfer, or a computation with
its outcome at the end of the replay; between bars, a worker waits.
"""

from collections.abc import Sequence

import numpy as np

from simulator.cluster import Cluster
from simulator.engine import Sinks
from simulator.figures.pictures import Bar, Kind, Opening
from simulator.results.columns import Columns, groups, rows
from simulator.results.results import Results
from simulator.schedule import Computation
from simulator.trace.tracks import Record, Slice, layers_of, rerun

ROUNDS = 4
"""The steps of a method to show."""

GRADIENTS, MOST_GRADIENTS = 16, 2_000
"""The most gradients per worker that a reader can distinguish, and the most to show."""
AFTER = 1.04
"""The timeline extends the longest round by this factor, so that its end is visible."""
ALL_ROWS, SOME_ROWS = 40, 20
"""Up to 40 workers are all shown, of more only 20."""


def opening_seconds(results: Results) -> float:
    """The seconds of a timeline, derived from the server steps of the first seed.

    They contain a full round of every method that steps, and the first steps of as many methods as
    possible while a reader can distinguish the gradients of a worker.
    """
    steps = results.step_columns
    first = rows(steps, steps["seed"] == steps["seed"][0])
    runs = [rows(first, own) for own in groups(first, ["method"]).values()]
    moving = [run for run in runs if run["time"][-1] > 0]
    if not moving:
        return max(float(run["simulated_seconds"]) for run in results.manifest["runs"]) or 1.0
    workers = results.scenario.cluster.workers
    seconds = max(_full_rounds(moving), _first_steps(moving, workers))
    return seconds * min(1.0, MOST_GRADIENTS * workers / max(1, _gradients(moving, seconds)))


def _full_rounds(runs: list[Columns]) -> float:
    """The time at which every method has stepped once, and a little more."""
    return AFTER * max(float(run["time"][run["time"] > 0][0]) for run in runs)


def _first_steps(runs: list[Columns], workers: int) -> float:
    """The latest of the first steps up to which a worker has few gradients."""
    ends = {float(time) for run in runs for time in run["time"][1 : ROUNDS + 1]}
    readable = [time for time in ends if _gradients(runs, time) <= GRADIENTS * workers]
    return max(readable, default=min(ends))


def _gradients(runs: list[Columns], seconds: float) -> float:
    """The gradients of the busiest method by then; ended runs are extrapolated."""
    return max(
        float(np.interp(seconds, run["time"], run["gradients"]))
        * max(1.0, seconds / float(run["time"][-1]))
        for run in runs
    )


def some_workers(
    cluster: Cluster, seed: int, most: int = ALL_ROWS, some: int = SOME_ROWS
) -> list[int]:
    """All workers up to ``most``; else ``some``, evenly from the fastest to the slowest.

    Their speeds may depend on the ``seed`` of the run.

    >>> from simulator.cluster import Cluster, Power
    >>> some_workers(Cluster(1000, Power(exponent=-1.0)), 0)[:3]
    [999, 946, 894]
    """
    n = cluster.workers
    if n <= most:
        return list(range(n))
    by_speed = np.argsort(cluster.computations(seed).nominal, kind="stable")
    chosen: list[int] = by_speed[np.linspace(0, n - 1, some).round().astype(np.int64)].tolist()
    return chosen


def replay(
    results: Results, label: str, seed: int, seconds: float, workers: Sequence[int]
) -> Opening:
    """The bars of these workers in the first seconds of a run."""
    records: dict[int, list[Record]] = {worker: [] for worker in workers}

    def keep(record: Record) -> None:
        worker = record.ticket.worker if isinstance(record, Computation) else record.worker
        if worker in records:
            records[worker].append(record)

    again = rerun(results, label, seed, seconds)
    times, used = [], 0
    for step in again.steps(Sinks(keep, keep)):
        times.append(step.time)
        used = step.used
    bars = {
        worker: [
            Bar(each.start, each.finish, kind)
            for each in again.track(layers_of(own))
            if (kind := _kind(each))
        ]
        for worker, own in records.items()
    }
    return Opening(bars, times, used, again.end, again.stalled)


def _kind(slice: Slice) -> Kind | None:
    match slice.record:
        case None:
            return None
        case Computation(outcome="waiting" | "unfinished"):
            return "pending"
        case Computation(outcome="used" | "recalled" | "dropped" | "lost" as outcome):
            return outcome
    return "down" if slice.kind == "down" else "communicating"
