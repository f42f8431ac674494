"""How much memory do a hundred thousand workers take?  ``memory.py METHOD LAW`` prints
the MB, and how many gradients the largest batch held.

Peak resident memory after the run, less resident memory before the simulation was built, in a
process that does nothing else.  From Linux's ``/proc``: what ``resource`` calls the peak may
still be that of the process that started this one.
"""

import sys
from pathlib import Path

from schedules import LAWS

from algorithms.aggregation import greedy, malenia, rennala, synchronous
from simulator.cluster import Cluster, Durations
from simulator.engine import Simulation, Stop

WORKERS = 100_000
RUNS = {
    "rennala": (rennala(100), Stop(gradients=10_000)),
    "greedy": (greedy(), Stop(gradients=200_000)),
    "synchronous": (synchronous(), Stop(steps=1)),
    "malenia": (malenia(WORKERS), Stop(steps=1)),
}


def status(field: str) -> float:
    """A field of the process's status, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024 / 1e6
    raise KeyError(field)


def growth(method: str, law: str) -> tuple[float, int]:
    """The peak above the start, once every step was drawn and forgotten; the largest batch."""
    aggregation, stop = RUNS[method]
    durations = LAWS[law]
    Durations(durations, 1, name="cluster.compute").one(0, 0)  # imports what it needs
    before = status("VmRSS")
    steps, batch = 0, 0
    for step in Simulation(Cluster(WORKERS, durations), aggregation).steps(stop):
        steps, batch = steps + 1, max(batch, len(step.tickets))
    assert steps == {"rennala": 100, "greedy": 200_000}.get(method, 1)
    return status("VmHWM") - before, batch


if __name__ == "__main__":
    print(*growth(*sys.argv[1:3]))
