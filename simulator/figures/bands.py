"""What do several seeds look like as one curve?  Their median, and a band around it.

The band goes from their 20% to their 80% quantile.  A seed is a step function: what was last
observed holds until the next observation, and, where it says so, for ever after its run has ended,
as one at its target would keep its policy.
"""

import numpy as np

from simulator.cluster.law import Floats
from simulator.results.columns import Columns, groups

LOW, HIGH = 0.2, 0.8
LARGEST = 1e150
"""What diverges is drawn up to here: with larger numbers an axis cannot reckon."""
POINTS = 600
"""Curves of more points than this are thinned out."""


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
        _observed(observed[x][rows], observed[y][rows], at, hold)
        for rows in groups(observed, ["seed"]).values()
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
