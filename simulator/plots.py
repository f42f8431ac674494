"""How do the methods compare?  Figures of a result directory, made to be printed.

A curve is the median over seeds, its band goes from their 20% to their 80% quantile.  A seed is
a step function: what was last observed holds until the next observation, and, where the metric
is drawn, for ever after its run has ended, as one at its target would keep its policy.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from simulator.cluster.law import Floats
from simulator.results import Results
from simulator.timeline import draw_timeline

if TYPE_CHECKING:
    import pandas as pd

TIMELINE_WORKERS = 10_000
"""Beyond, replaying every computation takes long, for the twenty workers that can be shown."""
STYLE: Any = {
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.5,
    "savefig.dpi": 300,
    "svg.fonttype": "none",
    "svg.hashsalt": "straggle",
}
METHOD_COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F5A2E",
)  # fmt: skip
"""Okabe and Ito's, which colour-blind eyes tell apart, with a brown for their yellow."""

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1)), (0, (6, 2.5, 1.5, 2.5)))
"""A second mark of a method, for curves that lie on each other and for grey paper."""

GREY = "#555555"
LOW, HIGH = 0.2, 0.8
POINTS = 600
"""Curves of more points than this are thinned out."""

WIDE = 10.0
"""An axis is logarithmic where the longest run is at least so many times the shortest."""

NAMES = {
    "time": "simulated time (s)",
    "environment_steps": "environment steps",
    "gradients": "gradients used",
    "step": "server steps",
    "gap": "optimality gap",
    "gradient_norm": "gradient norm",
}


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


# Curves


def metric_over_time(results: Results) -> Figure:
    """The metric against simulated seconds."""
    return _metric_over(results, "time")


def metric_over_work(results: Results) -> Figure:
    """The metric against environment steps, or, where there are none, gradients used."""
    return _metric_over(results, _work(results))


def _metric_over(results: Results, x: str) -> Figure:
    scenario = results.scenario
    metric, target = scenario.metric, scenario.stop.target
    curves = {label: band(rows, x, metric) for label, rows in _methods(results).items()}
    arrivals = {} if target is None else _arrivals(results, x)
    dots = {label: (place, target or 0.0) for label, place in arrivals.items()}
    names = NAMES[x], NAMES.get(metric, metric)
    logarithmic = _wide(results, x), not scenario.higher_is_better
    return _draw_chart(results, Chart(curves, dots, names, logarithmic, held=True), target)


def steps_over_time(results: Results) -> Figure:
    """Server steps against simulated seconds: how often each method gets to move."""
    rows, wide = _methods(results), _wide(results, "time") or _wide(results, "step")
    curves = {label: band(mine, "time", "step", hold=False) for label, mine in rows.items()}
    dots = {
        label: (seconds, float(np.interp(seconds, curves[label]["x"], curves[label]["median"])))
        for label, seconds in _arrivals(results, "time").items()
    }
    if wide:
        curves = {label: _from_one(curve) for label, curve in curves.items()}
    names = NAMES["time"], NAMES["step"]
    return _draw_chart(results, Chart(curves, dots, names, (wide, wide), held=False))


def _from_one(curve: "pd.DataFrame") -> "pd.DataFrame":
    """Where there has been a step: fewer have no logarithm."""
    begun = curve[curve["median"] >= 1]
    return begun.assign(low=begun["low"].clip(lower=1))


def band(steps: "pd.DataFrame", x: str, y: str, *, hold: bool = True) -> "pd.DataFrame":
    """One method's seeds as one curve: columns ``x``, ``low``, ``median`` and ``high``.

    Past its end a seed keeps its last value, or, without ``hold``, no longer counts.

    >>> import pandas as pd
    >>> frame = {"seed": [0, 0, 1, 1], "time": [0.0, 2.0, 0.0, 1.0], "return": [1.0, 5.0, 3.0, 9.0]}
    >>> band(pd.DataFrame(frame), "time", "return")["median"].tolist()
    [2.0, 5.0, 7.0]
    """
    import pandas as pd

    observed = steps[np.isfinite(steps[y])]
    at = _grid(observed[x].to_numpy(np.float64))
    seeds = [_observed(run, x, y, at, hold) for _, run in observed.groupby("seed")]
    quantiles = np.nanquantile(seeds, [LOW, 0.5, HIGH], axis=0) if seeds else np.empty((3, 0))
    low, median, high = quantiles
    return pd.DataFrame({"x": at, "low": low, "median": median, "high": high})


def _observed(run: "pd.DataFrame", x: str, y: str, at: Floats, hold: bool) -> Floats:
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


class Chart(NamedTuple):
    """Curves by method, and how their axes are."""

    curves: "dict[str, pd.DataFrame]"
    dots: dict[str, tuple[float, float]]
    """Where the methods reached the target, if they did."""
    names: tuple[str, str]
    logarithmic: tuple[bool, bool]
    held: bool
    """Whether curves hold what was last observed; counts grow all the time, and do not."""


