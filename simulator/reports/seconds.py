"""Where did each worker's seconds go?  Shares of its time, for every method, over all seeds."""

from typing import Any

import numpy as np

from simulator.figures.opening import some_workers
from simulator.reports.packing import floats, packed
from simulator.reports.page import Widget
from simulator.results.columns import Columns, rows
from simulator.results.results import Results

BARS = 400
"""Workers of a chart; of more, some are shown, from the fastest to the slowest."""
PARTS = {
    "useful": "computing",
    "wasted": "wasted computing",
    "communicating": "communication",
    "down": "outage",
    "idle": "idle",
}
"""The parts of a worker's time, and their names."""


def widget(results: Results) -> Widget:
    """Stacked shares, a chart per method."""
    of = results.worker_columns
    workers = some_workers(results.scenario.build_cluster(), results.scenario.seeds[0], BARS, BARS)
    methods = [label for label in results.scenario.methods if (of["method"] == label).any()]
    shares = [_shares(rows(of, of["method"] == label), workers) for label in methods]
    found = [part for part in PARTS if any(each[part].any() for each in shares)]
    columns = {
        f"{at}/{part}": floats(each[part]) for at, each in enumerate(shares) for part in found
    }
    n = results.scenario.cluster.workers
    some = f"{len(workers):,} of {n:,} workers, evenly from the fastest to the slowest. "
    content = {
        "workers": workers,
        "methods": methods,
        "parts": [{"name": part, "label": PARTS[part]} for part in found],
        "columns": packed(columns),
        "note": some if len(workers) < n else "",
    }
    return Widget("shares", content)


def _shares(own: Columns, workers: list[int]) -> dict[str, Any]:
    """The shares of each shown worker, summed over the seeds."""
    size = int(own["worker"].max()) + 1
    sums = {
        name: np.bincount(own["worker"], own[name], size)[workers]
        for name in ("busy", "wasted", "communicating", "down", "idle", "seconds")
    }
    seconds = np.where(sums["seconds"] > 0, sums["seconds"], 1.0)
    sums["useful"] = sums["busy"] - sums["wasted"]
    return {part: sums[part] / seconds for part in PARTS}
