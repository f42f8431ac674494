"""How much memory do a hundred thousand workers take?

Peak resident memory after the run, less resident memory before the simulation was built, in a
process that does nothing else: ``python -m benchmarks.memory METHOD LAW`` prints the MB, and
how many gradients the largest batch held.  From Linux's ``/proc``: what ``resource`` calls the peak
may still be that of the process that started this one.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from algorithms.methods import greedy, malenia, rennala, synchronous
from algorithms.vocabulary import Aggregation
from benchmarks.row import Aim, Row
from benchmarks.schedules import LAWS
from benchmarks.stopwatch import Stopwatch
from simulator.cluster import Cluster, Durations
from simulator.engine import Simulation, Stop

WORKERS = 100_000
STATUS = Path("/proc/self/status")
RUNS: dict[str, tuple[Callable[[], Aggregation], Stop, int]] = {
    "rennala": (lambda: rennala(100), Stop(gradients=10_000), 100),
    "greedy": (greedy, Stop(gradients=200_000), 200_000),
    "synchronous": (synchronous, Stop(steps=1), 1),
    "malenia": (lambda: malenia(WORKERS), Stop(steps=1), 1),
}
"""A method, where to stop, and how many steps that is."""


def memory(watch: Stopwatch) -> Iterator[Row]:
    """What a hundred thousand workers take: the peak of a fresh process above its start."""
    for method in RUNS:
        for law in LAWS:
            watch.heard(f"{method}, {law} times")
            grown = [in_a_process(method, law) for _ in range(watch.rounds(3))]
            yield Row(
                f"memory, n = 100,000, {method}, {law} times",
                median(megabytes for megabytes, _ in grown),
                "MB",
                Aim("≤", 200),
                f"largest batch {grown[0][1]:,}",
            )


def in_a_process(method: str, law: str) -> tuple[float, int]:
    command = [sys.executable, "-m", "benchmarks.memory", method, law]
    place = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=place)
    answer = done.stdout.split()
    return float(answer[0]), int(answer[1])


def growth(method: str, law: str) -> tuple[float, int]:
    """The peak above the start, once every step was drawn and forgotten; the largest batch."""
    aggregation, stop, expected = RUNS[method]
    durations = LAWS[law]
    Durations(durations, 1, name="cluster.compute").one(0, 0)  # imports what it needs
    before = status("VmRSS")
    steps, batch = 0, 0
    for step in Simulation(Cluster(WORKERS, durations), aggregation()).steps(stop):
        steps, batch = steps + 1, max(batch, len(step.tickets))
    assert steps == expected
    return status("VmHWM") - before, batch


def status(field: str) -> float:
    """A field of the process's status, in MB."""
    for line in STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024 / 1e6
    raise KeyError(field)


if __name__ == "__main__":
    print(*growth(*sys.argv[1:3]))
