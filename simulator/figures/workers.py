"""How is the workers' time drawn on axes?  As a timeline, and as shares."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from simulator.figures.looks import looks
from simulator.figures.opening import opening_seconds, replay, some_workers
from simulator.figures.pictures import Kind
from simulator.figures.style import axes_of, key_below, styled
from simulator.figures.timeline import draw_run, face, panel_height
from simulator.mistakes import Mistake, check_argument, did_you_mean
from simulator.results.results import Results
from simulator.statistics.frames import check_frame, rows_of

WORK: dict[str, tuple[Kind, str]] = {
    "useful": ("used", "computing"),
    "wasted": ("recalled", "computing for nothing"),
    "communicating": ("communicating", "communication"),
    "down": ("down", "outage"),
}
"""The uses of a worker's time: the kind in a timeline with the same colour, and the name."""
SEPARATE = 60
"""Most workers that have white lines between them."""


@styled
def plot_timeline(
    results: Results,
    method: str,
    ax: Axes | None = None,
    *,
    seed: int | None = None,
    seconds: float | None = None,
) -> Axes:
    """The timeline of a run, by default of the first seed.

    Without ``seconds`` it is as long as in the figure of the results.
    """
    check_argument("plot_timeline: results", results, Results, "give what run or load returns")
    check_argument("plot_timeline: method", method, str, "give the label of one")
    runs = [(run["method"], run["seed"]) for run in results.manifest["runs"]]
    seed = runs[0][1] if seed is None else seed
    if (method, seed) not in runs:
        hint = did_you_mean(method, {label for label, _ in runs})
        raise Mistake(f"method {method!r}, seed {seed}: no such run; {hint}")
    workers = some_workers(results.scenario.build_cluster(), seed)
    seconds = opening_seconds(results) if seconds is None else seconds
    opening = replay(results, method, seed, seconds, workers)
    axes = axes_of(ax, (7.0, 1.5 + panel_height(len(workers))))
    draw_run(axes, opening, method, looks([method])[method].colour, seconds)
    return axes


@styled
def plot_workers(
    workers: pd.DataFrame, ax: Axes | None = None, *, method: str | None = None
) -> Axes:
    """The shares of each worker's time, over all seeds, as stacked areas.

    ``method`` may be left out if the frame has only one.

    >>> frame = pd.DataFrame({"method": "afedpg", "worker": [0, 1], "busy": [6.0, 9.0]})
    >>> frame = frame.assign(wasted=3.0, communicating=1.0, down=0.0, idle=[3.0, 0.0], seconds=10.0)
    >>> axes = plot_workers(frame)
    >>> [round(float(share), 2) for share in shares(frame).loc[0]]
    [0.3, 0.3, 0.1, 0.0]
    """
    check_frame("plot_workers", "workers", workers, "results.workers")
    rows = rows_of(workers, None if method is None else [method])
    if len(rows) > 1:
        raise Mistake(f"plot_workers: say whose, method=...; there are {', '.join(rows)}")
    [(label, own)] = rows.items()
    axes, parts = axes_of(ax), shares(own)
    edges = np.append(parts.index, parts.index[-1] + 1) - 0.5
    bottom = np.zeros(len(parts))
    for name, part in parts.items():
        top = bottom + part.to_numpy()
        if (top > bottom).any():
            low, high = np.append(bottom, bottom[-1]), np.append(top, top[-1])
            axes.fill_between(
                edges, low, high, step="post", linewidth=0.0, **face(WORK[str(name)][0])
            )
        bottom = top
    if len(parts) <= SEPARATE:
        axes.vlines(edges, 0, 1, color="white", linewidth=0.8)
    _name_workers(axes, label, parts)
    return axes


def shares(workers: pd.DataFrame) -> pd.DataFrame:
    """The shares of the seconds of one method's workers, by worker."""
    total = workers.groupby("worker")[["busy", "wasted", "communicating", "down", "seconds"]].sum()
    seconds = total["seconds"].where(total["seconds"] > 0, 1.0)
    total["useful"] = total["busy"] - total["wasted"]
    return total[list(WORK)].div(seconds, axis=0)


def _name_workers(axes: Axes, label: str, parts: pd.DataFrame) -> None:
    axes.set(xlabel="worker", ylabel="share of its time")
    axes.set_xlim(parts.index[0] - 0.5, parts.index[-1] + 0.5)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_title(label, loc="left", color=looks([label])[label].colour)
    spent = [str(name) for name in parts if parts[name].any()]
    keys = [Patch(linewidth=0.0, **face(WORK[name][0]), label=WORK[name][1]) for name in spent]
    key_below(axes, [*keys, Patch(facecolor="white", edgecolor="#BBBBBB", label="idle")])
