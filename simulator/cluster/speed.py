"""Speeds that change over time: the universal computation model (arXiv 2408.04929).

A worker has power v_i(t) >= 0.  A computation of ``seconds`` (of its law) that starts at t0 ends
when the integral of v_i from t0 on reaches them.  With ``seconds = 1`` the power is in gradients
per second, as in the paper.  At speed 1 a law's seconds are seconds.
"""

from typing import ClassVar, Protocol

from simulator.cluster.law import Floats


class Pace(Protocol):
    """The cumulative power of all workers in one run, and its inverse."""

    def work(self, worker: int, time: float) -> float:
        """The integral of this worker's speed from 0 to ``time``."""

    def finish(self, worker: int, start: float, seconds: float) -> float:
        """The end of a computation of these seconds; ``inf`` if never."""

    def finish_all(self, starts: Floats, seconds: Floats) -> Floats:
        """The ends of all workers' computations; a ``start`` of ``inf`` ends at ``inf``."""


ANSWERS = ("work", "finish", "finish_all")  # the methods of a pace


class Speed(Protocol):
    """A description of the speeds of all workers over time."""

    random: ClassVar[bool]  # whether they depend on the seed; by default they do

    def pace(self, workers: int, seed: int) -> Pace:
        """The pace of this many workers; ``seed`` is for random speeds.

        A wrong number raises a ValueError that starts with the field's name.
        """


def interval_of(speed: Speed | None) -> float | None:
    """The seconds between changes of a random walk; None for other speeds."""
    interval: float | None = getattr(speed, "interval", None)
    return interval
