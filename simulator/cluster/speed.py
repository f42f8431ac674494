"""How fast is a worker at this moment?  The universal computation model (arXiv 2408.04929).

A worker has power v_i(t) >= 0.  A computation of ``seconds`` (what its law says) that starts at t0
ends when the integral of v_i from t0 on reaches them; with ``seconds = 1`` the power is in
gradients per second, as in the paper, and the gradients of a busy worker by time T number the
floor of its integral.  Speed 1 means that a law's seconds are seconds.
"""

from typing import ClassVar, Protocol

from simulator.cluster.law import Floats


class Pace(Protocol):
    """The cumulative power of all workers in one run, and its inverse."""

    def work(self, worker: int, time: float) -> float:
        """The integral of this worker's speed from 0 to ``time``."""

    def finish(self, worker: int, start: float, seconds: float) -> float:
        """When a computation of so many seconds ends; ``inf`` if never."""

    def finish_all(self, starts: Floats, seconds: Floats) -> Floats:
        """The same for every worker at once; a ``start`` of ``inf`` ends at ``inf``."""


ANSWERS = ("work", "finish", "finish_all")  # what a pace is asked for


class Speed(Protocol):
    """A description of the speeds of all workers over time."""

    random: ClassVar[bool]
    """Whether they depend on the seed; one that does not say is taken for random."""

    def pace(self, workers: int, seed: int) -> Pace:
        """What it means for so many workers; a wrong number raises a ValueError.

        The error starts with the field's name.  ``seed`` is for what is drawn at random.
        """


def interval_of(speed: Speed | None) -> float | None:
    """After how many seconds a speed changes that is drawn and kept; None for all others."""
    found: float | None = getattr(speed, "interval", None)
    return found
