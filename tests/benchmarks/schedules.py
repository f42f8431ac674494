"""How fast is the schedule plane?  Against the least that could simulate the same events."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from heapq import heapify, heapreplace
from pathlib import Path
from statistics import median

import simpy
from measure import Row, alternate
from simpy.core import StopSimulation

from algorithms.aggregation import greedy, rennala
from simulator.cluster import Cluster, Durations, Law, LogNormal, Power
from simulator.engine import Simulation, Stop

POWER = Power(exponent=0.5)
LAWS: dict[str, Law] = {"fixed": POWER, "log-normal": LogNormal(POWER, sigma=0.5)}


def seconds_of(workers: int) -> list[float]:
    return Durations(POWER, workers, name="cluster.compute").nominal.tolist()


def simulate(workers: int, aggregation: object, gradients: int, law: Law = POWER) -> None:
    """The product: every server step until so many gradients are used, no more, no less."""
    simulation = Simulation(Cluster(workers, law), aggregation)
    used = sum(len(step.tickets) for step in simulation.steps(Stop(gradients=gradients)))
    assert used == gradients == simulation.accounts().used.sum()


def bare_simpy(workers: int, events: int) -> None:
    """Each worker a chain of timeouts, each of which starts the next: nothing is recorded."""
    env, done = simpy.Environment(), 0
    seconds = seconds_of(workers)

    def finished(event: simpy.Event) -> None:
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


def throughput(quick: bool) -> Iterator[Row]:
    """Used tickets per second at n = 100, of the bare loops' events per second."""
    events, rounds = (20_000, 3) if quick else (100_000, 7)
    seconds = alternate(
        {
            "SimPy": lambda: bare_simpy(100, events),
            "heap": lambda: bare_heap(100, events),
            "Rennala, M = 100": lambda: simulate(100, rennala(100), events),
            "Rennala, M = 20": lambda: simulate(100, rennala(20), events),
            "greedy": lambda: simulate(100, greedy(), events),
        },
        rounds,
    )
    for name in list(seconds)[2:]:
        of_simpy, of_heap = (seconds[bare] / seconds[name] for bare in ("SimPy", "heap"))
        yield Row(
            f"used tickets per second, n = 100, {name}",
            "≥ 0.3 of a bare SimPy loop",
            f"{of_simpy:.2f} (of a bare heap loop: {of_heap:.2f}; "
            f"{seconds[name] / events * 1e6:.1f} µs per ticket)",
            of_simpy >= 0.3,
        )


def million(quick: bool) -> Iterator[Row]:
    """A million used tickets at n = 1,000."""
    events = 100_000 if quick else 1_000_000
    seconds = alternate(
        {
            "Rennala, M = 100": lambda: simulate(1000, rennala(100), events),
            "greedy": lambda: simulate(1000, greedy(), events),
            "SimPy": lambda: bare_simpy(1000, events),
        },
        1 if quick else 3,
    )
    for name in list(seconds)[:2]:
        share = seconds["SimPy"] / seconds[name]
        yield Row(
            f"{events:,} used tickets, n = 1,000, {name}",
            "≤ 20 s",
            f"{seconds[name]:.1f} s ({share:.2f} of a bare SimPy loop)",
            seconds[name] <= 20 * events / 1_000_000,
        )


def recall(quick: bool) -> Iterator[Row]:
    """Ten thousand workers, of whom a hundred gradients are used and the rest recalled."""
    events = 10_000 if quick else 50_000
    acts: dict[str, Callable[[], object]] = {
        name: lambda law=law: simulate(10_000, rennala(100), events, law)
        for name, law in LAWS.items()
    }
    seconds = alternate(acts, 3 if quick else 5)
    for name, many in seconds.items():
        each = many / events * 1e6
        yield Row(
            f"recall, n = 10,000, M = 100, {name} times",
            "≤ 50 µs per used ticket",
            f"{each:.1f} µs",
            each <= 50,
        )


def memory(quick: bool) -> Iterator[Row]:
    """What a hundred thousand workers take: the peak of a fresh process above its start."""
    script = Path(__file__).with_name("memory.py")
    for method in ("rennala", "greedy", "synchronous", "malenia"):
        for law in LAWS:
            command = [sys.executable, str(script), method, law]
            answers = [
                subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                for _ in range(1 if quick else 3)
            ]
            megabytes = median(float(answer[0]) for answer in answers)
            yield Row(
                f"memory, n = 100,000, {method}, {law} times",
                "≤ 200 MB",
                f"{megabytes:.0f} MB (largest batch {int(answers[0][1]):,})",
                megabytes <= 200,
            )
