"""What does a used ticket cost, against the number of workers?

Seconds of the processor, not of the clock, so that a busy machine matters less.  What the draws of
n durations per round take is measured inside the same run, separately: they cannot be avoided.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from unittest.mock import patch

from algorithms.methods import greedy, malenia, rennala, synchronous
from algorithms.vocabulary import Aggregation
from benchmarks.row import Aim, Row
from benchmarks.schedules import LAWS, bare_heap
from benchmarks.stopwatch import Stopwatch
from simulator.cluster import Cluster, Durations, Law
from simulator.engine import Simulation, Stop

SIZES = (100, 1_000, 10_000, 100_000)
BATCH = 100
GRADIENTS = 20_000
"""To be used; more if a step takes more, or the first of each worker."""
METHODS: dict[str, Callable[[int], tuple[Aggregation, Stop]]] = {
    "Rennala, M = 100": lambda n: (rennala(BATCH), Stop(gradients=GRADIENTS)),
    "Malenia, M = n": lambda n: (malenia(n), Stop(steps=max(1, GRADIENTS // 2 // n))),
    "synchronous": lambda n: (synchronous(), Stop(steps=max(2, GRADIENTS // n))),
    "greedy": lambda n: (greedy(), Stop(gradients=max(GRADIENTS, 2 * n))),
}
"""By the number of workers; and where to stop."""


class Cost(NamedTuple):
    """Microseconds per used ticket: all of it, and what of it went into drawing durations."""

    total: float
    draws: float

    @property
    def net(self) -> float:
        return self.total - self.draws


def curve(watch: Stopwatch) -> Iterator[Row]:
    """A row per method and law: how the cost grows with n, and the cost at each n."""
    repetitions = watch.rounds(5)
    heap = {n: heap_cost(n, repetitions) for n in SIZES}
    yield Row("cost against n, bare heap loop", _growth(heap), "x", None, f"{_list(heap)} µs")
    for method in METHODS:
        aim = Aim("≤", 3) if method.startswith("Rennala") else None
        for name, law in LAWS.items():
            watch.heard(f"{method}, {name} times")
            costs = {n: cost(method, law, n, repetitions) for n in SIZES}
            net = {n: each.net for n, each in costs.items()}
            draws = _list({n: each.draws for n, each in costs.items()})
            message = f"{_list(net)} µs; besides, drawing n durations a round: {draws}"
            yield Row(f"cost against n, {method}, {name} times", _growth(net), "x", aim, message)


def _growth(costs: dict[int, float]) -> float:
    """From the second size on: all workers of the first fit the caches."""
    return costs[SIZES[-1]] / costs[SIZES[1]]


def _list(costs: dict[int, float]) -> str:
    return ", ".join(f"{costs[n]:.1f}" for n in SIZES)


def cost(method: str, law: Law, workers: int, repetitions: int) -> Cost:
    """The cheapest of some runs, each after its first step, by which everything is set up."""
    return min(once(method, law, workers) for _ in range(repetitions))


def once(method: str, law: Law, workers: int) -> Cost:
    aggregation, stop = METHODS[method](workers)
    drawing = 0.0
    draw = Durations.all

    def timed(self: Durations, k: Any) -> Any:
        nonlocal drawing
        start = time.process_time()
        drawn = draw(self, k)
        drawing += time.process_time() - start
        return drawn

    with patch.object(Durations, "all", timed):
        simulation = Simulation(Cluster(workers, law), aggregation)
        start, used = time.process_time(), 0
        for step in simulation.steps(stop):
            used += len(step.tickets)
        seconds = time.process_time() - start
    return Cost(seconds / used * 1e6, drawing / used * 1e6)


def heap_cost(workers: int, repetitions: int) -> float:
    """The bare heap loop, over as many events."""
    events = max(GRADIENTS, 2 * workers)
    costs = []
    for _ in range(repetitions):
        start = time.process_time()
        bare_heap(workers, events)
        costs.append((time.process_time() - start) / events * 1e6)
    return min(costs)
