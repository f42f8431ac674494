"""How do figures look?  One style, and one look per method: the same in every figure.

A method that is named here looks as is written here, whoever else is shown.  Others, and labels of
one's own, take the looks that are left, in their order.  Colours are told apart by colour-blind
eyes (after Okabe and Ito); dashes and markers tell the same on grey paper.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

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
    "savefig.dpi": 300,
    "svg.fonttype": "none",
    "svg.hashsalt": "straggle",
}
GREY = "#555555"
SIZE = (4.2, 3.2)
"""Inches: half the width of a page."""

PALE = 0.18
"""How opaque a band is."""


class Look(NamedTuple):
    """What marks a method: any of the three tells it from its neighbours."""

    colour: str
    dashes: Any
    marker: str

    @property
    def line(self) -> dict[str, Any]:
        return {"color": self.colour, "linestyle": self.dashes}


DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1.5, 1)),
    (0, (6, 2.5, 1.5, 2.5)),
    (0, (10, 2.5)),
    (0, (2.5, 2.5)),
    (0, (1, 3)),
    (0, (6, 2, 1.2, 2, 1.2, 2)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def _look(colour: str, at: int) -> Look:
    return Look(colour, DASHES[at % len(DASHES)], MARKERS[at % len(MARKERS)])


NAMED = {
    "rennala-nigt": _look("#0072B2", 0),
    "malenia-nigt": _look("#D55E00", 1),
    "afedpg": _look("#009E73", 2),
    "synchronous-nigt": _look("#CC79A7", 3),
    "rennala-pg": _look("#56B4E9", 4),
    "malenia-pg": _look("#E69F00", 5),
    "asynchronous-pg": _look("#66C2A5", 6),
    "synchronous-pg": _look("#882E72", 7),
    "ringmaster-nigt": _look("#000000", 0),
    "ringmaster-pg": _look("#000000", 4),
    "ringleader-nigt": _look("#7F5A2E", 1),
    "ringleader-pg": _look("#7F5A2E", 5),
    "mindflayer-nigt": _look("#332288", 3),
    "mindflayer-pg": _look("#332288", 7),
    "vanilla-asynchronous-pg": _look("#009E73", 6),
    "delay-adaptive-pg": _look("#66C2A5", 2),
    "synchronous-fedpg": _look("#CC79A7", 7),
    "fedbuff": _look("#8C8C8C", 6),
    "fedsvrpg-m": _look("#999933", 0),
    "fedhapg-m": _look("#999933", 4),
}
"""The plain forms are paler or darker sisters of the normalised ones, or have other dashes."""

OTHER_COLOURS = ("#AA3377", "#4B4B4B", "#117733", "#DDAA33", "#88CCEE")


def looks(labels: Iterable[str]) -> dict[str, Look]:
    """The look of each label; of unknown ones it depends on how many stand before them.

    >>> looks(["mine", "afedpg"])["afedpg"] == looks(["afedpg"])["afedpg"]
    True
    """
    found: dict[str, Look] = {}
    others = 0
    for label in dict.fromkeys(labels):
        found[label] = NAMED[label] if label in NAMED else _other(others)
        others += label not in NAMED
    return found


def _other(at: int) -> Look:
    """As many colours as have no factor in common with the dashes: all pairs come in turn."""
    return _look(OTHER_COLOURS[at % len(OTHER_COLOURS)], at + len(DASHES) // 2)


P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """What draws on axes that a notebook shows, in our style.

    The backend is loaded first.  That of a notebook turns interactive drawing on, which the end of
    the style would turn off again: no figure would be shown.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib.pyplot as plt

        plt.draw_if_interactive()  # type: ignore[no-untyped-call]
        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


@styled
def fresh(size: tuple[float, float] = SIZE) -> Axes:
    """The axes of a new figure that a notebook shows by itself."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=size, layout="constrained")
    return axes


def sheet(size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    """A figure that is written to a file, and its axes."""
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots()


def key_above(axes: Axes, columns: int = 2) -> None:
    """The legend of what has a label, where it covers nothing."""
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.02)}
    axes.legend(**place, ncols=columns, handlelength=2.6, borderaxespad=0.0)


def key_below(axes: Axes, keys: Sequence[Artist], columns: int = 3) -> None:
    """A legend of these, under the name of the first axis."""
    assert axes.figure is not None
    under = ScaledTranslation(0, -36 / 72, axes.figure.dpi_scale_trans)
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0.0, 0.0)}
    place["bbox_transform"] = axes.transAxes + under
    axes.legend(handles=keys, **place, ncols=columns, handlelength=1.2, borderaxespad=0.0)


def draw_level(axes: Axes, level: float, text: str) -> None:
    """A thin line across, named at its end."""
    axes.axhline(level, color=GREY, linewidth=0.7, zorder=1)
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    axes.annotate(text, (1, level), (4, 0), color=GREY, fontsize=8, va="center", **place)


def number_ticks(axis: Axis) -> None:
    """Ticks that people read: 20,000 and not 2e4; on a short logarithmic axis 1, 2, 5 as well."""
    axis.set_major_formatter(FuncFormatter(number))
    axis.set_minor_formatter(NullFormatter())
    low, high = axis.get_view_interval()
    if axis.get_scale() == "log" and high < 200 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))


def number(value: float, position: int = 0) -> str:
    """A tick's label.

    >>> number(20000.0), number(0.05), number(1e8)
    ('20,000', '0.05', '$10^{8}$')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{value:,.10g}"
    digits, exponent = f"{value:e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if float(digits) == 1 else rf"${float(digits):g}\cdot{power}$"