@rc_context(STYLE)
def _draw_chart(results: Results, chart: Chart, target: float | None = None) -> Figure:
    figure = Figure(figsize=(4.2, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=chart.names[0], ylabel=chart.names[1])
    axes.grid(axis="y")
    left, right = _reach(chart)
    for label, curve in chart.curves.items():
        shown = _stretch(curve, left, right) if chart.held else curve
        _draw_curve(axes, shown, chart.held, _look(results, label))
    for label, (x, y) in chart.dots.items():
        marker = {"color": _look(results, label)["color"], "markeredgecolor": "white"}
        axes.plot(max(x, left), y, "o", markersize=6, zorder=4, **marker)
    if target is not None:
        _draw_target(axes, target)
    _scale(axes, chart.logarithmic, left)
    _draw_legend(figure, results, chart)
    return figure


def _reach(chart: Chart) -> tuple[float, float]:
    """Where the first axis begins and the last curve ends; no logarithm begins at 0."""
    places = np.concatenate([curve["x"].to_numpy(np.float64) for curve in chart.curves.values()])
    first = min(places[places > 0], default=1.0)
    return 0.7 * float(first) if chart.logarithmic[0] else 0.0, float(max(places, default=1.0))


def _stretch(curve: "pd.DataFrame", left: float, right: float) -> "pd.DataFrame":
    """From where the axis begins, at which the initial value holds, to just past the last value."""
    import pandas as pd

    last = curve.tail(1)
    past = last["x"] * (right / left) ** 0.004 if left > 0 else last["x"] + 0.004 * right
    longer = pd.concat([curve, last.assign(x=past)])
    return longer.assign(x=longer["x"].clip(lower=left))


def _draw_curve(axes: Axes, curve: "pd.DataFrame", held: bool, look: dict[str, Any]) -> None:
    drawstyle, step = ("steps-post", "post") if held else ("default", None)
    axes.plot(curve["x"], curve["median"], drawstyle=drawstyle, **look)
    if (curve["high"] > curve["low"]).any():
        face: dict[str, Any] = {"color": look["color"], "alpha": 0.18, "linewidth": 0, "step": step}
        axes.fill_between(curve["x"], curve["low"], curve["high"], **face)


def _draw_target(axes: Axes, target: float) -> None:
    axes.axhline(target, color=GREY, linewidth=0.7, zorder=1)
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    text = f"target\n{target:,g}"
    axes.annotate(text, (1, target), (4, 0), color=GREY, fontsize=8, va="center", **place)


def _scale(axes: Axes, logarithmic: tuple[bool, bool], left: float) -> None:
    axes.margins(x=0.03)
    for name, axis, log in zip("xy", (axes.xaxis, axes.yaxis), logarithmic, strict=True):
        axes.set(**{f"{name}scale": "log" if log else "linear"})
        axis.set_major_formatter(FuncFormatter(_number))
        axis.set_minor_formatter(NullFormatter())
        low, high = axis.get_view_interval()
        if not log and name == "x":
            axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        elif log and high < 200 * low:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.set_xlim(left=left)


def _number(value: float, position: int) -> str:
    """A tick's label, such as 20,000 or 0.05."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{value:,.10g}"
    digits, exponent = f"{value:e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if float(digits) == 1 else rf"${float(digits):g}\cdot{power}$"


def _draw_legend(figure: Figure, results: Results, chart: Chart) -> None:
    """Above the axes and beneath them, where it covers nothing."""
    lines = [
        Line2D([], [], label=label + _trouble(results, label), **_look(results, label))
        for label in chart.curves
    ]
    figure.legend(handles=lines, loc="outside upper left", ncols=2, handlelength=2.6)
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


@rc_context(STYLE)
def timeline(results: Results) -> Figure:
    """What every worker does in the opening rounds, a panel per method."""
    colours = {label: _look(results, label)["color"] for label in _methods(results)}
    return draw_timeline(results, colours)


# What is drawn


def _methods(results: Results) -> "dict[str, pd.DataFrame]":
    """The rows of every method that has some, in the order of the scenario."""
    steps = results.steps
    rows = {label: steps[steps["method"] == label] for label in results.scenario.methods}
    return {label: mine for label, mine in rows.items() if not mine.empty}


def _look(results: Results, label: str) -> dict[str, Any]:
    """A method's colour and dashes, the same in every figure of a scenario."""
    at = list(results.scenario.methods).index(label)
    dashes = at + at // len(DASHES)
    return {
        "color": METHOD_COLOURS[at % len(METHOD_COLOURS)],
        "linestyle": DASHES[dashes % len(DASHES)],
    }


def _arrivals(results: Results, x: str) -> dict[str, float]:
    """Where the median seed reached the target, for the methods of which it did."""
    runs = results.runs.set_index(["method", "seed"])
    ends = results.steps.groupby(["method", "seed"])[x].last()
    places = ends.astype(float).where(runs["end"] == "target", math.inf)
    medians = places.groupby("method").median()
    return {label: medians[label] for label in _methods(results) if medians[label] < math.inf}


def _wide(results: Results, x: str) -> bool:
    """Whether the runs end so far apart that the short ones need a logarithmic axis."""
    ends = results.steps.groupby(["method", "seed"])[x].max()
    ends = ends[ends > 0]
    return bool(not ends.empty and ends.max() >= WIDE * ends.min())


def _work(results: Results) -> str:
    return "environment_steps" if results.steps["environment_steps"].any() else "gradients"
