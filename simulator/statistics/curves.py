"""One curve for several seeds, and when their median reaches the target.

A band goes from the 20% to the 80% quantile.  A seed is a step function: an observation holds until
the next one, and the last one, if wanted, without end.
"""

from collections.abc import Collection

import numpy as np

from simulator.cluster.law import Floats
from simulator.mistakes import Mistake, did_you_mean
from simulator.objectives.catalogue import OBJECTIVES
from simulator.results.columns import Columns, groups, rows
from simulator.statistics.samples import HIGH, LOW, median

LARGEST = 1e150  # larger values are not drawn: an axis cannot compute with them
POINTS = 600  # curves of more points than this are thinned out
PLACES = {
    "seconds": "time",
    "steps": "step",
    "gradients": "gradients",
    "environment_steps": "environment_steps",
}
"""The columns of ``time_to``, and their columns in the steps."""


def rows_by_method(steps: Columns) -> dict[str, Columns]:
    """The rows of every method, in order of appearance."""
    return {str(method): rows(steps, at) for (method,), at in groups(steps, ["method"]).items()}


def band(steps: Columns, x: str, y: str, *, hold: bool = True) -> Columns:
    """One method's seeds as one curve: columns ``x``, ``low``, ``median`` and ``high``.

    Past its end a seed keeps its last value, or, without ``hold``, no longer counts.

    >>> rows = [(0, 0.0, 1.0), (0, 2.0, 5.0), (1, 0.0, 3.0), (1, 1.0, 9.0)]
    >>> steps = dict(zip(["seed", "time", "return"], np.array(rows).T))
    >>> band(steps, "time", "return")["median"].tolist()
    [2.0, 5.0, 7.0]
    """
    values = steps[y].astype(np.float64)
    finite = np.abs(values) < LARGEST
    places, values = steps[x][finite].astype(np.float64), values[finite]
    at = _grid(places)
    seeds = [
        _observed(places[rows], values[rows], at, hold)
        for rows in groups({"seed": steps["seed"][finite]}, ["seed"]).values()
    ]
    low, median, high = (
        np.nanquantile(seeds, [LOW, 0.5, HIGH], axis=0) if seeds else np.empty((3, 0))
    )
    return {"x": at, "low": low, "median": median, "high": high}


def _observed(places: Floats, values: Floats, at: Floats, hold: bool) -> Floats:
    """The newest observation at each place; NaN before the first."""
    newest = np.searchsorted(places, at, side="right") - 1
    known = (newest >= 0) & (hold | (at <= places[-1]))
    return np.where(known, values[newest], np.nan)


def _grid(places: Floats) -> Floats:
    """All places of observations, or enough of them for a linear and a logarithmic axis."""
    every: Floats = np.unique(places)
    if len(every) <= POINTS:
        return every
    even = np.linspace(0, len(every) - 1, POINTS // 2)
    early = np.geomspace(1, len(every) - 1, POINTS // 2)
    chosen: Floats = every[np.unique(np.concatenate([even, early]).round().astype(np.int64))]
    return chosen


def arrivals(
    steps: Columns, x: str, target: float, metric: str, higher: bool | None = None
) -> dict[str, float]:
    """The place at which the median seed reached the target, by method."""
    places: dict[str, list[float]] = {}
    for (method, _), row in first_at_target(steps, target, metric, higher).items():
        places.setdefault(method, []).append(np.nan if row is None else float(steps[x][row]))
    medians = {method: median(values) for method, values in places.items()}
    return {method: place for method, place in medians.items() if np.isfinite(place)}


def first_at_target(
    steps: Columns, target: float, metric: str, higher: bool | None = None
) -> dict[tuple[str, int], int | None]:
    """The row of each run's first step at the target, or None."""
    higher = is_higher_better(metric) if higher is None else higher
    if higher is None:
        raise Mistake(f"metric {metric!r}: say higher=True or False; is more of it better?")
    met = steps[metric] >= target if higher else steps[metric] <= target
    return {
        (method, seed): int(rows[met[rows]][0]) if met[rows].any() else None
        for (method, seed), rows in groups(steps, ("method", "seed")).items()
    }


def known_metric(steps: Collection[str], metric: str) -> None:
    if metric not in steps:
        raise Mistake(f"metric {metric!r}: no such column; {did_you_mean(metric, list(steps))}")


def is_higher_better(metric: str) -> bool | None:
    """Whether more of a metric is better; None for a metric of no objective."""
    directions = {name: way for table in OBJECTIVES.values() for name, way in table.metrics.items()}
    return directions[metric] == "higher" if metric in directions else None
