"""Who got there first, and at what cost?  One row per method, over its seeds."""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from algorithms.aggregation import synchronous
from algorithms.methods import METHODS
from simulator.results.results import Results
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd


class Row(NamedTuple):
    """A method's runs, as medians over the seeds; a target not reached counts as infinite."""

    method: str
    seeds: int
    reached: int
    seconds_to_target: float
    watched: float
    """Simulated seconds that the runs which did not reach it were watched for."""
    final_metric: float
    steps: float
    seconds_per_step: float
    used: float
    thrown_away: float
    """Gradients recalled, dropped or lost."""
    wasted: float
    """The part of the computing that went into these."""
    simulated_seconds: float
    busy_share: float
    communicating_share: float
    down_share: float
    idle_share: float
    speed_up: float | None
    """Against the synchronous method, in simulated seconds to the target."""
    speed_up_is_bound: bool
    """Whether the synchronous method had not got there when its run ended: it is larger still."""


def summarise(results: Results) -> list[Row]:
    """The table of a scenario, in the order of its methods."""
    scenario, runs = results.scenario, results.runs
    seconds = runs["seconds_to_target"].astype(float)
    runs = runs.assign(
        seconds_to_target=seconds.fillna(math.inf),
        at_least=seconds.fillna(runs["simulated_seconds"]),
    )
    reference = synchronous_label(scenario)
    baseline = _median(runs, reference, "seconds_to_target") if reference else math.nan
    bound = _median(runs, reference, "at_least") if reference else math.nan
    rows = []
    for label in scenario.methods:
        mine = runs[runs["method"] == label]
        if mine.empty:
            continue
        median = _median(runs, label, "seconds_to_target")
        missed = mine[mine["seconds_to_target"] == math.inf]
        speed_up, is_bound = compare(median, baseline, bound)
        rows.append(
            Row(
                method=label,
                seeds=len(mine),
                reached=int(mine["seconds_to_target"].lt(math.inf).sum()),
                seconds_to_target=median,
                watched=float(missed["simulated_seconds"].median()),
                final_metric=math.nan if results.schedule_only else _last_metric(results, label),
                steps=float(mine["steps"].median()),
                seconds_per_step=_seconds_per_step(results, label),
                used=float(mine["used"].median()),
                thrown_away=float((mine["recalled"] + mine["dropped"] + mine["lost"]).median()),
                wasted=_mean(mine, "wasted_share") / (_mean(mine, "busy_share") or math.nan),
                simulated_seconds=float(mine["simulated_seconds"].median()),
                busy_share=_mean(mine, "busy_share"),
                communicating_share=_mean(mine, "communicating_share"),
                down_share=_mean(mine, "down_share"),
                idle_share=_mean(mine, "idle_share"),
                speed_up=speed_up,
                speed_up_is_bound=is_bound,
            )
        )
    return rows


def compare(seconds: float, baseline: float, bound: float) -> tuple[float | None, bool]:
    """How many times sooner than the baseline; if that is only known to exceed ``bound``, more.

    >>> compare(50.0, 200.0, 1000.0), compare(50.0, math.inf, 1000.0), compare(math.inf, 9.0, 10.0)
    ((4.0, False), (20.0, True), (None, False))
    """
    if not math.isfinite(seconds) or seconds == 0 or math.isnan(baseline + bound):
        return None, False
    if math.isfinite(baseline):
        return baseline / seconds, False
    return bound / seconds, True


def synchronous_label(scenario: Scenario) -> str | None:
    """The method that speed-ups refer to: the first synchronous one of the scenario."""
    for label, table in scenario.methods.items():
        if METHODS[table.method].aggregation is synchronous:
            return str(label)
    return None


def as_data(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows for JSON, where what never happened is null."""
    return [{key: _plain(value) for key, value in row._asdict().items()} for row in rows]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _median(runs: "pd.DataFrame", label: str, column: str) -> float:
    return _middle(runs.loc[runs["method"] == label, column])


def _middle(values: "pd.Series[float]") -> float:
    """The median of what is known, without a word (pandas 2 has one) where nothing is."""
    return float(values.dropna().median())


def _seconds_per_step(results: Results, label: str) -> float:
    """Over the whole runs; NaN where no step ever closed."""
    mine = results.steps[results.steps["method"] == label].groupby("seed")
    steps = mine["step"].max()
    return _middle(mine["time"].max() / steps.where(steps > 0))


def _mean(runs: "pd.DataFrame", column: str) -> float:
    return float(runs[column].astype(float).mean())


def _last_metric(results: Results, label: str) -> float:
    """The metric where the runs ended; a run that failed has none."""
    metric, runs = results.scenario.metric, results.runs
    failed = runs[(runs["method"] == label) & (runs["end"] == "failed")]["seed"]
    mine = results.steps[results.steps["method"] == label].dropna(subset=[metric])
    return _middle(mine[~mine["seed"].isin(failed)].groupby("seed")[metric].last())
