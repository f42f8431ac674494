"""What marks a method?  A colour, dashes and a marker: the same in every figure.

A method with a mark of its own has the same look in every company.  Others, and labels of one's
own, take the looks that are left, in their order.  Colour-blind
readers can distinguish the colours (after Okabe and Ito); dashes and markers serve on grey paper.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from algorithms.method import Mark
from algorithms.methods import METHODS


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


OTHER_COLOURS = ("#AA3377", "#4B4B4B", "#117733", "#DDAA33", "#88CCEE")


def looks(labels: Iterable[str]) -> dict[str, Look]:
    """The look of each label; of unknown ones it depends on how many stand before them.

    >>> looks(["mine", "afedpg"])["afedpg"] == looks(["afedpg"])["afedpg"]
    True
    """
    found: dict[str, Look] = {}
    others = 0
    for label in dict.fromkeys(labels):
        mark = METHODS[label].mark if label in METHODS else None
        found[label] = _look(mark or _other(others))
        others += mark is None
    return found


def _look(mark: Mark) -> Look:
    at = mark.dashes
    return Look(mark.colour, DASHES[at % len(DASHES)], MARKERS[at % len(MARKERS)])


def _other(at: int) -> Mark:
    """As many colours as have no factor in common with the dashes: all pairs come in turn."""
    return Mark(OTHER_COLOURS[at % len(OTHER_COLOURS)], at + len(DASHES) // 2)
