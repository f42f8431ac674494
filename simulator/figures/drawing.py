"""How do pictures become figures, and figures files?

This file and its imports need only matplotlib and NumPy, so that the painter starts quickly.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from simulator.figures.looks import Look
from simulator.figures.pictures import Chart, Curves, Picture, Timeline
from simulator.figures.style import (
    GREY,
    SIZE,
    STYLE,
    draw_band,
    draw_level,
    number_ticks,
    sheet,
)
from simulator.figures.timeline import draw_timeline
from simulator.results.columns import Columns, join, length, rows
from simulator.system.files import Unwritable

LEGEND_ROWS, ROW = 2, 0.165
"""Rows of a legend that fit in the figure, and the inches of each further row."""
LONGEST = 26
"""Characters of the longest labels of which two fit side by side."""


def draw_files(
    pictures: Mapping[str, Picture], directory: Path, formats: Sequence[str]
) -> list[Path]:
    """Draw each picture once, and write it in each format; returns the paths."""
    drawn = ((name, draw(picture)) for name, picture in pictures.items())
    return [path for name, figure in drawn for path in save_all(figure, directory / name, formats)]


def save_all(figure: Figure, place: Path, formats: Sequence[str]) -> list[Path]:
    """Write a figure in each format; ``place`` is a path without a suffix."""
    place.parent.mkdir(exist_ok=True)
    paths = [place.parent / f"{place.name}.{suffix}" for suffix in formats]
    for path in paths:
        save(figure, path)
    return paths


@rc_context(STYLE)
def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the path's suffix; the bytes are reproducible."""
    undated: dict[str, Any] = {
        ".svg": {"Date": None, "Creator": None},
        ".png": {"Software": None},
        ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    # In memory first: matplotlib hides errors of the disk behind its own.
    drawn = BytesIO()
    # Less compression draws a PNG in four fifths of the time.
    packed: dict[str, Any] = {"pil_kwargs": {"compress_level": 2}} if path.suffix == ".png" else {}
    kind = path.suffix.removeprefix(".")
    figure.savefig(drawn, format=kind, metadata=undated[path.suffix], **packed)
    with named(path):
        # Not getbuffer(): Python 3.12.1 crashes when it collects a view that an error has held.
        path.write_bytes(drawn.getvalue())


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Add the path to an error: that of a full disk has none."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        complete = "the results are complete, only figures are missing"
        raise Unwritable(f"{path}: cannot be written: {reason}; {complete}") from None


@rc_context(STYLE)
def draw(picture: Picture) -> Figure:
    return draw_timeline(picture) if isinstance(picture, Timeline) else _draw_curves(picture)


def _draw_curves(picture: Curves) -> Figure:
    """The chart; the figure grows with its legend, and the axes keep their size."""
    lines = [
        Line2D([], [], label=label, **picture.looks[method].line)
        for method, label in picture.labels.items()
    ]
    columns = 2 if all(len(label) <= LONGEST for label in picture.labels.values()) else 1
    more = max(0, -(-len(lines) // columns) - LEGEND_ROWS)
    figure, axes = sheet((SIZE[0], SIZE[1] + more * ROW))
    draw_chart(axes, picture.chart, picture.looks)
    if picture.target is not None:
        draw_level(axes, picture.target, f"target\n{picture.target:,g}")
    if picture.whole_numbers:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(handles=lines, loc="outside upper left", ncols=columns, handlelength=2.6)
    figure.supxlabel(picture.note, x=0.01, ha="left", fontsize=7, color=GREY)
    return figure


def draw_chart(axes: Axes, chart: Chart, looks: dict[str, Look]) -> None:
    """Draw curves, bands and dots, and scale the axes."""
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
    """The begin of the x axis, which is positive for a logarithm, and the end of the curves."""
    places = np.concatenate([curve["x"] for curve in chart.curves.values()])
    first = min(places[places > 0], default=1.0)
    return 0.7 * float(first) if chart.logarithmic[0] else 0.0, float(max(places, default=1.0))


def _stretch(curve: Columns, left: float, right: float) -> Columns:
    """The curve from the begin of the axis to just past its last value."""
    last = rows(curve, slice(-1, None))
    past = last["x"] * (right / left) ** 0.004 if left > 0 else last["x"] + 0.004 * right
    longer = join([curve, last | {"x": past}])
    return longer | {"x": longer["x"].clip(min=left)}


def _draw_curve(axes: Axes, curve: Columns, held: bool, look: Look, label: str) -> None:
    drawstyle, step = ("steps-post", "post") if held else ("default", None)
    marker = "o" if length(curve) == 1 else None  # a line of one point is invisible
    style: dict[str, Any] = {"drawstyle": drawstyle, "marker": marker, "markersize": 4}
    axes.plot(curve["x"], curve["median"], label=label, **style, **look.line)
    if (curve["high"] > curve["low"]).any():
        draw_band(axes, curve["x"], curve["low"], curve["high"], look.colour, step=step)


def _scale(axes: Axes, logarithmic: tuple[bool, bool], left: float) -> None:
    axes.margins(x=0.03)
    for name, axis, log in zip("xy", (axes.xaxis, axes.yaxis), logarithmic, strict=True):
        axes.set(**{f"{name}scale": "log" if log else "linear"})
        number_ticks(axis)
    if not logarithmic[0]:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xlim(left=left)
