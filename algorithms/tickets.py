"""What identifies one stochastic gradient?

Not its value: who computes it, at which point, and the how-manieth it is there.  The schedule
plane knows gradients by this name only; the numbers plane makes the random key from it, so a
gradient's value depends neither on who was evaluated first nor on the batch it came in.
"""

from typing import NamedTuple


class Ticket(NamedTuple):
    """The ``index``-th gradient of ``worker`` at the point of ``version`` (all from 0).

    >>> Ticket(worker=3, version=7, index=0)
    Ticket(worker=3, version=7, index=0)
    """

    worker: int
    version: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
