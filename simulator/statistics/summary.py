"""The summary of results: one row per method, over its seeds."""

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from algorithms.methods import METHODS
from simulator.results.columns import groups
from simulator.results.results import Results
from simulator.scenario.scenario import Scenario
from simulator.statistics.samples import median

Run: TypeAlias = dict[str, Any]  # a run's row in the manifest
RowsBySeed: TypeAlias = dict[int, NDArray[np.int64] | None]
"""The rows of the steps of each run, by seed."""


class Row(NamedTuple):
    """A method's runs, as medians over the seeds; a target not reached is infinite."""

    method: str
    seeds: int
    reached: int
    seconds_to_target: float
    watched: float  # simulated seconds of the runs that did not reach it
    final_metric: float
    steps: float
    seconds_per_step: float
    used: float
    thrown_away: float  # gradients recalled, dropped or lost
    wasted: float  # their share of the computing
    simulated_seconds: float
    busy_share: float
    communicating_share: float
    down_share: float
    idle_share: float
    training_share: float  # of the server's time
    age: float  # the mean delay of the gradients
    speed_up: float | None  # against the synchronous method, in simulated seconds to the target
    speed_up_is_bound: bool  # only a lower bound, as the synchronous method missed the target


def summarise(results: Results) -> list[Row]:
    runs = _runs_by_method(results)
    reference = synchronous_label(results.scenario)
    base = runs.get(reference, []) if reference else []
    baseline, bound = median([*map(_reached, base)]), median([*map(_at_least, base)])
    steps = groups(results.step_columns, ("method", "seed"))
    rows = []
    for label, own in runs.items():
        rows_by_seed = {run["seed"]: steps.get((label, run["seed"])) for run in own}
        rows.append(_row(results, label, own, rows_by_seed, baseline, bound))
    return rows


def _runs_by_method(results: Results) -> dict[str, list[Run]]:
    rows: list[Run] = results.manifest["runs"]
    labels = [
        label for label in results.scenario.methods if any(r["method"] == label for r in rows)
    ]
    return {label: [row for row in rows if row["method"] == label] for label in labels}


def _row(
    results: Results,
    label: str,
    runs: list[Run],
    rows_by_seed: RowsBySeed,
    baseline: float,
    bound: float,
) -> Row:
    seconds = median([*map(_reached, runs)])
    missed = [run["simulated_seconds"] for run in runs if math.isinf(_reached(run))]
    speed_up, is_bound = compare(seconds, baseline, bound)
    thrown_away = [run["recalled"] + run["dropped"] + run["lost"] for run in runs]
    return Row(
        method=label,
        seeds=len(runs),
        reached=len(runs) - len(missed),
        seconds_to_target=seconds,
        watched=median(missed),
        final_metric=_last_metric(results, runs, rows_by_seed),
        steps=median([run["steps"] for run in runs]),
        seconds_per_step=_seconds_per_step(results, rows_by_seed),
        used=median([run["used"] for run in runs]),
        thrown_away=median(thrown_away),
        wasted=_mean(runs, "wasted_share") / (_mean(runs, "busy_share") or math.nan),
        simulated_seconds=median([run["simulated_seconds"] for run in runs]),
        busy_share=_mean(runs, "busy_share"),
        communicating_share=_mean(runs, "communicating_share"),
        down_share=_mean(runs, "down_share"),
        idle_share=_mean(runs, "idle_share"),
        training_share=_training_share(results, rows_by_seed),
        age=_age(results, rows_by_seed),
        speed_up=speed_up,
        speed_up_is_bound=is_bound,
    )


def compare(seconds: float, baseline: float, bound: float) -> tuple[float | None, bool]:
    """The speed-up over the baseline; a lower bound, if that only exceeds ``bound``.

    >>> compare(50.0, 200.0, 1000.0), compare(50.0, math.inf, 1000.0), compare(math.inf, 9.0, 10.0)
    ((4.0, False), (20.0, True), (None, False))
    """
    if not math.isfinite(seconds) or seconds == 0 or math.isnan(baseline + bound):
        return None, False
    if math.isfinite(baseline):
        return baseline / seconds, False
    return bound / seconds, True


def synchronous_label(scenario: Scenario) -> str | None:
    """The method that speed-ups refer to: the scenario's first baseline."""
    for label, table in scenario.methods.items():
        if METHODS[table.method].baseline:
            return str(label)
    return None


def as_data(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows for JSON, with null for what is not finite."""

    def finite(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return [{key: finite(value) for key, value in row._asdict().items()} for row in rows]


def _reached(run: Run) -> float:
    """Seconds to the target; infinite if it was not reached."""
    seconds = run["seconds_to_target"]
    return math.inf if seconds is None else float(seconds)


def _at_least(run: Run) -> float:
    return min(_reached(run), float(run["simulated_seconds"]))


def _mean(runs: list[Run], column: str) -> float:
    known = [float(run[column]) for run in runs if run[column] is not None]
    return sum(known) / len(known) if known else math.nan


def _training_share(results: Results, rows_by_seed: RowsBySeed) -> float:
    trained, times = (results.step_columns[name] for name in ("training_seconds", "time"))
    seeds = [rows for rows in rows_by_seed.values() if rows is not None and times[rows[-1]] > 0]
    shares = [trained[rows].sum() / times[rows[-1]] for rows in seeds]
    return float(np.mean(shares)) if shares else 0.0


def _age(results: Results, rows_by_seed: RowsBySeed) -> float:
    columns = results.step_columns
    seeds = [rows for rows in rows_by_seed.values() if rows is not None]
    sums = [(columns["mean_delay"][rows] * columns["tickets"][rows]).sum() for rows in seeds]
    counts = [columns["tickets"][rows].sum() for rows in seeds]
    return float(sum(sums) / sum(counts)) if sum(counts) else math.nan


def _seconds_per_step(results: Results, rows_by_seed: RowsBySeed) -> float:
    last = [rows[-1] for rows in rows_by_seed.values() if rows is not None]
    steps, times = (results.step_columns[name][last].tolist() for name in ("step", "time"))
    return median([time / step for step, time in zip(steps, times, strict=True) if step > 0])


def _last_metric(results: Results, runs: list[Run], rows_by_seed: RowsBySeed) -> float:
    """The last metric of the runs; a failed run has none."""
    if results.schedule_only:
        return math.nan
    values = results.step_columns[results.scenario.metric]
    each = [values[rows_by_seed[run["seed"]]] for run in runs if run["end"] != "failed"]
    finite = [row[~np.isnan(row)] for row in each]
    return median([float(row[-1]) for row in finite if len(row)])
