"""Which colour, dashes and marker does a method have?  The same in every figure.

Shipped methods have marks of their own; other labels take the remaining looks in order.  The
colours suit colour-blind readers (after Okabe and Ito); dashes and markers help on grey paper.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from algorithms.method import Mark
from algorithms.methods import METHODS


class Look(NamedTuple):
    """Each of the three distinguishes a method from its neighbours."""

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
    """The look of each label; that of an unknown label depends on the unknown labels before it.

    >>> looks(["mine", "afedpg"])["afedpg"] == looks(["afedpg"])["afedpg"]
    True
    """
    found: dict[str, Look] = {}
    others = 0
    for label in dict.fromkeys(labels):
        mark = METHODS[label].mark if label in METHODS else None
        if mark is None:
            # The numbers of colours and of dashes are coprime, so all pairs come in turn.
            colour = OTHER_COLOURS[others % len(OTHER_COLOURS)]
            mark, others = Mark(colour, others + len(DASHES) // 2), others + 1
        at = mark.dashes
        found[label] = Look(mark.colour, DASHES[at % len(DASHES)], MARKERS[at % len(MARKERS)])
    return found
