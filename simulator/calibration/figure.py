"""What does a fit look like?  The durations of each group of workers, and the fitted law."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.calibration.calibration import Calibration, Part
from simulator.figures.drawing import save_all
from simulator.figures.style import GREY, STYLE, number_ticks, styled

SIZE = 4.2, 3.0
MOST = 6
"""Groups with a curve of their own: the fastest, the slowest, and some between."""
WIDE = 12.0
"""From this ratio of the longest to the shortest on, seconds have a logarithmic scale."""
POINTS = 200


@rc_context(STYLE)
def draw(found: Calibration, file: Path, formats: list[str]) -> list[Path]:
    """The fits of all kinds side by side, in every format."""
    figure = Figure(figsize=(SIZE[0] * len(found.parts), SIZE[1]), layout="constrained")
    axes = figure.subplots(1, len(found.parts), squeeze=False)[0]
    for part, own in zip(found.parts.values(), axes, strict=True):
        plot_fit(part, own)
    return save_all(figure, file, formats)


@styled
def plot_fit(part: Part, ax: Axes) -> Axes:
    """The share of rows up to each duration: measured as steps, fitted as lines."""
    import matplotlib as mpl

    sample, best = part.sample, part.candidates[0] if part.candidates else None
    group = best.group if best else np.zeros(sample.workers, np.int64)
    colours = mpl.colormaps["viridis"]
    shown = _shown(group.max() + 1, best.parameters.scale if best else np.zeros(1))
    for place, each in enumerate(shown):
        colour = colours(0.85 * place / max(len(shown) - 1, 1))
        seconds = np.sort(sample.seconds[group[sample.worker] == each])
        share = np.arange(1, len(seconds) + 1) / len(seconds)
        ax.step(seconds, share, where="post", color=colour, label=_label(group, each))
        if best and best.family:
            at = np.linspace(seconds[0], seconds[-1], POINTS)
            worker = int(np.flatnonzero(group == each)[0])
            fitted = best.distribution(worker).cdf(at)
            ax.plot(at, fitted, "--", color=GREY, linewidth=1.0)
    return _finished(ax, part)


def _shown(count: int, scale: Any) -> list[int]:
    order = np.argsort(scale)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST)).round().astype(int))
    return [int(each) for each in order[chosen]]


def _label(group: Any, each: int) -> str:
    workers = np.flatnonzero(group == each)
    return f"worker {workers[0]}" if len(workers) == 1 else f"{len(workers)} workers"


def _finished(ax: Axes, part: Part) -> Axes:
    seconds = part.sample.seconds
    if seconds.min() > 0 and seconds.max() > WIDE * seconds.min():
        ax.set_xscale("log")
    number_ticks(ax.xaxis)
    best = part.candidates[0].law if part.candidates else "no law"
    fits = "" if part.chosen else ", which does not fit"
    ax.set(xlabel=f"seconds of {part.sample.kind}", ylabel="share of rows", ylim=(0, 1.02))
    ax.set_title(f"measured (steps) and {best} (dashed){fits}", loc="left")
    ax.grid(True)
    ax.legend(loc="best")
    return ax
