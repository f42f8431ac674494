"""How is a duration measured on a machine that others use too?  Against another, in turns."""

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table; ``met`` is None where there is no aim."""

    what: str
    aim: str
    measured: str
    met: bool | None = None


def alternate(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each, run A B A B after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, act in contestants.items():
            elapsed = timed(act)
            if number:
                seconds[name].append(elapsed)
    return {name: median(values) for name, values in seconds.items()}


def timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start
