"""How is a duration measured on a machine that others use too?  Against another, in turns."""

import math
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple


def _say_nothing(done: str) -> None:
    """Report to no listener."""


class Stopwatch(NamedTuple):
    """How much work is measured, as a part of that of the published figures; and the listener.

    >>> Stopwatch(effort=0.25).work(100_000), Stopwatch(effort=0.25).work(50, of=20)
    (25000, 20)
    >>> Stopwatch(effort=0.25).rounds(7)
    4
    """

    effort: float = 1.0
    heard: Callable[[str], None] = _say_nothing

    def work(self, whole: int, *, of: int = 1) -> int:
        """So many gradients, say: a multiple of ``of``, and one of them at least."""
        return max(1, round(whole * self.effort) // of) * of

    def rounds(self, whole: int) -> int:
        """Less work scatters more: repetitions are saved more sparingly."""
        return max(1, round(whole * math.sqrt(self.effort)))

    def alternate(
        self, contestants: Mapping[str, Callable[[], object]], rounds: int
    ) -> dict[str, float]:
        """The median seconds of each, run A B A B after one round that does not count."""
        seconds: dict[str, list[float]] = {name: [] for name in contestants}
        for number in range(rounds + 1):
            for name, act in contestants.items():
                self.heard(f"{name}, round {number} of {rounds}" if number else f"{name}, warming")
                elapsed = timed(act)
                if number:
                    seconds[name].append(elapsed)
        return {name: median(values) for name, values in seconds.items()}


def timed(act: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    act()
    return clock() - start
