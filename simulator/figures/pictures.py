"""What does a figure show?  Plain data, so that one process can describe what another draws.

Nothing heavy is imported here, neither matplotlib nor pydantic.
"""

from typing import Literal, NamedTuple, TypeAlias

from simulator.figures.looks import Look
from simulator.results.columns import Columns

Kind = Literal["used", "pending", "recalled", "dropped", "lost", "communicating", "down"]
"""Pending: a gradient that is computed, sent, or waits for its step."""


class Chart(NamedTuple):
    """Curves by method, and their axes."""

    curves: dict[str, Columns]
    dots: dict[str, tuple[float, float]]
    """The points at which methods reached the target."""
    names: tuple[str, str]
    logarithmic: tuple[bool, bool]
    held: bool
    """Whether a value holds until the next one; between counts, a curve is interpolated."""


class Curves(NamedTuple):
    """A chart as a figure of its own, with a legend above and a note below."""

    chart: Chart
    looks: dict[str, Look]
    labels: dict[str, str]
    """The entries of the legend, by method."""
    target: float | None
    whole_numbers: bool
    """Whether the second axis has integers only."""
    note: str


class Bar(NamedTuple):
    start: float
    finish: float
    kind: Kind


class Opening(NamedTuple):
    """The beginning of one run; ``bars`` by worker, in the order of time."""

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
