"""The rehearsal of a run: the beginning of a method's schedule, simulated and observed.

The words of the story show which settings affect the method; its progress shows how long a run
takes.
"""

import math
from collections.abc import Collection, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from algorithms.methods import METHODS
from algorithms.tickets import Ticket
from algorithms.vocabulary import (
    Aggregation,
    Batch,
    Cluster,
    Event,
    Needs,
    Request,
    Story,
    no_worker,
)
from simulator import plugins
from simulator.cluster import InvalidDuration
from simulator.cluster.law import Floats
from simulator.cluster.speed import interval_of
from simulator.engine import Simulation, Stalled
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.training.schedules import simulation_of, stop_of, vector_of

GRADIENTS, WORKERS = 1000, 10_000  # a rehearsal's gradients, and one more per worker up to 10,000
ORDERS = 200  # of a broadcast that cost as much as an event
FEW = 4  # steps; with fewer the first one counts, too, although its batch may be larger
REMEMBERED = 64


@dataclass
class Observed:
    """The words and events of a story so far."""

    reduces: bool = False  # by an all-reduce
    keeps: bool = False  # gradients for later steps
    recalls: bool = False  # computations at once
    needs: Needs = no_worker
    tickets: int = 0
    events: int = 0
    downloads: int = 0
    uploads: int = 0
    singly: bool = False  # whether each gradient is sent by itself
    work: float = 1.0  # of the newest order, in gradients
    delivered: set[int] = field(default_factory=set)


class Beginning(NamedTuple):
    """The progress of a rehearsal, and the pace from its end on."""

    seconds: float  # simulated
    steps: int
    used: int
    started: int
    recalled: int
    rate: float  # gradients started per second, once all workers are busy
    over: bool  # whether the run ended by itself within this time
    step_seconds: float  # of a later step; a lower bound, if none has closed
    step_used: float  # gradients of a later step
    story: Observed


_remembered: dict[Hashable, Beginning] = {}


def rehearse(scenario: Scenario, label: str) -> Beginning:
    """The beginning of a method's run on the first seed."""
    # A plug-in may register a name again.
    key = (
        scenario.model_dump_json(exclude={"title"}),
        label,
        tuple(plugins.used(scenario.canonical()).items()),
    )
    if key not in _remembered:
        if len(_remembered) >= REMEMBERED:
            _remembered.clear()
        with np.errstate(all="ignore"):  # an overflow is infinite, as it should be
            _remembered[key] = _rehearsed(scenario, label)
    return _remembered[key]


def _rehearsed(scenario: Scenario, label: str) -> Beginning:
    seconds = _usual_seconds(scenario)
    stop, moment = stop_of(scenario), _moment(scenario, seconds)
    observed, most = Observed(), 2 * _most(len(seconds))
    simulation = observed_run(scenario, label, scenario.seeds[0], observed, most)
    times, used, stalled = [0.0], [0], False
    try:
        for step in simulation.steps(stop._replace(seconds=min(stop.seconds, moment))):
            times.append(step.time)
            used.append(step.used)
    except Stalled:
        stalled = True
    except (InvalidDuration, Enough):
        pass
    accounts = simulation.accounts()
    closed, covered = len(times) - 1, accounts.time
    at_a_limit = closed >= stop.steps or used[-1] >= stop.gradients or covered >= stop.seconds
    started = int(accounts.started.sum())
    done = max(observed.tickets, started - len(seconds))
    rate = done / covered if done else float((1 / seconds).sum())
    if closed:
        first = 1 if closed >= FEW and times[-1] > times[1] else 0
        pace, share = ((row[-1] - row[first]) / (closed - first) for row in (times, used))
    elif stalled:
        pace, share = covered, observed.tickets
    else:
        pace = max(covered, _least_seconds(scenario, label, observed, seconds, rate))
        share = rate * pace
    return Beginning(
        covered,
        closed,
        used[-1],
        started,
        int(accounts.recalled.sum()),
        rate,
        stalled or at_a_limit,
        pace,
        share,
        observed,
    )


def observed_run(
    scenario: Scenario,
    label: str,
    seed: int,
    observed: Observed,
    most: int,
    slowness: float = 1.0,
) -> Simulation:
    """A schedule that breaks off with ``Enough`` after ``most`` events; notes what it observes."""
    length = max(1, round(scenario.objective.episode_steps))
    charged = scenario.cluster.per == "environment-step"

    def lengths(tickets: Sequence[Ticket]) -> Sequence[int]:
        return [length] * len(tickets)

    return simulation_of(
        scenario,
        label,
        seed,
        vector=vector_of(scenario),
        retold=lambda story: _observed(story, observed, most),
        slowness=slowness,
        lengths=lengths if charged else None,
    )


