"""What does the history of a benchmark look like?  A chart per number, over the commits."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.figures.drawing import save_all
from simulator.figures.looks import Look, looks
from simulator.figures.style import STYLE, number_ticks
from simulator.gate.history import UNCOMMITTED, Point, change, changes_of

COLUMNS, WIDTH, HEIGHT = 3, 2.5, 1.5
"""Charts side by side, and the inches of each."""
MARGIN = 1.2
"""Inches for the title and for the names of the commits."""
LABELS, FEW = 16, 3
"""Commits that are named below a chart, at most; the names of a few are not turned."""
LEAST = 0.1
"""The share of a number that an axis spans at least: a smaller change shall look small."""


def draw(points: Sequence[Point], directory: Path, formats: Sequence[str]) -> list[Path]:
    """``directory/BENCHMARK`` for each benchmark of which a number has changed, in every format."""
    paths = []
    for benchmark in dict.fromkeys(point.benchmark for point in points):
        own = [point for point in points if point.benchmark == benchmark]
        if len(commits_of(own)) > 1 and formats:
            directory.mkdir(parents=True, exist_ok=True)
            paths += save_all(_figure(benchmark, own), directory / benchmark, formats)
    return paths


def commits_of(points: Sequence[Point]) -> list[tuple[str, str]]:
    """The hashes and dates of the commits, in order."""
    return list(dict.fromkeys((point.commit, point.date) for point in points))


@rc_context(STYLE)
def _figure(benchmark: str, points: Sequence[Point]) -> Figure:
    numbers = list(dict.fromkeys(point.number for point in points))
    commits, across = commits_of(points), min(COLUMNS, len(numbers))
    down = -(-len(numbers) // across)
    figure = Figure(figsize=(across * WIDTH, down * HEIGHT + MARGIN), layout="constrained")
    figure.suptitle(benchmark, x=0.01, ha="left", fontsize=10)
    charts = figure.subplots(down, across, squeeze=False).ravel()
    found = looks(map(method_of, numbers))
    for at, number in enumerate(numbers):
        own = [point for point in points if point.number == number]
        _draw(charts[at], own, commits, found[method_of(number)])
        # Only the lowest chart of a column names the commits.
        if at + across < len(numbers):
            charts[at].tick_params(labelbottom=False)
    for spare in charts[len(numbers) :]:
        spare.remove()
    return figure


def method_of(number: str) -> str:
    return number.partition(":")[0]


def _draw(
    axes: Axes, points: Sequence[Point], commits: Sequence[tuple[str, str]], look: Look
) -> None:
    """A number, which holds until the next commit, and each change of it in per cent."""
    places = {commit: place for place, commit in enumerate(commits)}
    x = [places[point.commit, point.date] for point in points]
    values = [point.value for point in points]
    axes.step([*x, x[-1] + 0.4], [*values, values[-1]], where="post", color=look.colour)
    for before, point in pairwise([points[0], *changes_of(points)]):
        at = places[point.commit, point.date], point.value
        axes.plot(*at, "o", color=look.colour, markersize=4)
        up = 5 if point.value > before.value else -11
        place: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 7}
        axes.annotate(change(point.value, before.value), at, (0, up), **place)
    axes.set_title(points[0].number, loc="left", fontsize=8)
    axes.grid(axis="y")
    axes.set_xlim(-0.4, len(commits) - 0.4)
    axes.set_ylim(*_ends(values))
    number_ticks(axes.yaxis)
    named = np.unique(np.linspace(0, len(commits) - 1, min(LABELS, len(commits))).round())
    upright = len(named) > FEW
    labels = [_label(*commits[int(at)], "  " if upright else "\n") for at in named]
    axes.set_xticks(named, labels, fontsize=6.5, rotation=90 if upright else 0)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    middle = (low + high) / 2
    reach = max(0.75 * (high - low), LEAST / 2 * abs(middle)) or 1.0
    return middle - reach, middle + reach


def _label(commit: str, date: str, between: str) -> str:
    return f"{commit}{between}{date}" if commit else UNCOMMITTED.replace(" ", between)
