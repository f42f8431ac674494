"""Which style, ticks and legends do all figures share?"""

from collections.abc import Callable, Sequence
from functools import wraps
from types import NoneType
from typing import Any, ParamSpec, TypeVar

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

from simulator.mistakes import check_argument

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
    "figure.dpi": 150,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "straggle",
}
GREY = "#555555"
SIZE = (4.2, 3.2)
"""Inches: half the width of a page."""
PALE = 0.18
"""The opacity of a band."""

P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that draws on axes of a notebook, so that it uses the style.

    The backend must be loaded first.  That of a notebook turns interactive drawing on; inside the
    style, the end of the style would turn it off again, and no figure would appear.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib.pyplot as plt

        plt.draw_if_interactive()  # type: ignore[no-untyped-call]
        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


@styled
def axes_of(ax: Axes | None, size: tuple[float, float] = SIZE) -> Axes:
    """The given axes, or those of a new figure that a notebook shows."""
    import matplotlib.pyplot as plt

    check_argument("ax", ax, (Axes, NoneType), "give matplotlib's axes, and the rest by its name")
    return ax or plt.subplots(figsize=size, layout="constrained")[1]


def sheet(size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    """A new figure for a file, and its axes."""
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots()


def key_above(axes: Axes, columns: int = 2) -> None:
    """A legend above the axes."""
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.02)}
    axes.legend(**place, ncols=columns, handlelength=2.6, borderaxespad=0.0)


def key_below(axes: Axes, keys: Sequence[Artist], columns: int = 3) -> None:
    """A legend below the name of the first axis."""
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0.0, 0.0)}
    place["bbox_transform"] = axes.transAxes + moved(axes, 0.0, -36.0)
    axes.legend(handles=keys, **place, ncols=columns, handlelength=1.2, borderaxespad=0.0)


def draw_band(axes: Axes, x: Any, low: Any, high: Any, colour: Any, **options: Any) -> None:
    """Fill the area between two curves in a pale colour."""
    axes.fill_between(x, low, high, color=colour, alpha=PALE, linewidth=0, **options)


def moved(axes: Axes, right: float, up: float = 0.0) -> ScaledTranslation:
    """A transformation that moves things by a number of points."""
    assert axes.figure is not None
    return ScaledTranslation(right / 72, up / 72, axes.figure.dpi_scale_trans)


def draw_level(axes: Axes, level: float, text: str) -> None:
    """Draw a thin horizontal line with a name at its end."""
    axes.axhline(level, color=GREY, linewidth=0.7, zorder=1)
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    axes.annotate(text, (1, level), (4, 0), color=GREY, fontsize=8, va="center", **place)


def number_ticks(axis: Axis) -> None:
    """Write ticks as 20,000, not 2e4; on a short logarithmic axis also at 2 and 5."""
    axis.set_major_formatter(FuncFormatter(number))
    axis.set_minor_formatter(NullFormatter())
    low, high = axis.get_view_interval()
    if axis.get_scale() == "log" and high < 200 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))


def number(value: float, position: int = 0) -> str:
    """The label of a tick.

    >>> number(20000.0), number(0.05), number(1e8)
    ('20,000', '0.05', '$10^{8}$')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{value:,.10g}"
    digits, exponent = f"{value:e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if float(digits) == 1 else rf"${float(digits):g}\cdot{power}$"