def _usual_seconds(scenario: Scenario) -> Floats:
    cluster, seed = scenario.build_cluster(), scenario.timing_seed(scenario.seeds[0])
    length = scenario.objective.episode_steps if scenario.cluster.per != "gradient" else 1.0
    return cluster.computations(seed).nominal * length


def _transfers(scenario: Scenario) -> Floats:
    cluster, vector = scenario.build_cluster(), vector_of(scenario)
    seed, first = scenario.timing_seed(scenario.seeds[0]), np.zeros(cluster.workers, np.int64)
    return cluster.uploads(seed, vector).all(first) + cluster.downloads(seed, vector).all(first)


def _moment(scenario: Scenario, seconds: Floats) -> float:
    """The simulated seconds of the rehearsal: at least two computations of most workers.

    Frequent failures or changes of speed shorten it.
    """
    most, workers = _most(len(seconds)), len(seconds)
    computing, changes = float((1 / seconds).sum()), 0.0
    if failures := scenario.build_cluster().outages.failures:
        cycle = failures.mean_time_between_failures + failures.mean_time_to_repair
        changes += 2 * workers / cycle
    if every := interval_of(scenario.build_cluster().speed):
        changes += workers / every
    usual = float(np.median(seconds + _transfers(scenario)))
    longest = max(most / computing, 2 * usual) if computing else math.inf
    return min(longest, most / changes) if changes else longest


def _most(workers: int) -> int:
    return GRADIENTS + min(WORKERS, workers)


def _least_seconds(
    scenario: Scenario, label: str, observed: Observed, seconds: Floats, rate: float
) -> float:
    """A lower bound of a step that has not closed: its batch, and the workers that it needs."""
    silent = set(range(len(seconds))) - observed.delivered
    needed = list(observed.needs(silent)) if silent else []
    slowest = float(seconds[needed].max()) if needed else 0.0
    parameters = METHODS[scenario.methods[label].method].parameters()
    batches = [
        value
        for name, value in settings_of(scenario, label).items()
        if value is not None and parameters[name].annotation in (Batch, Batch | None)
    ]
    return max(slowest, max(batches, default=0) / rate if rate else math.inf)


# Observing


class Enough(Exception):
    """The rehearsal is over."""


def _observed(aggregation: Aggregation, observed: Observed, most: int) -> Aggregation:
    """The same story, observed, which breaks off after ``most`` events."""

    def story(cluster: Cluster) -> Story:
        inner = aggregation(_Observer(cluster, observed, most))
        answer: Event | None = None
        with suppress(StopIteration):
            while True:
                answer = yield inner.send(answer)
                if isinstance(answer, Ticket):
                    observed.tickets += 1
                    observed.uploads += observed.singly
                    observed.delivered.add(answer.worker)

    return story


class _Observer:
    """A cluster that notes the words of its story."""

    def __init__(self, cluster: Cluster, observed: Observed, most: int) -> None:
        self._cluster, self._observed, self._most = cluster, observed, most
        self.workers, self.present = cluster.workers, cluster.present
        self.drop, self.refresh = cluster.drop, cluster.refresh

    @property
    def version(self) -> int:
        return self._cluster.version

    def broadcast(self, **order: Any) -> None:
        workers = len(self.present())
        self._observed.events += workers // ORDERS
        self._ordered(workers, **order)
        self._cluster.broadcast(**order)

    def send(self, worker: int, *, recall: bool = False, **order: Any) -> None:
        self._observed.recalls |= recall
        self._ordered(1, **order)
        self._cluster.send(worker, recall=recall, **order)

    def arrival(self, needs: Needs = no_worker) -> Request:
        self._observed.needs = needs
        self._count()
        return self._cluster.arrival(needs)

    def all_reduce(self, tickets: Sequence[Ticket]) -> Request:
        self._observed.reduces = True
        self._observed.uploads += len({ticket.worker for ticket in tickets})
        self._count()
        return self._cluster.all_reduce(tickets)

    def step(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> Request:
        self._observed.keeps |= bool(keep)
        self._count()
        return self._cluster.step(tickets, weights, keep, importance)

    def train(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> None:
        self._observed.keeps |= bool(keep)
        self._count()
        self._cluster.train(tickets, weights, keep, importance)

    def _ordered(
        self,
        workers: int,
        quota: int | None = None,
        upload: bool = False,
        work: float = 1,
        **_: Any,
    ) -> None:
        self._observed.downloads += workers
        self._observed.singly, self._observed.work = upload, work

    def _count(self) -> None:
        self._observed.events += 1
        if self._observed.events > self._most:
            raise Enough
