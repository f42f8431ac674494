"""How is a timeline drawn?  With a row of bars per worker, and a line at each server step."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simulator.figures.pictures import Bar, Kind, Opening, Timeline
from simulator.figures.style import GREY, key_below

if TYPE_CHECKING:
    from matplotlib.artist import Artist

KINDS: dict[Kind, tuple[str, str]] = {
    "used": ("#3A6FB0", "used"),
    "pending": ("#BBD3EB", "not used yet"),
    "recalled": ("#F2A93B", "recalled"),
    "dropped": ("#A3243B", "dropped, obsolete"),
    "lost": ("#2B2B2B", "lost"),
    "communicating": ("#7A7A7A", "communication"),
    "down": ("#F0F0F0", "outage"),
}
"""The colour of each kind, and its name in the figure."""
FLAT = 0.15
"""Half the height of communication, which stands out without colours too."""
HATCH, HATCH_COLOUR = "//////", "#A8A8A8"
"""The marks of outages."""
OVER = "#EFE9DD"
"""The background after the end of a shorter run."""
MOST_EDGES, WIDE_EDGES = 160, 80
"""Most bars of a worker that have white edges, and wide ones."""
MOST_KEYS = 7
"""Entries in a row of the legend."""
HEADING = 104
"""Letters above all panels of a row."""
SMALL = 5.5
"""Points of the numbers of sampled workers."""
MOST_LINES = 40
"""Most server steps that are lines across the panel."""


def draw_timeline(picture: Timeline) -> Figure:
    openings, seconds = picture.openings, picture.seconds
    workers = next(iter(openings.values())).bars
    figure, panels = _panels(len(openings), list(workers))
    for axes, (label, opening) in zip(panels, openings.items(), strict=True):
        _draw_panel(axes, opening, seconds)
        _head_panel(axes, opening, label, picture.colours[label], _columns(len(openings)))
    panels[0].set_xlim(0, seconds)
    _draw_legend(figure, openings, seconds)
    figure.supxlabel(picture.note, x=0.01, ha="left", fontsize=7, color=GREY)
    return figure


def draw_run(axes: Axes, opening: Opening, method: str, colour: str, seconds: float) -> None:
    """Draw the panel of one run, with a legend below."""
    _draw_panel(axes, opening, seconds)
    _head_panel(axes, opening, method, colour, columns=1)
    axes.set(xlim=(0, seconds), xlabel="simulated time (s)", ylabel=_rows_name(list(opening.bars)))
    axes.xaxis.set_major_formatter("{x:,g}")
    key_below(axes, _keys([opening], seconds), columns=MOST_KEYS)


def panel_height(rows: int) -> float:
    """Inches of a panel."""
    return max(0.45, min(0.12, 1.6 / rows) * rows)


def _columns(count: int) -> int:
    return 1 if count <= 4 else 2


def _panels(count: int, workers: Sequence[int]) -> tuple[Figure, list[Axes]]:
    """Panels in one or two columns, with a common axis of time."""
    rows, columns = len(workers), _columns(count)
    ranks = math.ceil(count / columns)
    figure = Figure(figsize=(7.0, 1.0 + ranks * (panel_height(rows) + 0.3)), layout="constrained")
    grid = figure.subplots(ranks, columns, sharex=True, squeeze=False).T.ravel().tolist()
    for axes in grid[count:]:
        axes.remove()
    for column in range(columns):
        last = min((column + 1) * ranks, count) - 1
        grid[last].tick_params(labelbottom=True)
        grid[last].set_xlabel("simulated time (s)")
        # A shorter column has room below.
        grid[last].xaxis.set_in_layout((last + 1) % ranks == 0)
    grid[0].xaxis.set_major_formatter("{x:,g}")
    figure.supylabel(_rows_name(workers), fontsize=9)
    return figure, grid[:count]


def _rows_name(workers: Sequence[int]) -> str:
    """The name of the axis of workers, which has the order of a sample."""
    everyone = list(workers) == list(range(len(workers)))
    return "worker" if everyone else "worker, from the fastest to the slowest"


def _draw_panel(axes: Axes, opening: Opening, seconds: float) -> None:
    """One row per worker, the first on top, and a line at every server step."""
    busiest = max((len(row) for row in opening.bars.values()), default=0)
    for kind, (colour, _) in KINDS.items():
        boxes = [
            _box(bar, y)
            for y, row in enumerate(opening.bars.values())
            for bar in (row if busiest <= MOST_EDGES else _merged(row))
            if bar.kind == kind
        ]
        # A white edge separates consecutive computations, if there is room.
        edge = _edge(busiest) if kind != "communicating" else 0.0
        patches = PolyCollection(boxes, facecolor=colour, edgecolor="white", linewidth=edge)
        if kind == "down":
            patches.set(hatch=HATCH, edgecolor=HATCH_COLOUR, linewidth=0.0)
        axes.add_collection(patches, autolim=False)
    if opening.end < seconds:
        axes.axvspan(opening.end, seconds, color=OVER, zorder=0, linewidth=0)
    times = sorted(set(opening.step_times))
    # Too many lines would hide the bars: then they stand above the panel.
    top, bottom = (-0.5, len(opening.bars) - 0.5) if len(times) <= MOST_LINES else (-0.9, -0.5)
    axes.vlines(times, top, bottom, "black", linewidth=0.6, clip_on=False)


def _edge(bars: int) -> float:
    return 0.4 if bars <= WIDE_EDGES else 0.2 if bars <= MOST_EDGES else 0.0


def _merged(row: Sequence[Bar]) -> list[Bar]:
    """One bar for each stretch of equal kind: bars of all computations could not be distinguished.

    >>> _merged([Bar(0, 1, "used"), Bar(1, 2, "used"), Bar(3, 4, "used")])
    [Bar(start=0, finish=2, kind='used'), Bar(start=3, finish=4, kind='used')]
    """
    merged: list[Bar] = []
    for bar in row:
        if merged and merged[-1].kind == bar.kind and merged[-1].finish == bar.start:
            merged[-1] = merged[-1]._replace(finish=bar.finish)
        else:
            merged.append(bar)
    return merged


def _box(bar: Bar, y: int) -> list[tuple[float, float]]:
    half = FLAT if bar.kind == "communicating" else 0.4
    low, high = y - half, y + half
    return [(bar.start, low), (bar.finish, low), (bar.finish, high), (bar.start, high)]


def _head_panel(axes: Axes, opening: Opening, label: str, colour: str, columns: int) -> None:
    """Write the heading, and the numbers of some workers."""
    workers = list(opening.bars)
    axes.set_title(label, loc="left", color=colour, pad=6)
    steps, used = len(opening.step_times), opening.used
    counts = f"{_count(steps, 'step')}, {_count(used, 'gradient')} used"
    counts += ", waits without end" if opening.stalled else ""
    if len(label) + len(counts) > HEADING // columns:
        counts = "waits without end" if opening.stalled else _count(steps, "step")
    axes.set_title(counts, loc="right", color=GREY, fontsize=8, pad=6)
    # The workers of a sample have numbers in no order, so each row has its number.
    sampled = workers != list(range(len(workers)))
    count = len(workers) if sampled else 4
    shown = np.unique(np.linspace(0, len(workers) - 1, count).round().astype(int)).tolist()
    axes.set_yticks(shown, [f"{workers[y]:,}" for y in shown])
    axes.set_ylim(len(workers) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelsize=SMALL if sampled else None)
    axes.spines["left"].set_visible(False)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _draw_legend(figure: Figure, openings: Mapping[str, Opening], seconds: float) -> None:
    keys = _keys(openings.values(), seconds)
    columns = len(keys) if len(keys) <= MOST_KEYS else math.ceil(len(keys) / 2)
    room = {"ncols": columns, "columnspacing": 1.2, "handlelength": 1.2}
    figure.legend(handles=keys, loc="outside upper left", **room)


def _keys(openings: Collection[Opening], seconds: float) -> "list[Artist]":
    kinds = {bar.kind for opening in openings for row in opening.bars.values() for bar in row}
    shown = [(kind, name) for kind, (_, name) in KINDS.items() if kind in kinds]
    keys: list[Artist] = [Patch(**face(kind), label=name) for kind, name in shown]
    keys.append(Patch(facecolor="white", edgecolor="#BBBBBB", label="waiting"))
    if any(opening.end < seconds for opening in openings):
        keys.append(Patch(color=OVER, label="run over"))
    keys.append(Line2D([], [], color="black", linewidth=0.7, label="server step"))
    return keys


def face(kind: Kind) -> dict[str, Any]:
    """The style of the areas of a kind."""
    colour = KINDS[kind][0]
    if kind == "down":
        return {"facecolor": colour, "edgecolor": HATCH_COLOUR, "hatch": HATCH}
    return {"facecolor": colour, "edgecolor": colour}
