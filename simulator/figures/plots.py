"""How do the methods compare?  The figures that a run leaves behind, made to be printed."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from simulator.figures.bands import HIGH, LOW, band
from simulator.figures.curves import (
    NAMES,
    Chart,
    arrivals,
    draw_chart,
    is_wide,
    metric_chart,
    rows_of,
)
from simulator.figures.style import GREY, SIZE, STYLE, Look, draw_level, looks, sheet
from simulator.figures.timeline import draw_timeline
from simulator.results.results import Results

if TYPE_CHECKING:
    import pandas as pd

TIMELINE_WORKERS = 10_000
"""Beyond, replaying every computation takes long, for the twenty workers that can be shown."""
LEGEND_ROWS, ROW = 2, 0.165
"""So many rows of a legend the figure has room for; the height of a further one, in inches."""
LONGEST = 26
"""Characters of a label of which two fit side by side."""


def draw(results: Results, directory: Path) -> list[Path]:
    """Every figure of the results, each as PNG and SVG; the paths that were written."""
    written = []
    for name, figure_of in figures(results).items():
        figure = figure_of(results)
        for suffix in (".png", ".svg"):
            path = directory / (name + suffix)
            save(figure, path)
            written.append(path)
    return written


def figures(results: Results) -> dict[str, Callable[[Results], Figure]]:
    """Which figures the results call for, by file name."""
    if results.steps.empty:
        return {}
    drawn: dict[str, Callable[[Results], Figure]] = {}
    if not results.schedule_only:
        metric, work = results.scenario.metric, _work(results).replace("_", "-")
        drawn[f"{metric}-time"] = metric_over_time
        drawn[f"{metric}-{work}"] = metric_over_work
    drawn["steps-time"] = steps_over_time
    if results.scenario.cluster.workers <= TIMELINE_WORKERS:
        drawn["timeline"] = timeline
    return drawn


@rc_context(STYLE)
def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the path's suffix names: the same bytes every time."""
    undated = {".svg": {"Date": None, "Creator": None}, ".png": {"Software": None}}
    figure.savefig(path, metadata=undated[path.suffix])


def metric_over_time(results: Results) -> Figure:
    """The metric against simulated seconds."""
    return _metric_over(results, "time")


def metric_over_work(results: Results) -> Figure:
    """The metric against environment steps, or, where there are none, gradients used."""
    return _metric_over(results, _work(results))


def _metric_over(results: Results, x: str) -> Figure:
    scenario, target = results.scenario, results.scenario.stop.target
    higher = scenario.higher_is_better
    rows = _methods(results)
    chart = metric_chart(rows, x, scenario.metric, target=target, higher=higher)
    return _draw_figure(results, chart, target)


def steps_over_time(results: Results) -> Figure:
    """Server steps against simulated seconds: how often each method gets to move."""
    rows = _methods(results)
    wide = is_wide(results.steps, "time") or is_wide(results.steps, "step")
    curves = {label: band(mine, "time", "step", hold=False) for label, mine in rows.items()}
    dots = {
        label: (seconds, float(np.interp(seconds, curves[label]["x"], curves[label]["median"])))
        for label, seconds in _arrivals(results).items()
    }
    if wide:
        curves = {label: _from_one(curve) for label, curve in curves.items()}
    names = NAMES["time"], NAMES["step"]
    figure = _draw_figure(results, Chart(curves, dots, names, (wide, wide), held=False))
    if not wide:
        figure.axes[0].yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _from_one(curve: "pd.DataFrame") -> "pd.DataFrame":
    """Where there has been a step: fewer have no logarithm."""
    begun = curve[curve["median"] >= 1]
    return begun.assign(low=begun["low"].clip(lower=1))


@rc_context(STYLE)
def timeline(results: Results) -> Figure:
    """What every worker does in the opening rounds, a panel per method."""
    colours = {label: _looks(results)[label].colour for label in _methods(results)}
    return draw_timeline(results, colours)


# A figure around a chart


@rc_context(STYLE)
def _draw_figure(results: Results, chart: Chart, target: float | None = None) -> Figure:
    look = _looks(results)
    lines = [
        Line2D([], [], label=label + _trouble(results, label), **look[label].line)
        for label in chart.curves
    ]
    columns = 2 if all(len(str(line.get_label())) <= LONGEST for line in lines) else 1
    # What the legend takes comes on top: however many methods there are, the axes stay as large.
    rows = max(0, -(-len(lines) // columns) - LEGEND_ROWS)
    figure, axes = sheet((SIZE[0], SIZE[1] + rows * ROW))
    draw_chart(axes, chart, look)
    if target is not None:
        draw_level(axes, target, f"target\n{target:,g}")
    figure.legend(handles=lines, loc="outside upper left", ncols=columns, handlelength=2.6)
    _draw_note(figure, results, chart)
    return figure


def _draw_note(figure: Figure, results: Results, chart: Chart) -> None:
    """Beneath the axes, where it covers nothing."""
    seeds = results.steps["seed"].nunique()
    past = "keeps its last value" if chart.held else "is left out"
    note = (
        f"Median and {100 * LOW:.0f}-{HIGH:.0%} band of {seeds} seeds; past its end a seed {past}."
    )
    note = note if seeds > 1 else "One seed."
    note += "\nA dot marks where the median seed reaches the target." if chart.dots else ""
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7, color=GREY)


def _trouble(results: Results, label: str) -> str:
    """Which of its runs ended against their will."""
    ends = results.runs.loc[results.runs["method"] == label, "end"]
    counts = ends[ends.isin(["stalled", "failed", "interrupted"])].value_counts(sort=False)
    troubles = [f"{end}" if many == len(ends) else f"{many} {end}" for end, many in counts.items()]
    return f" ({', '.join(troubles)})" if troubles else ""


# What is drawn


def _methods(results: Results) -> "dict[str, pd.DataFrame]":
    """The rows of every method that has some, in the order of the scenario."""
    there = set(results.steps["method"])
    return rows_of(results.steps, [each for each in results.scenario.methods if each in there])


def _looks(results: Results) -> dict[str, Look]:
    """Of every method of the scenario, whether it has been run or not."""
    return looks(results.scenario.methods)


def _arrivals(results: Results) -> dict[str, float]:
    """Where the median seed reached the target, if there is one."""
    scenario, target = results.scenario, results.scenario.stop.target
    if target is None or results.schedule_only:
        return {}
    higher = scenario.higher_is_better
    return arrivals(results.steps, "time", target, scenario.metric, higher)


def _work(results: Results) -> str:
    return "environment_steps" if results.steps["environment_steps"].any() else "gradients"
