"""How sensitive is a method to its settings?  Score against one setting, with a line per value of
another.

A panel shows one method; all other settings are at their best in each point.  Other circumstances
get a figure per value, because the best settings do not carry over between clusters.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from simulator.figures.style import (
    GREY,
    STYLE,
    axes_of,
    styled,
)
from simulator.statistics.frames import check_frame, rows_of
from simulator.sweeps.panel import (
    BEYOND,
    Plan,
    chosen,
    draw_panel,
    legend,
    limited,
    name_of,
    plan_of,
    scale,
    score_name,
    text_of,
    wrapped,
)
from simulator.sweeps.score import keys_of, ranked

PANEL = (2.35, 2.2)
"""Inches."""
ACROSS = 3
"""Panels side by side."""


@styled
def plot_sensitivity(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    method: str,
    x: str | None = None,
    line: str | None = None,
) -> Axes:
    """A method's score against one of its settings, from the frame of a sweep.

    ``x`` and ``line`` are columns, by default ``step`` and the key with the most values.  A band
    spans the 20% to 80% quantiles of the seeds, and a star marks the best.  A cross means that all
    runs failed, a hollow marker that the target is never reached or that the score is off the axis.

    >>> frame = pd.DataFrame({"method": "afedpg", "seed": 0, "case": 0, "setting": [0, 1]})
    >>> frame = frame.assign(step=[0.1, 0.2], score=[3.0, 4.0], final=[3.0, 4.0], reached=False)
    >>> frame = frame.assign(round=1, end="stop", score_kind="value", metric="return")
    >>> frame["better"] = "higher"
    >>> axes = plot_sensitivity(frame, method="afedpg")
    >>> axes.get_xlabel(), axes.lines[0].get_ydata().tolist()
    ('step', [3.0, 4.0])
    """
    check_frame("plot_sensitivity", "frame", frame, "what sweep returns")
    ranking = limited(_alike(rows_of(frame, [method])[method]))
    plan = plan_of(ranking, x, line)
    axes = axes_of(ax)
    draw_panel(axes, ranking, plan, method)
    scale(axes, ranking, plan)
    axes.set(xlabel=name_of(plan.x), ylabel=score_name(ranking))
    if keys := legend(plan):
        axes.legend(handles=keys)
    return axes


def draw_sensitivity(frame: pd.DataFrame) -> dict[str, Figure]:
    """The figures of a sweep, by file name."""
    ranking = _alike(frame)
    plan = plan_of(ranking, None, None)
    if not plan.figures:
        return {"sensitivity": _sheet(ranking, plan, "")}
    drawn = {}
    groups = ranking.groupby(plan.figures, sort=False, dropna=False)
    for at, (values, own) in enumerate(groups, start=1):
        pairs = zip(plan.figures, values, strict=True)
        title = ", ".join(f"{name} = {text_of(value)}" for name, value in pairs)
        drawn[f"sensitivity-{at}"] = _sheet(own, plan, title)
    return drawn


def _alike(frame: pd.DataFrame) -> pd.DataFrame:
    """All settings, ranked after runs of equal length: those of the first round."""
    return ranked(frame[frame["round"] == 1]).assign(early=frame["round"].max() > 1)


@styled
def _sheet(ranking: pd.DataFrame, plan: Plan, title: str) -> Figure:
    ranking = limited(ranking)
    rows = rows_of(ranking, list(dict.fromkeys(ranking.sort_values("setting")["method"])))
    lines = math.ceil(len(rows) / ACROSS)
    columns = math.ceil(len(rows) / lines)
    width = max(3.6, 0.5 + PANEL[0] * columns)
    handles = [*legend(plan), *_star(ranking)]
    labels = [str(handle.get_label()) for handle in handles]
    across = _columns(labels, width)
    tallest = max([1, *(1 + label.count("\n") for label in labels)])
    legend_lines = tallest * math.ceil(len(labels) / across)
    height = 1.1 + PANEL[1] * lines + 0.18 * max(0, legend_lines - 1)
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (method, own) in zip(panels.flat, rows.items(), strict=False):
        draw_panel(axes, own, plan, method)
        scale(axes, ranking, plan)
        axes.tick_params(labelbottom=True)
    for axes in panels.flat[len(rows) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel(score_name(ranking))
    for axes in panels.flat[max(0, len(rows) - columns) : len(rows)]:
        axes.set_xlabel(name_of(plan.x))
    if handles:
        figure.legend(handles=handles, loc="outside upper left", ncols=across)
    note = wrapped(_note(ranking, plan, title), int(18 * width))
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7, color=GREY)
    return figure


def _columns(labels: Sequence[str], inches: float) -> int:
    """The number of labels that fit side by side, with their handles and gaps."""
    size = STYLE["legend.fontsize"]
    lines = [line for label in labels for line in label.splitlines()]
    widths = [TextPath((0, 0), line, size=size).get_extents().width for line in lines]
    room = (72 * inches - size) / (max(widths, default=0) + 5 * size)
    return max(1, min(len(labels), int(room)))


def _star(ranking: pd.DataFrame) -> list[Line2D]:
    style: dict[str, Any] = {"marker": "*", "markersize": 9, "color": "black", "linestyle": ""}
    return [Line2D([], [], label="best", **style)] if chosen(ranking) else []


def _note(ranking: pd.DataFrame, plan: Plan, title: str) -> str:
    """The text below the figure: the meaning of lines, bands and markers."""
    seeds = int(ranking["runs"].max())
    of_times = ranking["score_kind"].iloc[0] == "time"
    note = f"{'Median' if of_times else 'Mean'} and 20-80% band of {seeds} seeds."
    note = note if seeds > 1 else "One seed."
    shown = {plan.x, plan.line, *plan.figures}
    if rest := [
        name_of(n) for n in keys_of(ranking) if n not in shown and ranking[n].nunique() > 1
    ]:
        note += f" Best {' and '.join(rest)} in each point."
    if (ranking["failed"] == ranking["runs"]).any():
        note += " Cross: every run failed."
    if np.isinf(ranking["score"]).any():
        never = "the median run does not get there"
        far = f"worse, and over {BEYOND:g} times the size of the best quarter's score"
        note += f" Hollow: {never if of_times else far}."
    return f"{title}\n{note}" if title else note
