"""How do all figures look, and how does one know that a file shows what is drawn today?"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

BLUE, ORANGE, GREEN, PINK, SKY, RED = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#9CCBEB", "#B5352B",
)  # fmt: skip
"""After Okabe and Ito: colours that colour-blind eyes tell apart."""
GREY, PALE = "#555555", "#DDDDDD"
WIDTH = 7.0
"""Inches: some 700 pixels on a screen."""

STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "straggle",
}


def canvas(height: float) -> Figure:
    return Figure(figsize=(WIDTH, height), layout="constrained")


def grid(axes: Axes, axis: Any = "y") -> None:
    axes.grid(axis=axis)
    axes.tick_params(which="both", length=0)
    axes.tick_params(axis="x", which="major", length=3)


def data_of(figure: Figure) -> Iterator[str]:
    """Every number and word that is drawn, not how: the same with every matplotlib."""
    for axes in figure.axes:
        yield from (text.get_text() for text in axes.texts)
        yield from (f"{axes.get_title('left')} {axes.get_xlabel()} {axes.get_ylabel()}",)
        for line in axes.get_lines():
            yield _numbers(line.get_xydata())
        for patch in axes.patches:
            if isinstance(patch, Rectangle):
                yield _numbers([*patch.get_xy(), patch.get_width(), patch.get_height()])
            elif isinstance(patch, Polygon):
                yield _numbers(patch.get_xy())


def _numbers(values: Any) -> str:
    """So few digits that they are the same on every processor."""
    return " ".join(f"{value:.5g}" for value in np.asarray(values, dtype=np.float64).ravel())


def fingerprint(figure: Figure) -> str:
    return hashlib.sha256("\n".join(data_of(figure)).encode()).hexdigest()[:16]


def fingerprint_in(path: Path) -> str | None:
    """What the figure in this file was drawn from; None if there is no such file."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    found = re.search(r"drawn from ([0-9a-f]{16})", text)
    return found.group(1) if found else None


@rc_context(STYLE)
def save(figure: Figure, path: Path) -> None:
    """As SVG, the same bytes every time; as PNG, to look at."""
    if path.suffix == ".png":
        figure.savefig(path, dpi=100)
        return
    drawn = f"drawn from {fingerprint(figure)}"
    figure.savefig(path, metadata={"Date": None, "Creator": None, "Description": drawn})
