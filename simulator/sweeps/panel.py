"""How is the sensitivity of one method drawn on axes?  Score against one setting, in lines."""

import math
import re
import textwrap
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from simulator.figures.looks import DASHES, MARKERS
from simulator.figures.plots import NAMES, WIDE
from simulator.figures.style import (
    GREY,
    draw_band,
    moved,
    number,
    number_ticks,
)
from simulator.sweeps.keys import is_circumstance
from simulator.sweeps.score import keys_of

NOTHING = "no such setting"
BEYOND = 100.0
"""A score that is this many times worse than that of the best quarter is off the axis."""


class Plan(NamedTuple):
    """The columns along the axis and of the lines, and their values, for all panels."""

    x: str
    line: str | None
    places: list[Any]
    """All values along x, in order; numbers, or text."""
    lines: list[Any]
    figures: list[str]
    """Circumstances with a figure per value."""

    @property
    def numeric(self) -> bool:
        return not any(isinstance(place, str) for place in self.places)

    @property
    def logarithmic(self) -> bool:
        return self.numeric and _is_wide(self.places)


def plan_of(ranking: pd.DataFrame, x: str | None, line: str | None) -> Plan:
    """By default, steps along the axis, and lines for the key with the most values."""
    counts = {name: ranking[name].nunique() for name in keys_of(ranking)}
    tuned = {name: values for name, values in counts.items() if not is_circumstance(name)}
    varied = [name for name, values in tuned.items() if values > 1] or list(counts)
    along = x or ("step" if "step" in varied else max(varied, key=lambda name: counts[name]))
    others = [name for name, values in counts.items() if name != along and values > 1]
    others.sort(key=lambda name: (is_circumstance(name), -counts[name]))
    across = line or (others[0] if others else None)
    figures = [name for name in others if is_circumstance(name) and name != across]
    in_order = ranking.sort_values("setting")
    lines = _ordered(in_order[across]) if across else []
    return Plan(along, across, _ordered(in_order[along]), lines, figures)


def _ordered(values: "pd.Series[Any]") -> list[Any]:
    """Numbers by size, text in the order of the sweep."""
    distinct = list(dict.fromkeys(values.dropna()))
    return distinct if any(isinstance(value, str) for value in distinct) else sorted(distinct)


