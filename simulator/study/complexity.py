"""How does the time to a target grow, and does it grow as theory says?  One figure, log by log."""

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
"""Inches: its legend takes room."""

FEW = 8
"""Up to how many values are each written at the axis."""


@styled
def plot_complexity(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    methods: str | Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Axes:
    """Seconds to the target against the parameter that is varied, from a complexity frame.

    A line is the median over the seeds, its band goes to the seeds at or beyond their 20% and 80%
    quantiles.  A hollow marker at the upper edge: there the median run does not reach the target.
    The thin dashed line is the prediction at its fitted constant.  The legend tells the measured
    exponent with its interval, and the predicted one: see ``simulator.exponents``.

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
    axes.set(xscale="log", yscale="log", xlabel=_name(chosen))
    axes.set_ylabel("simulated time to the target (s)")
    for label, mine in rows.items():
        _draw_band(axes, mine, look[label])
        _draw_line(axes, mine, look[label], told(label, fitted.loc[label]))
        _draw_theory(axes, medians(mine), float(fitted["constant"][label]), look[label])
    _scale(axes, chosen)
    _draw_never(axes, rows, look)
    if np.isfinite(fitted["constant"]).any():
        axes.plot([], [], color=GREY, label="theory, fitted constant", **THEORY)
    key_above(axes, columns=1)
    return axes


THEORY: dict[str, Any] = {"linestyle": (0, (4, 3)), "linewidth": 0.8}


def _name(frame: pd.DataFrame) -> str:
    return str(frame["parameter"].iloc[0]).replace("_", " ")


def told(label: str, fit: Any) -> str:
    """A method with its exponents, as the legend has it."""
    if not np.isfinite(fit["measured"]):
        return label
    told = f"{label}: {_exponent(fit['measured'])}"
    if np.isfinite(fit["low"]):
        told += f" [{_exponent(fit['low'])}, {_exponent(fit['high'])}]"
    if np.isfinite(fit["predicted"]):
        told += f", theory {_exponent(fit['predicted'])}"
    return told


def _exponent(value: float) -> str:
    """Two digits and a proper minus sign; no zero is negative."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")


def _draw_line(axes: Axes, mine: pd.DataFrame, look: Look, label: str) -> None:
    """With a gap where the median run does not get there."""
    points = medians(mine)
    shown = points["seconds"].where(np.isfinite(points["seconds"]))
    marker: dict[str, Any] = {"marker": look.marker, "markersize": 5, "label": label}
    axes.plot(points["value"], shown, **look.line, **marker)


def _draw_never(axes: Axes, rows: dict[str, pd.DataFrame], look: dict[str, Look]) -> None:
    """Beside each other at the upper edge: who does not get there, value by value."""
    points = pd.concat([medians(mine).assign(method=label) for label, mine in rows.items()])
    for value, absent in points[~np.isfinite(points["seconds"])].groupby("value"):
        for place, label in enumerate(absent["method"]):
            beside = place - (len(absent) - 1) / 2
            # Values across, parts of the axes upwards, and a marker is 8 points wide.
            place_of = axes.get_xaxis_transform() + moved(axes, beside * 8)
            where: dict[str, Any] = {"transform": place_of, "clip_on": False}
            kind: dict[str, Any] = {"color": look[label].colour, "markerfacecolor": "white"}
            axes.plot(value, 1.0, look[label].marker, markersize=6, zorder=4, **kind, **where)


def _draw_band(axes: Axes, mine: pd.DataFrame, look: Look) -> None:
    groups = mine.groupby("value")["seconds"]
    low, high = np.array([spread(each) for _, each in groups]).T
    if (high > low).any():
        # What is infinite is drawn far beyond the edge of the axes.
        top = 1e3 * np.nanmax(mine["seconds"])
        shown = np.isfinite(low)
        values = np.sort(mine["value"].unique())
        draw_band(axes, values, low, np.minimum(high, top), look.colour, where=shown)


def _draw_theory(axes: Axes, points: pd.DataFrame, constant: float, look: Look) -> None:
    if np.isfinite(constant):
        predicted = constant * points["predicted"]
        axes.plot(points["value"], predicted, color=look.colour, zorder=2.5, **THEORY)


def _scale(axes: Axes, frame: pd.DataFrame) -> None:
    """As far as there are measurements, and a tick at each value if they are few."""
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
    """Three digits of what is no whole number: more do not fit beside each other."""
    return value if value == round(value) else float(f"{value:.3g}")
