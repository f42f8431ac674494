"""Which curves does a figure show?  Plain data, made without matplotlib and without pandas.

A curve is the median over seeds, with its band: see ``bands.py``.
"""

from collections.abc import Collection

import numpy as np

from simulator.figures.bands import band
from simulator.figures.intervals import median
from simulator.figures.pictures import Chart
from simulator.mistakes import Mistake, did_you_mean
from simulator.objectives.catalogue import OBJECTIVES
from simulator.results.columns import Columns, groups, join, rows

PLACES = {
    "seconds": "time",
    "steps": "step",
    "gradients": "gradients",
    "environment_steps": "environment_steps",
}
"""The columns of ``time_to``, and the columns of the steps that they are read from."""


WIDE = 10.0
"""An axis is logarithmic where the longest run is at least so many times the shortest."""

NAMES = {
    "time": "simulated time (s)",
    "environment_steps": "environment steps",
    "gradients": "gradients used",
    "step": "server steps",
    "gap": "optimality gap",
    "gradient_norm": "gradient norm",
    "signal_to_noise": "signal-to-noise ratio",
}


def rows_by_method(steps: Columns) -> dict[str, Columns]:
    """The rows of every method that has some, in the order in which they appear."""
    return {str(method): rows(steps, at) for (method,), at in groups(steps, ["method"]).items()}


def metric_chart(
    by_method: dict[str, Columns],
    x: str,
    metric: str,
    *,
    target: float | None = None,
    higher: bool | None = None,
) -> Chart:
    """The curves of a metric; one of which less is better has a logarithmic axis."""
    every = join(list(by_method.values()))
    known_metric(every, metric)
    if x not in every:
        raise Mistake(f"x = {x!r}: no such column; {did_you_mean(x, PLACES.values())}")
    higher = is_higher_better(metric) if higher is None else higher
    curves = {label: band(mine, x, metric) for label, mine in by_method.items()}
    dots: dict[str, tuple[float, float]] = {}
    if target is not None:
        places = arrivals(every, x, target, metric, higher)
        dots = {label: (place, target) for label, place in places.items()}
    names = NAMES.get(x, x), NAMES.get(metric, metric)
    return Chart(curves, dots, names, (is_wide(every, x), higher is False), held=True)


def arrivals(
    steps: Columns, x: str, target: float, metric: str, higher: bool | None = None
) -> dict[str, float]:
    """Where the median seed reached the target, for the methods of which it did."""
    places: dict[str, list[float]] = {}
    for (method, _), row in first_at_target(steps, target, metric, higher).items():
        places.setdefault(method, []).append(np.nan if row is None else float(steps[x][row]))
    medians = {method: median(values) for method, values in places.items()}
    return {method: place for method, place in medians.items() if np.isfinite(place)}


def first_at_target(
    steps: Columns, target: float, metric: str, higher: bool | None = None
) -> dict[tuple[str, int], int | None]:
    """The row of each run's first step at the target; None if it has none."""
    higher = is_higher_better(metric) if higher is None else higher
    if higher is None:
        raise Mistake(f"metric {metric!r}: say higher=True or False; is more of it better?")
    met = steps[metric] >= target if higher else steps[metric] <= target
    return {
        (method, seed): int(mine[met[mine]][0]) if met[mine].any() else None
        for (method, seed), mine in groups(steps, ("method", "seed")).items()
    }


def known_metric(steps: Collection[str], metric: str) -> None:
    """Refuse a metric that the steps do not have."""
    if metric not in steps:
        raise Mistake(f"metric {metric!r}: no such column; {did_you_mean(metric, list(steps))}")


def is_higher_better(metric: str) -> bool | None:
    """As the objectives say it of their metrics; None of others."""
    directions = {name: way for table in OBJECTIVES.values() for name, way in table.metrics.items()}
    return directions[metric] == "higher" if metric in directions else None


def is_wide(steps: Columns, x: str) -> bool:
    """Whether the runs end so far apart that the short ones need a logarithmic axis."""
    ends = [steps[x][mine].max() for mine in groups(steps, ("method", "seed")).values()]
    positive = [end for end in ends if end > 0]
    return bool(positive) and bool(max(positive) >= WIDE * min(positive))