def limited(ranking: pd.DataFrame) -> pd.DataFrame:
    """Replace scores by infinity if they would make the others flat, as diverging runs do.

    Times are bounded by the end of the run, and all shown.
    """
    scores = ranking["score"]
    known = scores[np.isfinite(scores)].tolist()
    if ranking["score_kind"].iloc[0] == "time" or not known:
        return ranking
    worse = 1.0 if _less_is_better(ranking) else -1.0
    known.sort(key=lambda score: worse * score)
    most = BEYOND * max(abs(known[0]), abs(known[(len(known) - 1) // 4]))
    beyond = (worse * scores > most) & (most > 0)
    return ranking.assign(score=scores.mask(beyond, worse * math.inf))


def _is_wide(values: Sequence[float]) -> bool:
    return bool(values) and min(values) > 0 and max(values) >= WIDE * min(values)


def draw_panel(axes: Axes, ranking: pd.DataFrame, plan: Plan, method: str) -> None:
    axes.set_title(method, loc="left", fontweight="bold")
    axes.grid(axis="y")
    lines = [(points, _look(plan, value)) for value, points in _lines(ranking, plan)]
    for points, look in lines:
        _draw_line(axes, points, look)
    _draw_lost(axes, lines)
    for first in chosen(ranking):
        if (place := _place(plan, first[plan.x])) is not None:
            star: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.7, "zorder": 5}
            axes.plot(place, first["score"], "*", color="black", markersize=11, **star)


def chosen(ranking: pd.DataFrame) -> "list[pd.Series[Any]]":
    """The best setting of each case with several settings, if it has a finite score."""
    groups = ranking.groupby(["case", "method"], sort=False)
    firsts = [own.iloc[0] for _, own in groups if len(own) > 1]
    return [first for first in firsts if np.isfinite(first["score"])]


def _lines(ranking: pd.DataFrame, plan: Plan) -> list[tuple[Hashable, pd.DataFrame]]:
    """The best points of each line, from left to right."""
    shown = ranking.assign(place=ranking[plan.x].map(lambda value: _place(plan, value)))
    of = shown[plan.line] if plan.line else pd.Series(NOTHING, shown.index)
    shown = shown.assign(line=of.astype(object).where(of.notna(), NOTHING))
    best = shown.drop_duplicates(["line", "place"])
    of_line = {value: each.sort_values("place") for value, each in best.groupby("line", sort=False)}
    order = [value for value in [*plan.lines, NOTHING] if value in of_line]
    return [(value, of_line[value]) for value in order]


def _place(plan: Plan, value: Any) -> float | None:
    """The coordinate along the axis; None if the method has no such setting."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return float(value) if plan.numeric else float(plan.places.index(value))


class Look(NamedTuple):
    colour: Any
    dashes: Any
    marker: str


def _look(plan: Plan, value: Any) -> Look:
    """The look of a line: colours from dark to light, with dashes and markers for grey paper."""
    if value not in plan.lines:
        return Look(GREY if plan.lines else "#0072B2", "-", "o")
    at = plan.lines.index(value)
    shade = 0.05 + 0.75 * at / max(1, len(plan.lines) - 1)
    return Look(colormaps["viridis"](shade), DASHES[at % len(DASHES)], MARKERS[at % len(MARKERS)])


def _draw_line(axes: Axes, points: pd.DataFrame, look: Look) -> None:
    known = points[np.isfinite(points["score"])]
    if points["place"].isna().all():
        # A method that has no such setting is the same everywhere.
        for score in known["score"].head(1):
            axes.axhline(score, color=look.colour, linewidth=1.2)
        if known.empty:
            lost = "never" if points["score_kind"].iloc[0] == "time" else "beyond the axis"
            word = lost if np.isinf(points["score"]).any() else "failed"
            style: dict[str, Any] = {"color": GREY, "ha": "center", "va": "center"}
            axes.text(0.5, 0.5, word, transform=axes.transAxes, **style)
        return
    style = {"color": look.colour, "linestyle": look.dashes, "linewidth": 1.3}
    shown = points["score"].where(np.isfinite(points["score"]))
    axes.plot(points["place"], shown, marker=look.marker, markersize=4, **style)
    if (known["high"] > known["low"]).any():
        top = known["high"].where(np.isfinite(known["high"]), 1e3 * known["score"].max())
        draw_band(axes, known["place"], known["low"], top, look.colour)


def _draw_lost(axes: Axes, lines: Iterable[tuple[pd.DataFrame, Look]]) -> None:
    """Markers at the worse edge, side by side, for points without a score on the axis."""
    lost = defaultdict(list)
    for points, look in lines:
        for row in points[~np.isfinite(points["score"]) & points["place"].notna()].itertuples():
            lost[row.place].append((row, look))
        worse = 1.0 if _less_is_better(points) else 0.0
    for place, points_there in lost.items():
        apart = min(5.0, 18 / len(points_there))
        for at, (row, look) in enumerate(points_there):
            shift = moved(axes, (at - (len(points_there) - 1) / 2) * apart)
            style: dict[str, Any] = {"color": look.colour, "markersize": 5, "zorder": 4}
            style |= {"transform": axes.get_xaxis_transform() + shift, "clip_on": False}
            marker = "x" if row.failed == row.runs else look.marker
            axes.plot(place, worse, marker, markerfacecolor="white", **style)


def _less_is_better(ranking: pd.DataFrame) -> bool:
    first = ranking.iloc[0]
    return bool(first["better"] == "lower" or first["score_kind"] == "time")


def scale(axes: Axes, ranking: pd.DataFrame, plan: Plan) -> None:
    """Scale both axes; positive numbers that are far apart get a logarithmic axis."""
    axes.set_xscale("log" if plan.logarithmic else "linear")
    if plan.numeric:
        if plan.places:
            axes.set_xlim(_around(plan))
        number_ticks(axes.xaxis)
    else:
        labels = [_brief(place) for place in plan.places]
        aslant: dict[str, Any] = {"rotation": 30, "rotation_mode": "anchor", "ha": "right"}
        long = max(map(len, labels)) > 6
        axes.set_xticks(range(len(labels)), labels, **(aslant if long else {}))
        axes.set_xlim(-0.3, len(labels) - 0.7)
    scores = ranking["score"][np.isfinite(ranking["score"])]
    if scores.empty:
        axes.set_yticks([])
    elif _less_is_better(ranking) and _is_wide(scores.tolist()):
        axes.set_yscale("log")
        axes.set_ylim(scores.min() / 1.5, scores.max() * 1.5)
        number_ticks(axes.yaxis)


def _around(plan: Plan) -> tuple[float, float]:
    """The limits of the x axis: all places, also of failures, with a margin."""
    first, last = plan.places[0], plan.places[-1]
    if plan.logarithmic:
        room = (last / first) ** 0.07
        return first / room, last * room
    room = 0.07 * (last - first) or 0.5
    return first - room, last + room


def legend(plan: Plan) -> list[Line2D]:
    if not plan.line:
        return []
    handles = []
    for value in plan.lines:
        look = _look(plan, value)
        style: dict[str, Any] = {"color": look.colour, "linestyle": look.dashes, "markersize": 4}
        label = wrapped(f"{name_of(plan.line)} {text_of(value)}", 40)
        handles.append(Line2D([], [], marker=look.marker, label=label, **style))
    return handles


def score_name(ranking: pd.DataFrame) -> str:
    kind, metric = ranking["score_kind"].iloc[0], str(ranking["metric"].iloc[0])
    name = NAMES.get(metric, metric.replace("_", " "))
    words = {"time": "time to the target (s)", "value": name, "average": f"average {name}"}
    words["late"] = f"{name}, late"
    return words[kind] + (", round 1" if ranking["early"].iloc[0] else "")


def name_of(column: str) -> str:
    return column if is_circumstance(column) else column.replace("_", " ")


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else number(float(value))


def _brief(text: Any) -> str:
    """The beginning of a value, under a tick; that of a law is its name."""
    words = re.sub(r'[{}"]|\blaw =|\bkind =', "", str(text)).replace(" = ", " ").split()
    short = " ".join(words)
    return short if len(short) <= 18 else f"{short[:17]}\N{HORIZONTAL ELLIPSIS}"


def wrapped(text: str, letters: int) -> str:
    return "\n".join(textwrap.fill(line, letters) for line in text.splitlines())
