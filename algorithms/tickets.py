"""The name of one stochastic gradient: its worker, its point, and its number at that point.

The schedule plane knows gradients by this name only.  The numbers plane makes the random key from
it, so a gradient's value does not depend on the order or the batch of evaluation.
"""

from typing import NamedTuple


class Ticket(NamedTuple):
    """The ``index``-th gradient of ``worker`` at the point of ``version`` (all from 0).

    >>> Ticket(worker=3, version=7, index=0)
    Ticket(worker=3, version=7, index=0)
    """

    worker: int
    version: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which is not needed here
