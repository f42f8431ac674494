"""A random walk: other people's jobs come and go, and take their share."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le

from simulator.cluster.random_words import keys
from simulator.cluster.speed import Pace
from simulator.cluster.speeds.entries import FASTEST, check_positive, shown
from simulator.cluster.speeds.pieces import steady
from simulator.cluster.speeds.walk import Walk


@dataclass(frozen=True)
class RandomWalk:
    """A speed that starts at 1 and changes by chance every so many seconds.

    Its logarithm makes a normal step with standard deviation ``sigma``, reflected at the
    logarithms of ``low`` and ``high``.  Every worker walks on its own, and in a run with the same
    seed it walks the same way, whatever it is asked.

    >>> walk = RandomWalk(every=60.0, sigma=0.3, low=0.25, high=2.0).pace(3, seed=0)
    >>> walk.work(0, 60.0), 15.0 <= walk.work(0, 120.0) - 60.0 <= 120.0
    (60.0, True)
    """

    every: Annotated[float, Gt(0)]
    sigma: Annotated[float, Ge(0), Le(10)]
    low: Annotated[float, Gt(0), Le(1)]
    high: Annotated[float, Ge(1), Le(FASTEST)]
    random: ClassVar[bool] = True

    @property
    def interval(self) -> float | None:
        """What is drawn has to be kept, a number for each of these seconds."""
        return None if self.sigma == 0 or self.low == self.high else self.every

    def pace(self, workers: int, seed: int) -> Pace:
        check_positive("every", self.every)
        for name, value, good, remedy in (
            ("sigma", self.sigma, 0 <= self.sigma <= 10, "must be from 0 to 10"),
            ("low", self.low, 0 < self.low <= 1, "must be more than 0, and 1 at most"),
            ("high", self.high, 1 <= self.high <= FASTEST, f"must be from 1 to {FASTEST:g}"),
        ):
            if not good:
                raise ValueError(f"{name} = {shown(value)}: {remedy}")
        if self.interval is None:
            return steady(workers)
        starts = keys(seed, "cluster.speed", workers)
        return Walk(starts, self.every, self.sigma, self.low, self.high)
