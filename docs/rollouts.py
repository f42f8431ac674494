"""Measures docs/rollouts.md: the age of episodes in a queue, and the speed-ups of other forms.

python docs/rollouts.py            both, into docs/rollouts: four minutes of one core
python docs/rollouts.py ages       the ages alone

Only the schedule is simulated.  The tables of the page come from the files that this writes.
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from algorithms.methods import queued
from simulator.cluster import Cluster, Fixed, LogNormal, Server
from simulator.engine import Simulation, Stop
from simulator.schedule import Step

HERE = Path(__file__).resolve().parent / "rollouts"
BATCH = 64
STEPS, SKIPPED = 240, 80
RATIOS = 0.2, 0.5, 0.8, 1.25, 2.0, 5.0
"""Throughput of the rollouts over throughput of the training: rho."""


class Case(NamedTuple):
    full: str
    rho: float
    slots: float  # per episode of a batch: C/B
    queue: int
    sigma: float  # of the log-normal lengths
    group: int


def cases() -> Iterator[Case]:
    ways = "wait", "drop-oldest"
    given = product(ways, RATIOS, (0.5, 1.0, 4.0), (1, 2, 4), (0.5, 1.0, 1.5), (1, 8))
    return (Case(*each) for each in given)


def played(workers: int, sigma: float, seconds: float, **settings: Any) -> list[Step]:
    """Steps of episodes of 1 s on average, once the queue has settled."""
    cluster = Cluster(workers, LogNormal(Fixed(1.0), sigma), server=Server(Fixed(seconds)))
    steps = Simulation(cluster, queued(**settings)).steps(Stop(steps=STEPS))
    return list(steps)[SKIPPED:]


def longest(sigma: float, group: int) -> float:
    """The longest of a group of episodes, on average, in mean lengths: M."""
    normal = np.random.default_rng(0).standard_normal((20_000, group))
    return float(np.exp(sigma * normal - sigma**2 / 2).max(1).mean())


def ages() -> pd.DataFrame:
    """The mean age at training, and on arrival, of each case."""
    rows = []
    for case in cases():
        workers = round(case.slots * BATCH)
        seconds = case.rho * BATCH / workers
        terms = {"batch": BATCH, "group": case.group, "queue": case.queue, "full": case.full}
        steps = played(workers, case.sigma, seconds, **terms)
        age = np.mean([step.mean_delay for step in steps])
        arrival = np.mean([step.arrival_delay for step in steps])
        rows.append((*case, age, arrival, longest(case.sigma, case.group)))
    return pd.DataFrame(rows, columns=[*Case._fields, "age", "arrival", "longest"])


DEVICES, SLOTS = 64, 8
"""Of a cluster, and the episodes that a device generates at a time."""


def speed_ups() -> pd.DataFrame:
    """Steps per second of asynchronous forms over synchronous ones, which share all devices.

    ``load`` is the training time over the mean generation time of a batch, on all devices.
    """
    rows = []
    for sigma, load in product((0.5, 1.0, 1.5), (0.3, 1.0)):
        slots = DEVICES * SLOTS
        terms = {"batch": 512, "group": 8}
        synchronous = rate(played(slots, sigma, load, **terms, depth=0))
        for form, share, settings in forms():
            generating = round(slots * share)
            seconds = load / (1 - share) if share < 1 else load
            found = rate(played(generating, sigma, seconds, **terms, **settings))
            rows.append((sigma, load, form, share, found / synchronous))
    return pd.DataFrame(rows, columns=["sigma", "load", "form", "share", "speed_up"])


def forms() -> Iterator[tuple[str, float, dict[str, Any]]]:
    """A form, the share of devices that generate, and its settings."""
    for share in (0.5, 0.625, 0.75, 0.875):
        yield "one step off", share, {"depth": 1}
        yield "depth 4", share, {"depth": 4, "queue": 5}
        yield "no limit", share, {"queue": 5}


def rate(steps: list[Step]) -> float:
    return (len(steps) - 1) / (steps[-1].time - steps[0].time)


PARTS = {"ages": ages, "speed_ups": speed_ups}


def main(names: Iterable[str]) -> None:
    HERE.mkdir(exist_ok=True)
    for name in names or PARTS:
        PARTS[name]().to_parquet(HERE / f"{name}.parquet", index=False, compression="zstd")


if __name__ == "__main__":
    main(sys.argv[1:])
