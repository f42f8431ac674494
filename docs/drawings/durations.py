"""How long do the computations of a law last?  Its page's first example, drawn."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from drawings.pages import PAGES, beside_its_files, scenarios
from drawings.style import BLUE, GREY, ORANGE, PALE, RED, canvas, grid
from simulator.cluster import Cluster
from simulator.cluster.law import Floats

SHOWN, SAMPLED = 30, 20_000
"""Computations of each worker on the left, and of one worker on the right."""
WIDE = 12.0
"""From this ratio of the longest to the median on, seconds are drawn on a logarithmic scale."""
LONGER = np.geomspace(1, 0.001, 240)
"""The parts of all computations for which it is drawn what they exceed."""


def law(name: str) -> Figure:
    cluster = scenarios(PAGES / "laws" / f"{name}.md")[0].build_cluster()
    with beside_its_files():
        return varying(cluster) if cluster.compute.varies else steady(cluster)


def steady(cluster: Cluster) -> Figure:
    """One number per worker."""
    figure = canvas(2.1)
    axes = figure.subplots()
    seconds = cluster.computations(seed=0).all(np.zeros(cluster.workers, np.int64))
    workers = np.arange(cluster.workers)
    axes.bar(workers, seconds, width=0.55, color=BLUE)
    top = float(seconds.max())
    for worker, value in zip(workers, seconds, strict=True):
        axes.text(worker, value + 0.03 * top, f"{value:.3g}", ha="center", color=GREY, fontsize=8.5)
    axes.set_ylim(0, 1.15 * top)
    axes.set_xticks(workers)
    axes.set(xlabel="worker", ylabel="seconds")
    grid(axes)
    axes.tick_params(axis="x", length=0)
    return figure


def varying(cluster: Cluster) -> Figure:
    """The first computations of every worker, and how often one lasts longer than so many."""
    figure = canvas(2.7)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    durations, workers = cluster.computations(seed=0), cluster.workers
    seconds = np.array([durations.all(np.full(workers, k)) for k in range(SHOWN)])
    ends = seconds[np.isfinite(seconds)]
    wide = bool(ends.max() > WIDE * np.median(ends))
    _dots(left, seconds, wide)
    _tail(right, np.sort([durations.one(0, k) for k in range(SAMPLED)]), wide)
    return figure


def _dots(axes: Axes, seconds: Floats, wide: bool) -> None:
    shown, workers = seconds.shape
    beside = np.linspace(-0.36, 0.36, shown)
    top = float(seconds[np.isfinite(seconds)].max())
    for worker in range(workers):
        of_one = seconds[:, worker]
        ended = np.isfinite(of_one)
        if worker % 2:
            axes.axvspan(worker - 0.5, worker + 0.5, color=PALE, alpha=0.35, linewidth=0)
        axes.plot(worker + beside[ended], of_one[ended], "o", ms=2.6, mew=0, color=BLUE)
        never = worker + beside[~ended]
        if len(never):
            axes.plot(never, np.full(len(never), 1.15 * top), "x", ms=4.5, color=RED)
    axes.set_yscale("log" if wide else "linear")
    if not wide:
        axes.set_ylim(0, (1.25 if np.isinf(seconds).any() else 1.06) * top)
    axes.set_xlim(-0.5, workers - 0.5)
    axes.set_xticks(range(workers))
    title = f"{shown} computations of each worker"
    if np.isinf(seconds).any():
        title += " (crosses: never end)"
    axes.set(title=title, xlabel="worker", ylabel="seconds")
    _plain(axes, "y", wide)
    grid(axes)


def _tail(axes: Axes, ordered: Floats, wide: bool) -> None:
    at = np.minimum(((1 - LONGER) * SAMPLED).astype(int), SAMPLED - 1)
    shown = np.isfinite(ordered[at])
    seconds, longer = ordered[at][shown], LONGER[shown]
    axes.step(seconds, longer, where="pre", color=BLUE, lw=1.6)
    if not shown.all():
        axes.plot([seconds[-1], 1.5 * seconds[-1]], [longer[-1]] * 2, color=BLUE, lw=1.6)
    axes.set_xscale("log" if wide else "linear")
    axes.set_yscale("log")
    axes.set_ylim(0.0009, 1.3)
    axes.yaxis.set_major_locator(FixedLocator([0.001, 0.01, 0.1, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{100 * y:g}%"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    median = float(np.median(ordered))
    axes.axvline(median, color=ORANGE, lw=1.2, ls=(0, (4, 2)))
    axes.text(median, 0.0011, f" median {median:.3g}", color=GREY, fontsize=8.5)
    axes.set(title="how many last longer", xlabel="seconds")
    if not wide:
        axes.set_xlim(0, None)
    _plain(axes, "x", wide)
    grid(axes, "both")


def _plain(axes: Axes, which: str, wide: bool) -> None:
    """Numbers as one writes them."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    scale = LogLocator(subs=(1, 2, 5)) if wide else MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
    axis.set_major_locator(scale)
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_minor_formatter(NullFormatter())
