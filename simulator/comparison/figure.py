"""What does a comparison look like?  Learning curves with their levels, and the ratios beside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.comparison.comparison import Compared
from simulator.figures.curves import plot_metric
from simulator.figures.drawing import save_all
from simulator.figures.looks import looks
from simulator.figures.style import GREY, STYLE, draw_level, number_ticks, styled
from simulator.statistics.ahead import Standing

SIZE = 7.4, 3.4
APART = 0.13
"""Between the methods at one level, where levels are 1 apart."""


@rc_context(STYLE)
def draw(compared: Compared, formats: Sequence[str] = ("png",)) -> list[Path]:
    """``figures/comparison``, in every format."""
    figure = Figure(figsize=SIZE, layout="constrained")
    curves, ratios = figure.subplots(1, 2, width_ratios=(3, 2))
    plot_metric(compared.race, curves)
    for level in compared.levels:
        if level != compared.scenario.stop.target:
            draw_level(curves, level, f"{level:,g}")
    plot_ratios(compared.standings, ratios)
    return save_all(figure, compared.directory / "figures" / "comparison", formats)


@styled
def plot_ratios(standings: Sequence[Standing], ax: Axes) -> Axes:
    """How many times the leader's seconds each method needs, a row of intervals per level."""
    levels = list(dict.fromkeys(each.level for each in standings))
    methods = sorted({each.method for each in standings})
    for method, look in looks(methods).items():
        shown = [each for each in standings if each.method == method and np.isfinite(each.times)]
        rows = np.array([levels.index(each.level) for each in shown], float)
        rows += APART * (methods.index(method) - (len(methods) - 1) / 2)
        times = np.array([each.times for each in shown])
        ends = np.array([(each.times_low, each.times_high) for each in shown]).reshape(-1, 2)
        known = np.isfinite(ends).all(axis=1)
        ax.hlines(rows[known], ends[known, 0], ends[known, 1], color=look.colour, linewidth=1.4)
        ax.plot(times, rows, look.marker, color=look.colour, markersize=4.5)
        for row, each in zip(rows, shown, strict=True):
            if each.at_least:
                arrow: dict[str, Any] = {"textcoords": "offset points", "color": look.colour}
                ax.annotate("\N{RIGHTWARDS ARROW}", (each.times, row), (4, 0), va="center", **arrow)
    ax.axvline(1, color=GREY, linewidth=0.8, zorder=0)
    ax.set_xscale("log")
    number_ticks(ax.xaxis)
    ax.set_yticks(range(len(levels)), [f"{level:,g}" for level in levels])
    ax.set_ylim(-0.6, len(levels) - 0.4)
    ax.set(xlabel="times the leader's seconds", ylabel="level")
    return ax
