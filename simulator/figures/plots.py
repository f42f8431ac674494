"""Which figures does a run have?  Plain data, made without matplotlib and pandas.

A curve is the median over seeds, with its band: see ``statistics/curves.py``.
"""

import numpy as np

from simulator.figures.looks import looks
from simulator.figures.opening import opening_seconds, replay, some_workers
from simulator.figures.pictures import Chart, Curves, Picture, Timeline
from simulator.mistakes import Mistake, did_you_mean
from simulator.results.columns import Columns, groups, join, length, rows
from simulator.results.results import Results
from simulator.statistics.curves import (
    PLACES,
    arrivals,
    band,
    is_higher_better,
    known_metric,
    rows_by_method,
)
from simulator.statistics.samples import HIGH, LOW

TIMELINE_WORKERS = 10_000
"""With more workers there is no timeline: their replay takes long, and it shows twenty."""
WIDE = 10.0
"""Smallest ratio of the longest run to the shortest for which an axis is logarithmic."""

NAMES = {
    "time": "simulated time (s)",
    "environment_steps": "environment steps",
    "gradients": "gradients used",
    "step": "server steps",
    "gap": "optimality gap",
    "gradient_norm": "gradient norm",
    "signal_to_noise": "signal-to-noise ratio",
}


def pictures(results: Results, seconds: float | None = None) -> dict[str, Picture]:
    """The figures of results, by file name; ``seconds`` is the length of the timeline."""
    if not length(results.step_columns):
        return {}
    drawn: dict[str, Picture] = {}
    if not results.schedule_only:
        metric, work = results.scenario.metric, _work(results)
        drawn[f"{metric}-time"] = metric_over(results, "time")
        drawn[f"{metric}-{work.replace('_', '-')}"] = metric_over(results, work)
    drawn["steps-time"] = steps_over_time(results)
    if results.scenario.cluster.workers <= TIMELINE_WORKERS:
        drawn["timeline"] = timeline(results, seconds)
    return drawn


def metric_over(results: Results, x: str) -> Curves:
    scenario, target = results.scenario, results.scenario.stop.target
    higher = scenario.higher_is_better
    chart = metric_chart(_methods(results), x, scenario.metric, target=target, higher=higher)
    return _curves(results, chart, target)


def steps_over_time(results: Results) -> Curves:
    """Server steps against simulated seconds."""
    steps = results.step_columns
    wide = is_wide(steps, "time") or is_wide(steps, "step")
    methods = _methods(results)
    curves = {label: band(own, "time", "step", hold=False) for label, own in methods.items()}
    dots = {
        label: (seconds, float(np.interp(seconds, curves[label]["x"], curves[label]["median"])))
        for label, seconds in _arrivals(results).items()
    }
    if wide:
        curves = {label: _from_one(curve) for label, curve in curves.items()}
    names = NAMES["time"], NAMES["step"]
    chart = Chart(curves, dots, names, (wide, wide), held=False)
    return _curves(results, chart, whole_numbers=not wide)


def _from_one(curve: Columns) -> Columns:
    """The part of a curve from the first step on: 0 has no logarithm."""
    begun = rows(curve, curve["median"] >= 1)
    return begun | {"low": begun["low"].clip(min=1)}


def timeline(results: Results, seconds: float | None = None) -> Timeline:
    """The workers' bars in the opening rounds, or in these first seconds."""
    scenario, seed = results.scenario, int(results.step_columns["seed"][0])
    workers = some_workers(scenario.build_cluster(), seed)
    seconds = opening_seconds(results) if seconds is None else seconds
    methods, known = list(_methods(results)), looks(scenario.methods)
    note = f"Opening of seed {seed}."
    if len(workers) < scenario.cluster.workers:
        shown = f"{len(workers)} of {scenario.cluster.workers:,} workers"
        note += f"  Shown are {shown}, from the fastest to the slowest."
    return Timeline(
        {label: replay(results, label, seed, seconds, workers) for label in methods},
        {label: known[label].colour for label in methods},
        seconds,
        note,
    )


def _curves(
    results: Results, chart: Chart, target: float | None = None, whole_numbers: bool = False
) -> Curves:
    labels = {label: label + _trouble(results, label) for label in chart.curves}
    known = looks(results.scenario.methods)
    return Curves(chart, known, labels, target, whole_numbers, _note(results, chart))


def _note(results: Results, chart: Chart) -> str:
    seeds = len(set(results.step_columns["seed"].tolist()))
    past = "keeps its last value" if chart.held else "is left out"
    note = (
        f"Median and {100 * LOW:.0f}-{HIGH:.0%} band of {seeds} seeds; past its end a seed {past}."
    )
    note = note if seeds > 1 else "One seed."
    return note + ("\nA dot marks where the median seed reaches the target." if chart.dots else "")


def _trouble(results: Results, label: str) -> str:
    """A count of the method's runs that stalled, failed or were interrupted."""
    ends = [run["end"] for run in results.manifest["runs"] if run["method"] == label]
    bad = dict.fromkeys(end for end in ends if end in ("stalled", "failed", "interrupted"))
    counts = {end: ends.count(end) for end in bad}
    troubles = [end if count == len(ends) else f"{count} {end}" for end, count in counts.items()]
    return f" ({', '.join(troubles)})" if troubles else ""


def _methods(results: Results) -> dict[str, Columns]:
    found = rows_by_method(results.step_columns)
    return {label: found[label] for label in results.scenario.methods if label in found}


def _arrivals(results: Results) -> dict[str, float]:
    """The time at which the median seed of each method reached the target."""
    scenario, target = results.scenario, results.scenario.stop.target
    if target is None or results.schedule_only:
        return {}
    higher = scenario.higher_is_better
    return arrivals(results.step_columns, "time", target, scenario.metric, higher)


def _work(results: Results) -> str:
    taken = results.step_columns.get("environment_steps")
    return "environment_steps" if taken is not None and taken.any() else "gradients"


def metric_chart(
    by_method: dict[str, Columns],
    x: str,
    metric: str,
    *,
    target: float | None = None,
    higher: bool | None = None,
) -> Chart:
    """The curves of a metric, with a logarithmic axis if less is better."""
    every = join(list(by_method.values()))
    known_metric(every, metric)
    if x not in every:
        raise Mistake(f"x = {x!r}: no such column; {did_you_mean(x, PLACES.values())}")
    higher = is_higher_better(metric) if higher is None else higher
    curves = {label: band(own, x, metric) for label, own in by_method.items()}
    dots: dict[str, tuple[float, float]] = {}
    if target is not None:
        places = arrivals(every, x, target, metric, higher)
        dots = {label: (place, target) for label, place in places.items()}
    names = NAMES.get(x, x), NAMES.get(metric, metric)
    return Chart(curves, dots, names, (is_wide(every, x), higher is False), held=True)


def is_wide(steps: Columns, x: str) -> bool:
    """Whether the runs end so far apart that the axis must be logarithmic."""
    ends = [steps[x][own].max() for own in groups(steps, ("method", "seed")).values()]
    positive = [end for end in ends if end > 0]
    return bool(positive) and bool(max(positive) >= WIDE * min(positive))
