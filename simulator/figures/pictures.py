"""What does a figure show?  Plain data: one process can describe a figure and another draw it.

Nothing heavy is imported here, neither matplotlib nor what a scenario needs.
"""

from typing import Literal, NamedTuple, TypeAlias

from simulator.figures.looks import Look
from simulator.results.columns import Columns

Kind = Literal["used", "pending", "recalled", "dropped", "lost", "communicating", "down"]
"""Pending: still being computed or sent, or finished for a step that has not closed."""


class Chart(NamedTuple):
    """Curves by method, and how their axes are."""

    curves: dict[str, Columns]
    dots: dict[str, tuple[float, float]]
    """Where the methods reached the target, if they did."""
    names: tuple[str, str]
    logarithmic: tuple[bool, bool]
    held: bool
    """Whether curves hold what was last observed; counts grow all the time, and do not."""


class Curves(NamedTuple):
    """A chart as a figure of its own, with a legend above it and a note below."""

    chart: Chart
    looks: dict[str, Look]
    labels: dict[str, str]
    """By method, what the legend says."""
    target: float | None
    whole_numbers: bool
    """Whether the second axis counts something."""
    note: str


class Bar(NamedTuple):
    """What a worker did from ``start`` to ``finish``."""

    start: float
    finish: float
    kind: Kind


class Opening(NamedTuple):
    """The opening of one run; ``bars`` by worker, in the order of time."""

    bars: dict[int, list[Bar]]
    step_times: list[float]
    used: int
    end: float
    stalled: bool


class Timeline(NamedTuple):
    """A panel for each method, its heading in the method's colour."""

    openings: dict[str, Opening]
    colours: dict[str, str]
    seconds: float
    note: str


Picture: TypeAlias = Curves | Timeline
