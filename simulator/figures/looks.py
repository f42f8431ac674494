"""What marks a method?  A colour, dashes and a marker: the same in every figure.

A method that is named here looks as is written here, whoever else is shown.  Others, and labels of
one's own, take the looks that are left, in their order.  Colours are told apart by colour-blind
eyes (after Okabe and Ito); dashes and markers tell the same on grey paper.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple


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
