"""How does the time to a target grow, and as theory predicts?  One figure with logarithmic axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.figures.looks import Look, looks
from simulator.figures.style import (
    GREY,
    axes_of,
    draw_band,
    key_above,
    moved,
    number,
    number_ticks,
    styled,
)
from simulator.statistics.exponents import exponents, medians
from simulator.statistics.frames import check_frame, rows_of
from simulator.statistics.samples import CONFIDENCE, spread

LARGE = (5.2, 4.2)
"""Inches, with room for the legend."""
FEW = 8
"""Up to so many values have a tick each."""
THEORY: dict[str, Any] = {"linestyle": (0, (4, 3)), "linewidth": 0.8}


@styled
def plot_complexity(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    methods: str | Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Axes:
    """Seconds to the target against the varied parameter, from a complexity frame.

    A line is the median over the seeds, and its band spans their 20% to 80% quantiles.  At a hollow
    marker at the upper edge the median run does not reach the target.  A thin dashed line is the
    prediction with a fitted constant.  The legend has the measured exponent with its interval, and
    the predicted one: see ``simulator.exponents``.

    >>> frame = {"method": "a", "parameter": "noise", "value": [1, 2, 4], "seed": 0}
    >>> frame = pd.DataFrame(frame | {"seconds": [3.0, 6.0, 12.0], "predicted": [1.0, 2.0, 4.0]})
    >>> axes = plot_complexity(frame)
    >>> axes.get_legend().get_texts()[0].get_text()
    'a: 1.00 [1.00, 1.00], theory 1.00'
    """
    check_frame("plot_complexity", "frame", frame, "what complexity returns")
    rows = rows_of(frame, methods)
    chosen = pd.concat(rows.values())
    fitted = exponents(chosen, confidence, seed).set_index("method")
    axes, look = axes_of(ax, LARGE), looks(rows)
    name = str(chosen["parameter"].iloc[0]).replace("_", " ")
    axes.set(xscale="log", yscale="log", xlabel=name, ylabel="simulated time to the target (s)")
    for label, own in rows.items():
        _draw_band(axes, own, look[label])
        _draw_line(axes, own, look[label], legend(label, fitted.loc[label]))
        constant = float(fitted["constant"][label])
        if np.isfinite(constant):
            points, colour = medians(own), look[label].colour
            predicted = constant * points["predicted"]
            axes.plot(points["value"], predicted, color=colour, zorder=2.5, **THEORY)
    _scale(axes, chosen)
    _draw_never(axes, rows, look)
    if np.isfinite(fitted["constant"]).any():
        axes.plot([], [], color=GREY, label="theory, fitted constant", **THEORY)
    key_above(axes, columns=1)
    return axes


def legend(label: str, fit: Any) -> str:
    """A method with its exponents."""
    if not np.isfinite(fit["measured"]):
        return label
    text = f"{label}: {_exponent(fit['measured'])}"
    if np.isfinite(fit["low"]):
        text += f" [{_exponent(fit['low'])}, {_exponent(fit['high'])}]"
    if np.isfinite(fit["predicted"]):
        text += f", theory {_exponent(fit['predicted'])}"
    return text


def _exponent(value: float) -> str:
    # Adding 0.0 turns a negative zero into zero.
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")


def _draw_line(axes: Axes, own: pd.DataFrame, look: Look, label: str) -> None:
    """The medians, with gaps where the median run misses the target."""
    points = medians(own)
    shown = points["seconds"].where(np.isfinite(points["seconds"]))
    marker: dict[str, Any] = {"marker": look.marker, "markersize": 5, "label": label}
    axes.plot(points["value"], shown, **look.line, **marker)


def _draw_never(axes: Axes, rows: dict[str, pd.DataFrame], look: dict[str, Look]) -> None:
    """Hollow markers at the upper edge, side by side, for the methods that miss the target."""
    points = pd.concat([medians(own).assign(method=label) for label, own in rows.items()])
    for value, absent in points[~np.isfinite(points["seconds"])].groupby("value"):
        for place, label in enumerate(absent["method"]):
            beside = place - (len(absent) - 1) / 2
            # x in data, y in parts of the axes; a marker is 8 points wide.
            place_of = axes.get_xaxis_transform() + moved(axes, beside * 8)
            style: dict[str, Any] = {"transform": place_of, "clip_on": False, "zorder": 4}
            style |= {"color": look[label].colour, "markerfacecolor": "white", "markersize": 6}
            axes.plot(value, 1.0, look[label].marker, **style)


def _draw_band(axes: Axes, own: pd.DataFrame, look: Look) -> None:
    groups = own.groupby("value")["seconds"]
    low, high = np.array([spread(each) for _, each in groups]).T
    if (high > low).any():
        # Infinite times are drawn far beyond the edge of the axes.
        top, values = 1e3 * np.nanmax(own["seconds"]), np.sort(own["value"].unique())
        shown = np.isfinite(low)
        draw_band(axes, values, low, np.minimum(high, top), look.colour, where=shown)


def _scale(axes: Axes, frame: pd.DataFrame) -> None:
    """Limit the axes to the measurements, with a tick at each value if they are few."""
    seconds = frame["seconds"][np.isfinite(frame["seconds"]) & (frame["seconds"] > 0)]
    if not seconds.empty:
        axes.set_ylim(seconds.min() / 1.4, seconds.max() * 1.4)
    for axis in (axes.xaxis, axes.yaxis):
        number_ticks(axis)
    values = np.sort(frame["value"].unique())
    if len(values) <= FEW:
        axes.set_xticks(values, [number(_brief(value)) for value in values])
        axes.set_xticks([], minor=True)
    axes.grid(axis="y")


def _brief(value: float) -> float:
    """A fraction with three digits: more do not fit side by side."""
    return value if value == round(value) else float(f"{value:.3g}")
