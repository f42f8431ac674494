"""How fast is the schedule plane?  Against the least that could simulate the same events."""

from collections.abc import Callable, Iterator
from functools import partial
from heapq import heapify, heapreplace
from typing import Any

import simpy
from simpy.core import StopSimulation

from algorithms.methods import greedy, queued, rennala
from algorithms.vocabulary import Aggregation
from benchmarks.row import Aim, Row
from benchmarks.stopwatch import Stopwatch
from simulator.cluster import Cluster, Durations, Fixed, Law, LogNormal, Power, Server
from simulator.cluster.server import AT_ONCE
from simulator.engine import Simulation, Stop

POWER = Power(exponent=0.5)
LAWS: dict[str, Law] = {"fixed": POWER, "log-normal": LogNormal(POWER, sigma=0.5)}


def seconds_of(workers: int) -> list[float]:
    nominal: list[float] = Durations(POWER, workers, name="cluster.compute").nominal.tolist()
    return nominal


def simulate(
    workers: int,
    aggregation: Aggregation,
    gradients: int,
    law: Law = POWER,
    server: Server = AT_ONCE,
) -> None:
    """The product: every server step until so many gradients are used, no more, no less."""
    simulation = Simulation(Cluster(workers, law, server=server), aggregation)
    used = sum(len(step.tickets) for step in simulation.steps(Stop(gradients=gradients)))
    assert used == gradients == simulation.accounts().used.sum()


def bare_simpy(workers: int, events: int) -> None:
    """Each worker a chain of timeouts, each of which starts the next: nothing is recorded."""
    env, done = simpy.Environment(), 0
    seconds = seconds_of(workers)

    def finished(event: Any) -> None:
        nonlocal done
        done += 1
        start(event.value)
        if done == events:
            raise StopSimulation(None)  # now, not after what else happens at this instant

    def start(worker: int) -> None:
        env.timeout(seconds[worker], worker).callbacks.append(finished)

    for worker in range(workers):
        start(worker)
    env.run()
    assert done == events


def bare_heap(workers: int, events: int) -> None:
    """One heap of (time, worker): the next finish out, the one after it in."""
    seconds = seconds_of(workers)
    heap, done = [(time, worker) for worker, time in enumerate(seconds)], 0
    heapify(heap)
    while done < events:
        time, worker = heap[0]
        heapreplace(heap, (time + seconds[worker], worker))
        done += 1
    assert done == events


def throughput(watch: Stopwatch) -> Iterator[Row]:
    """Used tickets per second at n = 100, of the bare loops' events per second."""
    events = watch.work(100_000, of=100)
    seconds = watch.alternate(
        {
            "SimPy": lambda: bare_simpy(100, events),
            "heap": lambda: bare_heap(100, events),
            "Rennala, M = 100": lambda: simulate(100, rennala(100), events),
            "Rennala, M = 20": lambda: simulate(100, rennala(20), events),
            "greedy": lambda: simulate(100, greedy(), events),
        },
        watch.rounds(7),
    )
    for name in list(seconds)[2:]:
        of_simpy, of_heap = (seconds[bare] / seconds[name] for bare in ("SimPy", "heap"))
        yield Row(
            f"used tickets per second, n = 100, {name}",
            of_simpy,
            "share",
            Aim("≥", 0.3, "of a bare SimPy loop"),
            f"of a bare heap loop: {of_heap:.2f}; {seconds[name] / events * 1e6:.1f} µs per ticket",
        )


def million(watch: Stopwatch) -> Iterator[Row]:
    """A million used tickets at n = 1,000."""
    events = watch.work(1_000_000, of=100)
    seconds = watch.alternate(
        {
            "Rennala, M = 100": lambda: simulate(1000, rennala(100), events),
            "greedy": lambda: simulate(1000, greedy(), events),
            "SimPy": lambda: bare_simpy(1000, events),
        },
        watch.rounds(3),
    )
    for name in list(seconds)[:2]:
        share = seconds["SimPy"] / seconds[name]
        yield Row(
            f"a million used tickets, n = 1,000, {name}",
            seconds[name] / events * 1e6,
            "s",
            Aim("≤", 20),
            f"{share:.2f} of a bare SimPy loop; {events:,} simulated",
        )


def queue(watch: Stopwatch) -> Iterator[Row]:
    """A quarter of a million episodes of 64 slots: a queue of prompts, and a trainer."""
    events = watch.work(250_000, of=64)
    lengths, trainer = LogNormal(Fixed(1.0), sigma=1.0), Server(Fixed(0.9))
    forms = {
        "asynchronous": queued(batch=64, group=8, queue=2),
        "one step off": queued(batch=64, group=8, depth=1),
        "partial rollouts": queued(batch=64, group=8, queue=2, update="during"),
    }
    acts: dict[str, Callable[[], object]] = {
        name: partial(simulate, 64, story, events, lengths, trainer)
        for name, story in forms.items()
    }
    seconds = watch.alternate({**acts, "SimPy": lambda: bare_simpy(64, events)}, watch.rounds(3))
    for name in forms:
        share = seconds["SimPy"] / seconds[name]
        yield Row(
            f"a quarter of a million episodes, n = 64, {name}",
            seconds[name] / events * 250_000,
            "s",
            Aim("≤", 10),
            f"{share:.2f} of a bare SimPy loop; {events:,} simulated",
        )


def recall(watch: Stopwatch) -> Iterator[Row]:
    """Ten thousand workers: a hundred of their gradients are used and the rest recalled."""
    events = watch.work(50_000, of=100)
    acts: dict[str, Callable[[], object]] = {
        name: partial(simulate, 10_000, rennala(100), events, law) for name, law in LAWS.items()
    }
    seconds = watch.alternate({**acts, "heap": lambda: bare_heap(10_000, events)}, watch.rounds(5))
    for name in LAWS:
        yield Row(
            f"recall, n = 10,000, M = 100, {name} times",
            seconds[name] / events * 1e6,
            "µs",
            Aim("≤", 50, "per used ticket"),
            f"{seconds[name] / seconds['heap']:.1f}x an event of a bare heap loop",
        )
