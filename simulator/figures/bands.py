"""What do several seeds look like as one curve?  Their median, and a band around it.

The band goes from their 20% to their 80% quantile.  A seed is a step function: what was last
observed holds until the next observation, and, where it says so, for ever after its run has ended,
as one at its target would keep its policy.
"""

import numpy as np
import pandas as pd

from simulator.cluster.law import Floats

LOW, HIGH = 0.2, 0.8
LARGEST = 1e150
"""What diverges is drawn up to here: with larger numbers an axis cannot reckon."""
POINTS = 600
"""Curves of more points than this are thinned out."""


def band(steps: pd.DataFrame, x: str, y: str, *, hold: bool = True) -> pd.DataFrame:
    """One method's seeds as one curve: columns ``x``, ``low``, ``median`` and ``high``.

    Past its end a seed keeps its last value, or, without ``hold``, no longer counts.

    >>> frame = {"seed": [0, 0, 1, 1], "time": [0.0, 2.0, 0.0, 1.0], "return": [1.0, 5.0, 3.0, 9.0]}
    >>> band(pd.DataFrame(frame), "time", "return")["median"].tolist()
    [2.0, 5.0, 7.0]
    """
    observed = steps[steps[y].abs() < LARGEST]
    at = _grid(observed[x].to_numpy(np.float64))
    seeds = [_observed(run, x, y, at, hold) for _, run in observed.groupby("seed")]
    quantiles = np.nanquantile(seeds, [LOW, 0.5, HIGH], axis=0) if seeds else np.empty((3, 0))
    low, median, high = quantiles
    return pd.DataFrame({"x": at, "low": low, "median": median, "high": high})


def _observed(run: pd.DataFrame, x: str, y: str, at: Floats, hold: bool) -> Floats:
    """The newest observation at each of some places; none before the first."""
    places, values = run[x].to_numpy(np.float64), run[y].to_numpy(np.float64)
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
