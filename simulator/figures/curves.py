"""How are metrics, times to a target and delays drawn on axes?

Each function takes a frame and draws on ``ax``, or in a new figure; ``methods`` selects and orders.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from simulator.cluster.law import Floats
from simulator.figures.drawing import draw_chart
from simulator.figures.looks import Look, looks
from simulator.figures.pictures import Chart
from simulator.figures.plots import WIDE, metric_chart
from simulator.figures.style import (
    GREY,
    SIZE,
    axes_of,
    draw_level,
    key_above,
    number_ticks,
    styled,
)
from simulator.mistakes import Mistake, did_you_mean
from simulator.results.columns import columns_of
from simulator.results.results import Results
from simulator.statistics.arrivals import summarise
from simulator.statistics.curves import known_metric
from simulator.statistics.frames import check_frame, columns_by_method, rows_of
from simulator.statistics.samples import CONFIDENCE

When: TypeAlias = Literal["use", "arrival"]
LONG = 20
"""From this delay on the axis of delays is logarithmic above 1."""


@styled
def plot_metric(
    steps: pd.DataFrame | Results,
    ax: Axes | None = None,
    *,
    metric: str | None = None,
    x: str = "time",
    target: float | None = None,
    higher: bool | None = None,
    methods: str | Sequence[str] | None = None,
) -> Axes:
    """A metric against ``time``, ``step``, ``gradients`` or ``environment_steps``.

    Results supply the metric and target of their scenario.  A dot marks where the median seed
    reaches the target; ``higher`` is needed for a metric of your own: whether more is better.

    >>> frame = {"method": "afedpg", "seed": 0, "step": [0, 1], "time": [0.0, 1.5]}
    >>> axes = plot_metric(pd.DataFrame(frame | {"gap": [4.0, 2.0]}), metric="gap", target=2.0)
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('simulated time (s)', 'optimality gap')
    """
    if isinstance(steps, Results):
        scenario = steps.scenario
        metric = metric or scenario.metric
        if target is None and metric == scenario.metric:
            target = scenario.stop.target
        steps = steps.steps
    check_frame("plot_metric", "steps", steps, "results.steps, or results themselves")
    if metric is None:
        raise Mistake("plot_metric: needs metric=..., such as 'return'; only results know theirs")
    rows = columns_by_method(steps, methods)
    chart = metric_chart(rows, x, metric, target=target, higher=higher)
    return _drawn(ax, chart, target, f"target\n{target:,g}" if target is not None else "")


@styled
def plot_signal_to_noise(
    steps: pd.DataFrame,
    ax: Axes | None = None,
    *,
    x: str = "time",
    methods: str | Sequence[str] | None = None,
) -> Axes:
    """The signal-to-noise ratio of server steps, if it was recorded.

    >>> frame = {"method": "afedpg", "seed": 0, "time": [0.0, 1.5], "signal_to_noise": [4.0, 0.5]}
    >>> plot_signal_to_noise(pd.DataFrame(frame)).get_yscale()
    'log'
    """
    check_frame("plot_signal_to_noise", "steps", steps, "results.steps")
    rows = columns_by_method(steps, methods)
    known_metric(columns_of(steps), "signal_to_noise")
    chart = metric_chart(rows, x, "signal_to_noise")
    chart = chart._replace(logarithmic=(chart.logarithmic[0], True))
    return _drawn(ax, chart, 1.0, "as much\nnoise as\nsignal")


def _drawn(ax: Axes | None, chart: Chart, level: float | None, name: str) -> Axes:
    axes = axes_of(ax)
    draw_chart(axes, chart, looks(chart.curves))
    if level is not None:
        draw_level(axes, level, name)
    key_above(axes)
    return axes


@styled
def plot_time_to(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    value: str = "seconds",
    methods: str | Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Axes:
    """The time of each method to a target: a dot per seed, the median, its bootstrap interval.

    The frame is that of ``time_to``; ``value`` may also be ``gradients`` or ``steps``.  If some
    seeds miss the target, their number is shown; an infinite interval has an arrow.

    >>> frame = pd.DataFrame({"method": ["afedpg"] * 3, "seed": [0, 1, 2]})
    >>> axes = plot_time_to(frame.assign(seconds=[3.0, 4.0, float("nan")]))
    >>> axes.get_xlabel(), [text.get_text() for text in axes.texts]
    ('simulated time to the target (s)', ['2 of 3 seeds'])
    """
    check_frame("plot_time_to", "frame", frame, "time_to(results)")
    rows = rows_of(frame, methods)
    axes = axes_of(ax, (SIZE[0], 0.9 + 0.4 * len(rows)))
    look = looks(rows)
    names = {"seconds": "simulated time to the target (s)"}
    axes.set_xlabel(names.get(value, f"{value.replace('_', ' ')} to the target"))
    _scale_to(axes, frame[value].to_numpy(np.float64))
    for y, (label, own) in enumerate(rows.items()):
        summary = summarise(own, "method", value, confidence=confidence, seed=seed).iloc[0]
        values, colour = own[value].to_numpy(np.float64), look[label].colour
        # Seeds lie below the line of their median, so that neither hides the other.
        hollow: dict[str, Any] = {"facecolors": "none", "edgecolors": colour, "linewidths": 0.9}
        below = np.full(len(values), y + 0.22)
        axes.scatter(values, below, s=14, marker=look[label].marker, **hollow)
        _draw_interval(axes, y, summary, look[label])
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    return axes


def _scale_to(axes: Axes, values: Floats) -> None:
    """Fit the axis to all finite values; logarithmic if they are far apart."""
    values = values[np.isfinite(values)]
    positive = values[values > 0]
    if len(positive) == len(values) > 0 and values.max() >= WIDE * values.min():
        axes.set_xscale("log")
        axes.set_xlim(values.min() / 1.3, values.max() * 1.3)
    else:
        axes.set_xlim(0.0, 1.08 * max(values, default=1.0) or 1.0)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    number_ticks(axes.xaxis)


def _draw_interval(axes: Axes, y: int, summary: Any, look: Look) -> None:
    right, high = axes.get_xlim()[1], summary["high"]
    solid: dict[str, Any] = {"color": look.colour, "clip_on": False, "zorder": 3}
    if np.isfinite(summary["low"]):
        axes.plot([summary["low"], min(high, right)], [y, y], linewidth=2.2, **solid)
        if not np.isfinite(high):
            axes.plot(right, y, ">", markersize=5, **solid)
    if np.isfinite(summary["median"]):
        axes.plot(summary["median"], y, look.marker, markersize=7, markeredgecolor="white", **solid)
    if summary["reached"] < summary["of"]:
        style: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
        style |= {"textcoords": "offset points", "color": GREY, "fontsize": 8}
        axes.annotate(f"{summary['reached']} of {summary['of']} seeds", (1, y), (7, 0), **style)


@styled
def plot_staleness(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    methods: str | Sequence[str] | None = None,
    when: When = "use",
) -> Axes:
    """The delays of used gradients: the share of gradients with at most a delay.

    A delay counts the server steps between the point of a gradient and the step that used it.
    Tickets have it for every gradient; steps have only the mean over their gradients, or, without
    the column ``mean_delay``, the largest.  All seeds have equal weight.  ``when = "arrival"``
    takes the delays on arrival, without the time in a buffer or queue; only steps have them.

    >>> frame = pd.DataFrame({"method": "afedpg", "step": [0, 1, 2, 3]})
    >>> axes = plot_staleness(frame.assign(tickets=[0, 1, 1, 2], max_delay=[0, 0, 3, 1]))
    >>> axes.lines[0].get_ydata().tolist()
    [0.0, 0.25, 0.75, 1.0, 1.0]
    """
    check_frame("plot_staleness", "frame", frame, "results.steps or results.tickets")
    if when not in get_args(When):
        raise Mistake(f"plot_staleness: when = {when!r}; {did_you_mean(when, get_args(When))}")
    rows = rows_of(frame, methods)
    delays = {label: _delays(own, when) for label, own in rows.items()}
    longest = max((values.max() for values, _ in delays.values() if len(values)), default=0.0)
    axes, look = axes_of(ax), looks(rows)
    for label, (values, weights) in delays.items():
        at, first = np.unique(values, return_inverse=True)
        share = np.cumsum(np.bincount(first, weights=weights)) / weights.sum()
        x = np.concatenate([[0.0], at, [1.05 * longest + 0.5]])
        y = np.concatenate([[0.0], share, [1.0]])
        axes.plot(x, y, drawstyle="steps-post", label=label, **look[label].line)
    _name_staleness(axes, frame, float(longest), when)
    key_above(axes)
    return axes


def _delays(own: pd.DataFrame, when: When) -> tuple[Floats, Floats]:
    if "used_in_step" in own and when == "use":
        used = own.dropna(subset=["used_in_step"])
        delays = used["used_in_step"].astype(np.int64) - 1 - used["version"]
        return delays.to_numpy(np.float64), np.ones(len(used))
    steps = own[own["tickets"] > 0]
    column = _delay_column(steps, when)
    return steps[column].to_numpy(np.float64), steps["tickets"].to_numpy(np.float64)


def _delay_column(frame: pd.DataFrame, when: When) -> str:
    columns = ("mean_delay", "max_delay") if when == "use" else ("arrival_delay",)
    for column in columns:
        if column in frame:
            return column
    if when == "arrival":
        raise Mistake("plot_staleness: when = 'arrival': only results.steps have these delays")
    raise Mistake("plot_staleness: needs tickets, or steps with a mean_delay or max_delay")


def _name_staleness(axes: Axes, frame: pd.DataFrame, longest: float, when: When) -> None:
    of = {
        "mean_delay": "mean delay of a step's gradients",
        "max_delay": "largest delay in a step",
        "arrival_delay": "mean delay of a step's gradients on arrival",
    }
    tickets = "used_in_step" in frame and when == "use"
    what = "delay" if tickets else of[_delay_column(frame, when)]
    axes.set(xlabel=f"{what} (server steps)", ylabel="gradients used with at most it")
    if longest >= LONG:
        axes.set_xscale("symlog", linthresh=1.0)
    axes.set_xlim(-0.02 * max(1.0, longest if longest < LONG else 4.0), 1.05 * longest + 0.5)
    number_ticks(axes.xaxis)
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(axis="y")
