"""Measures what a task costs on a Ray cluster, and calculates a campaign of 10,000 on 100 nodes.

python docs/cluster.py               1,000 short tasks by local processes, then on a cluster here
python docs/cluster.py --tasks 200   fewer
"""

import argparse
import pickle
import resource
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import simpy

from simulator import Ray, load
from simulator.campaign import campaign
from simulator.campaign.campaign import Plan
from simulator.campaign.processes import Local
from simulator.campaign.rows import Rows
from simulator.campaign.runner import Runner
from simulator.campaign.task import tasks_of
from simulator.remote import away
from simulator.sweeps.sweep import NEEDED, row_of
from simulator.system.machine import cores

SHORT = (
    'objective = {kind = "quadratic", dimension = 5}',
    "cluster = {workers = 3, compute = 1}",
    "stop = {steps = 3}",
    "evaluation = {}",
)
NODES, CORES, TASKS, SECONDS = 100, 8, 10_000, 60.0
"""The calculated campaign: tasks of so many seconds on nodes of so many cores."""


class Cost(NamedTuple):
    """What a campaign of short tasks took."""

    start: float
    """Seconds until the first row."""
    seconds: float
    """Between two rows, on average."""
    driver: float
    """Seconds of the driver's processor."""
    memory: float
    """MB by which the driver grew."""


class Timed(Rows):
    """A store that remembers when each row came."""

    times: list[tuple[float, float]]
    """By the clock, and seconds of this processor."""

    def add(self, task: Any, done: Any) -> None:
        super().add(task, done)
        self.times.append((time.perf_counter(), time.process_time()))


def cost(runner: Runner, tasks: list[Any]) -> Cost:
    """Of the tasks after the first: starting processes is another matter."""
    with tempfile.TemporaryDirectory() as folder:
        plan, store = Plan(row_of, lambda task, row: ""), Timed(Path(folder), NEEDED)
        (Path(folder) / "runs").mkdir()
        store.times = []
        began, grown = time.perf_counter(), memory()
        campaign.conduct(tasks, plan, store, jobs=runner)
        (first, used), (last, all_used) = store.times[0], store.times[-1]
    more = len(tasks) - 1
    return Cost(first - began, (last - first) / more, (all_used - used) / more, memory() - grown)


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bytes_of(tasks: list[Any]) -> tuple[int, int]:
    """Bytes of a task on its way to a node, and of its row on the way back."""
    plan = Plan(row_of, lambda task, row: "")
    [job] = campaign.jobs_of(tasks[:1], plan, 1).values()
    there = len(pickle.dumps(away.pack(None, job, None)))  # type: ignore[arg-type]
    store = Rows(None)
    campaign.conduct(tasks[:1], plan, store, jobs=Local(1))
    return there, len(pickle.dumps([*store.found.values()]))


def calculated(driver: float) -> float:
    """The seconds of a large campaign: the driver hands out one task at a time."""
    environment = simpy.Environment()
    desk, left = simpy.Resource(environment), [TASKS]

    def slot() -> Any:
        while left[0]:
            left[0] -= 1
            with desk.request() as turn:
                yield turn
                yield environment.timeout(driver)
            yield environment.timeout(SECONDS)

    for _ in range(NODES * CORES):
        environment.process(slot())
    environment.run()
    return float(environment.now)


def main() -> None:
    parser = argparse.ArgumentParser(description="What does a task cost on a Ray cluster?")
    parser.add_argument("--tasks", type=int, default=1000)
    count = parser.parse_args().tasks
    scenario = load("straggler", *SHORT, f"seeds = {[*range(count + 8)]}")
    only = scenario.restrict(["rennala-nigt"], None)
    tasks = [*tasks_of(only.model_dump(), Path.cwd(), only)]
    here, there = cost(Local(cores()), tasks), cost(Ray(), tasks)
    for name, each in (("local processes", here), ("Ray", there)):
        rate = f"{1 / each.seconds:,.0f} tasks a second"
        print(f"{name}: {rate}; the first after {each.start:.1f} s")
    more = (there.seconds - here.seconds) * cores()
    print(f"overhead of Ray: {more * 1e3:.1f} ms of a core per task")
    print(f"driver: {there.driver * 1e3:.2f} ms per task, and {there.memory:.0f} MB")
    out, back = bytes_of(tasks)
    print(f"bytes of a task: {out:,} to the node, {back:,} back")
    least, took = -(-TASKS // (NODES * CORES)) * SECONDS, calculated(there.driver)
    print(
        f"calculated, {TASKS:,} tasks of {SECONDS:.0f} s on {NODES} nodes of {CORES} cores: "
        f"{took:,.0f} s (without overhead {least:,.0f} s), {TASKS * (out + back) / 1e6:,.0f} MB"
    )


if __name__ == "__main__":
    main()
