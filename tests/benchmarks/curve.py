"""What does a used ticket cost, against the number of workers?  ``curve.py FIGURE`` draws it.

Seconds of the processor, not of the clock, so that a busy machine matters less.  What the draws of
n durations per round take is measured inside the same run and told apart: they cannot be avoided.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from measure import Row
from schedules import LAWS, bare_heap

from algorithms.aggregation import greedy, malenia, rennala, synchronous
from simulator.cluster import Cluster, Durations, Law
from simulator.engine import Simulation, Stop

SIZES = (100, 1_000, 10_000, 100_000)
BATCH = 100


class Cost(NamedTuple):
    """Microseconds per used ticket: all of it, and what of it went into drawing durations."""

    total: float
    draws: float

    @property
    def net(self) -> float:
        return self.total - self.draws


def aggregation_of(method: str, workers: int) -> tuple[object, Stop]:
    """A method, and where to stop: some rounds, or some tens of thousands of gradients."""
    return {
        "Rennala, M = 100": (rennala(BATCH), Stop(gradients=20_000)),
        "Malenia, M = n": (malenia(workers), Stop(steps=max(1, 10_000 // workers))),
        "synchronous": (synchronous(), Stop(steps=max(2, 20_000 // workers))),
        "greedy": (greedy(), Stop(gradients=max(20_000, 2 * workers))),
    }[method]


METHODS = ("Rennala, M = 100", "Malenia, M = n", "synchronous", "greedy")


def cost(method: str, law: Law, workers: int, repetitions: int) -> Cost:
    """The cheapest of some runs, each after its first step, by which everything is set up."""
    return min(once(method, law, workers) for _ in range(repetitions))


def once(method: str, law: Law, workers: int) -> Cost:
    aggregation, stop = aggregation_of(method, workers)
    drawing = 0.0
    draw = Durations.all

    def timed(self: Durations, k: object) -> object:
        nonlocal drawing
        start = time.process_time()
        drawn = draw(self, k)
        drawing += time.process_time() - start
        return drawn

    Durations.all = timed
    try:
        simulation = Simulation(Cluster(workers, law), aggregation)
        start, used = time.process_time(), 0
        for step in simulation.steps(stop):
            used += len(step.tickets)
        seconds = time.process_time() - start
    finally:
        Durations.all = draw
    return Cost(seconds / used * 1e6, drawing / used * 1e6)


def heap_cost(workers: int, repetitions: int) -> float:
    """The bare heap loop, over as many events."""
    events = max(20_000, 2 * workers)
    costs = []
    for _ in range(repetitions):
        start = time.process_time()
        bare_heap(workers, events)
        costs.append((time.process_time() - start) / events * 1e6)
    return min(costs)


def curve(quick: bool) -> Iterator[Row]:
    """A row per method and law: the cost at each n; and how it grows for Rennala."""
    repetitions = 1 if quick else 5
    heap = {n: heap_cost(n, repetitions) for n in SIZES}
    yield Row("µs per event, bare heap loop, by n", "", _list(heap))
    for method in METHODS:
        for name, law in LAWS.items():
            costs = {n: cost(method, law, n, repetitions) for n in SIZES}
            net = {n: each.net for n, each in costs.items()}
            draws = {n: each.draws for n, each in costs.items()}
            what = f"µs per used ticket, {method}, {name} times, by n"
            told = f"{_list(net)}; besides, drawing n durations a round: {_list(draws)}"
            if method.startswith("Rennala"):
                growth = net[100_000] / net[1_000]
                told += f"; n = 100,000 against 1,000: {growth:.1f}x"
                yield Row(what, "n = 100,000 at most 3x n = 1,000", told, growth <= 3)
            else:
                yield Row(what, "", told)


def _list(costs: dict[int, float]) -> str:
    return ", ".join(f"{costs[n]:.1f}" for n in SIZES)


def draw(path: Path, repetitions: int = 5) -> None:
    """The figure of docs/performance.md."""
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.0), sharey=True, layout="constrained")
    colours = dict(zip(METHODS, ("#0072B2", "#D55E00", "#CC79A7", "#009E73"), strict=True))
    heap = [heap_cost(n, repetitions) for n in SIZES]
    for axes, (name, law) in zip(panels, LAWS.items(), strict=True):
        for method in METHODS:
            costs = [cost(method, law, n, repetitions) for n in SIZES]
            net, total = [each.net for each in costs], [each.total for each in costs]
            axes.plot(SIZES, net, "o-", markersize=3.5, color=colours[method], label=method)
            if max(each.draws for each in costs) > 0.5:
                axes.plot(SIZES, total, ":", color=colours[method])
        axes.plot(SIZES, heap, "k--", linewidth=1, label="bare heap loop")
        axes.set(xscale="log", yscale="log", title=f"{name} times", xlabel="workers n")
        axes.grid(True, color="#E6E6E6", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("µs per used ticket")
    panels[1].plot([], [], ":", color="#555555", label="with the draws of n durations")
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside upper center", ncols=3,
                  frameon=False, fontsize=8)  # fmt: skip
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
