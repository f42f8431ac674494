"""What do several seeds look like as one curve, and when is their median at the target?

A band goes from their 20% to their 80% quantile.  A seed is a step function: what was last observed
holds until the next observation, and, where it says so, for ever after its run has ended, as one at
its target would keep its policy.
"""

from collections.abc import Collection

import numpy as np

from simulator.cluster.law import Floats
from simulator.mistakes import Mistake, did_you_mean
from simulator.objectives.catalogue import OBJECTIVES
from simulator.results.columns import Columns, groups, rows
from simulator.statistics.samples import HIGH, LOW, median

LARGEST = 1e150  # what diverges is drawn up to here: with larger numbers an axis cannot reckon
POINTS = 600  # curves of more points than this are thinned out
PLACES = {
    "seconds": "time",
    "steps": "step",
    "gradients": "gradients",
    "environment_steps": "environment_steps",
}
"""The columns of ``time_to``, and the columns of the steps that they are read from."""


def rows_by_method(steps: Columns) -> dict[str, Columns]:
    """The rows of every method that has some, in the order in which they appear."""
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
    seen = np.abs(values) < LARGEST
    observed = {"seed": steps["seed"][seen], x: steps[x][seen].astype(np.float64), y: values[seen]}
    at = _grid(observed[x])
    seeds = [
        _observed(observed[x][mine], observed[y][mine], at, hold)
        for mine in groups(observed, ["seed"]).values()
    ]
    low, median, high = (
        np.nanquantile(seeds, [LOW, 0.5, HIGH], axis=0) if seeds else np.empty((3, 0))
    )
    return {"x": at, "low": low, "median": median, "high": high}


def _observed(places: Floats, values: Floats, at: Floats, hold: bool) -> Floats:
    """The newest observation at each of some places; none before the first."""
    newest = np.searchsorted(places, at, side="right") - 1
    known = (newest >= 0) & (hold | (at <= places[-1]))
    return np.where(known, values[newest], np.nan)


def _grid(places: Floats) -> Floats:
    """All places at which something is observed, or, if they are many, enough for either axis."""
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
