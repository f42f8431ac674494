"""How does something change as a run goes on?  Curves per method, on axes.

A curve is the median over seeds, with its band: see ``simulator.bands``.  Each function takes the
``steps`` of results and draws on ``ax``, or in a new figure; ``methods`` chooses and orders them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulator.figures.arrivals import PLACES, is_higher_better, known_metric, time_to
from simulator.figures.bands import band
from simulator.figures.intervals import median
from simulator.figures.style import (
    PALE,
    Look,
    draw_level,
    fresh,
    key_above,
    looks,
    number_ticks,
    styled,
)
from simulator.mistakes import Mistake, did_you_mean

WIDE = 10.0
"""An axis is logarithmic where the longest run is at least so many times the shortest."""

NAMES = {
    "time": "simulated time (s)",
    "environment_steps": "environment steps",
    "gradients": "gradients used",
    "step": "server steps",
    "gap": "optimality gap",
    "gradient_norm": "gradient norm",
    "signal_to_noise": "signal-to-noise ratio",
}
MOMENTS = {column: place for place, column in PLACES.items()}


class Chart(NamedTuple):
    """Curves by method, and how their axes are."""

    curves: dict[str, pd.DataFrame]
    dots: dict[str, tuple[float, float]]
    """Where the methods reached the target, if they did."""
    names: tuple[str, str]
    logarithmic: tuple[bool, bool]
    held: bool
    """Whether curves hold what was last observed; counts grow all the time, and do not."""


@styled
def plot_metric(
    steps: pd.DataFrame,
    ax: Axes | None = None,
    *,
    metric: str,
    x: str = "time",
    target: float | None = None,
    higher: bool | None = None,
    methods: Sequence[str] | None = None,
) -> Axes:
    """A metric against ``time``, ``step``, ``gradients`` or ``environment_steps``.

    A dot marks where the median seed reaches the target; ``higher`` tells in which direction that
    is, where the metric is not one of ours.

    >>> frame = {"method": "afedpg", "seed": 0, "step": [0, 1], "time": [0.0, 1.5]}
    >>> axes = plot_metric(pd.DataFrame(frame | {"gap": [4.0, 2.0]}), metric="gap", target=2.0)
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('simulated time (s)', 'optimality gap')
    """
    rows = rows_of(steps, methods)
    chart = metric_chart(rows, x, metric, target=target, higher=higher)
    axes = ax or fresh()
    draw_chart(axes, chart, looks(rows))
    if target is not None:
        draw_level(axes, target, f"target\n{target:,g}")
    key_above(axes)
    return axes


@styled
def plot_signal_to_noise(
    steps: pd.DataFrame,
    ax: Axes | None = None,
    *,
    x: str = "time",
    methods: Sequence[str] | None = None,
) -> Axes:
    """How much of what a server step goes by is signal, where that was recorded.

    >>> frame = {"method": "afedpg", "seed": 0, "time": [0.0, 1.5], "signal_to_noise": [4.0, 0.5]}
    >>> plot_signal_to_noise(pd.DataFrame(frame)).get_yscale()
    'log'
    """
    rows = rows_of(steps, methods)
    known_metric(steps, "signal_to_noise")
    chart = metric_chart(rows, x, "signal_to_noise")
    axes = ax or fresh()
    draw_chart(axes, chart._replace(logarithmic=(chart.logarithmic[0], True)), looks(rows))
    draw_level(axes, 1.0, "as much\nnoise as\nsignal")
    key_above(axes)
    return axes


def rows_of(frame: pd.DataFrame, methods: Sequence[str] | None = None) -> dict[str, pd.DataFrame]:
    """The rows of every method that has some, in their own order or the one that is asked for."""
    there = list(dict.fromkeys(frame["method"])) if "method" in frame else []
    if not there:
        raise Mistake("there is nothing to draw: the frame has no rows of a method")
    for label in methods or ():
        if label not in there:
            raise Mistake(f"method {label!r}: no such method; {did_you_mean(label, there)}")
    return {label: frame[frame["method"] == label] for label in methods or there}


def metric_chart(
    rows: dict[str, pd.DataFrame],
    x: str,
    metric: str,
    *,
    target: float | None = None,
    higher: bool | None = None,
) -> Chart:
    """The curves of a metric; one of which less is better has a logarithmic axis."""
    every = pd.concat(rows.values())
    known_metric(every, metric)
    if x not in every:
        raise Mistake(f"x = {x!r}: no such column; {did_you_mean(x, MOMENTS)}")
    higher = is_higher_better(metric) if higher is None else higher
    curves = {label: band(mine, x, metric) for label, mine in rows.items()}
    dots: dict[str, tuple[float, float]] = {}
    if target is not None:
        places = arrivals(every, x, target, metric, higher)
        dots = {label: (place, target) for label, place in places.items()}
    names = NAMES.get(x, x), NAMES.get(metric, metric)
    return Chart(curves, dots, names, (is_wide(every, x), higher is False), held=True)


def arrivals(
    steps: pd.DataFrame, x: str, target: float, metric: str, higher: bool | None = None
) -> dict[str, float]:
    """Where the median seed reached the target, for the methods of which it did."""
    found = time_to(steps, target, metric, higher)
    medians = found.groupby("method", sort=False)[MOMENTS[x]].agg(median)
    return {str(label): place for label, place in medians.items() if np.isfinite(place)}


def is_wide(steps: pd.DataFrame, x: str) -> bool:
    """Whether the runs end so far apart that the short ones need a logarithmic axis."""
    ends = steps.groupby(["method", "seed"])[x].max()
    ends = ends[ends > 0]
    return bool(not ends.empty and ends.max() >= WIDE * ends.min())


# On the axes


def draw_chart(axes: Axes, chart: Chart, looks: dict[str, Look]) -> None:
    """Curves, bands and dots, and the axes around them."""
    axes.set(xlabel=chart.names[0], ylabel=chart.names[1])
    axes.grid(axis="y")
    left, right = _reach(chart)
    for label, curve in chart.curves.items():
        shown = _stretch(curve, left, right) if chart.held else curve
        _draw_curve(axes, shown, chart.held, looks[label], label)
    for label, (x, y) in chart.dots.items():
        marker: dict[str, Any] = {"color": looks[label].colour, "markeredgecolor": "white"}
        axes.plot(max(x, left), y, "o", markersize=6, zorder=4, **marker)
    _scale(axes, chart.logarithmic, left)


def _reach(chart: Chart) -> tuple[float, float]:
    """Where the first axis begins and the last curve ends; no logarithm begins at 0."""
    places = np.concatenate([curve["x"].to_numpy(np.float64) for curve in chart.curves.values()])
    first = min(places[places > 0], default=1.0)
    return 0.7 * float(first) if chart.logarithmic[0] else 0.0, float(max(places, default=1.0))


def _stretch(curve: pd.DataFrame, left: float, right: float) -> pd.DataFrame:
    """From where the axis begins, at which the initial value holds, to just past the last value."""
    last = curve.tail(1)
    past = last["x"] * (right / left) ** 0.004 if left > 0 else last["x"] + 0.004 * right
    longer = pd.concat([curve, last.assign(x=past)])
    return longer.assign(x=longer["x"].clip(lower=left))


def _draw_curve(axes: Axes, curve: pd.DataFrame, held: bool, look: Look, label: str) -> None:
    drawstyle, step = ("steps-post", "post") if held else ("default", None)
    alone = "o" if len(curve) == 1 else None  # a line of one point is none
    axes.plot(
        curve["x"],
        curve["median"],
        drawstyle=drawstyle,
        label=label,
        marker=alone,
        markersize=4,
        **look.line,
    )
    if (curve["high"] > curve["low"]).any():
        face: dict[str, Any] = {"color": look.colour, "alpha": PALE, "linewidth": 0, "step": step}
        axes.fill_between(curve["x"], curve["low"], curve["high"], **face)


def _scale(axes: Axes, logarithmic: tuple[bool, bool], left: float) -> None:
    axes.margins(x=0.03)
    for name, axis, log in zip("xy", (axes.xaxis, axes.yaxis), logarithmic, strict=True):
        axes.set(**{f"{name}scale": "log" if log else "linear"})
        number_ticks(axis)
    if not logarithmic[0]:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xlim(left=left)
