"""What does a comparison look like?  Learning curves with their levels, and the ratios beside."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulator.comparison.comparison import Compared
from simulator.figures.curves import plot_metric
from simulator.figures.drawing import save_all
from simulator.figures.looks import looks
from simulator.figures.style import GREY, STYLE, draw_level, number_ticks, styled
from simulator.statistics.ahead import Standing

SIZE = 7.4, 3.4
COLUMNS = 4
"""Entries in a row of the legend."""
MARKER = 4.5
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
    methods = list(compared.scenario.methods)
    plot_ratios(compared.standings, ratios, methods)
    _draw_legend(figure, curves, methods)
    return save_all(figure, compared.directory / "figures" / "comparison", formats)


def _draw_legend(figure: Figure, curves: Axes, methods: Sequence[str]) -> None:
    """One legend for both axes, above them: the line of the one, the marker of the other."""
    if drawn := curves.get_legend():
        drawn.remove()
    lines = [
        Line2D([], [], label=method, marker=look.marker, markersize=MARKER, **look.line)
        for method, look in looks(methods).items()
    ]
    figure.legend(handles=lines, loc="outside upper left", ncols=COLUMNS, handlelength=3.5)


@styled
def plot_ratios(standings: Sequence[Standing], ax: Axes, methods: Sequence[str]) -> Axes:
    """How many times the leader's seconds each method needs, a row of intervals per level.

    A triangle at the end of an interval marks a ratio that is at least as large.
    """
    levels = list(dict.fromkeys(each.level for each in standings))
    for method, look in looks(methods).items():
        shown = [each for each in standings if each.method == method and np.isfinite(each.times)]
        rows = np.array([levels.index(each.level) for each in shown], float)
        rows += APART * (methods.index(method) - (len(methods) - 1) / 2)
        times = np.array([each.times for each in shown])
        ends = np.array([(each.times_low, each.times_high) for each in shown]).reshape(-1, 2)
        known = np.isfinite(ends).all(axis=1)
        ax.hlines(rows[known], ends[known, 0], ends[known, 1], color=look.colour, linewidth=1.4)
        ax.plot(times, rows, look.marker, color=look.colour, markersize=MARKER)
        open_ended = [each.at_least and each.method != each.leader for each in shown]
        beyond = known & np.array(open_ended, bool)
        ax.plot(ends[beyond, 1], rows[beyond], ">", color=look.colour, markersize=MARKER)
    ax.axvline(1, color=GREY, linewidth=0.8, zorder=0)
    ax.set_xscale("log")
    number_ticks(ax.xaxis)
    ax.set_yticks(range(len(levels)), [f"{level:,g}" for level in levels])
    ax.set_ylim(-0.6, len(levels) - 0.4)
    ax.set(xlabel="times the leader's seconds", ylabel="level")
    return ax
