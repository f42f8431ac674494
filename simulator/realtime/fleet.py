"""How do the workers live?  As actors, one for each, which are started again when they die.

Time is read from one clock on one machine.  For a worker elsewhere, pings measure the offset of its
clock.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from algorithms.tickets import Ticket
from simulator.mistakes import Mistake
from simulator.realtime.gradients import Vector
from simulator.realtime.messages import Assignment, Hello, Last, Order, Report, Start
from simulator.realtime.worker import Worker, machine
from simulator.remote.agent import setup
from simulator.remote.connection import check_installed
from simulator.scenario.data_files import name_of_copy, with_files
from simulator.scenario.scenario import Scenario

THREADS = 6
"""Calls that an actor serves at a time: one waits for reports."""
PATIENCE = 120.0
"""Real seconds in which another worker must start."""
PINGS = 9
LEAD = 0.03
"""Real seconds until time 0, for each worker that must learn of it."""
SMALL = 100_000
"""Bytes of a point from which on Ray stores it once for all workers."""
MOST_DEATHS = 3
"""Deaths of a worker in a row, before it has said hello."""


class Heard(NamedTuple):
    """Reports in the order of their times, workers that have died, and workers that are back."""

    reports: Sequence[Report]
    died: Sequence[int]
    back: Sequence[int]


@dataclass
class _Member:
    actor: Any
    asked: Any
    """The question that it has not answered yet; None between two runs."""
    hello: Hello | None = None
    """None until it has been answered."""
    offset: float = 0.0
    """Seconds by which its clock is ahead of ours."""
    deaths: int = field(default=0)


class Fleet:
    """The actors of a scenario's workers."""

    def __init__(self, ray: Any, scenario: Scenario, cpus: float) -> None:
        self._ray = ray
        self._dead = ray.exceptions.RayActorError, ray.exceptions.OutOfMemoryError
        self._actor = ray.remote(
            num_cpus=cpus, max_concurrency=THREADS, scheduling_strategy="SPREAD"
        )(Worker)
        names = {path: name_of_copy(path, file) for path, file in scenario.files.items()}
        tables = with_files(scenario.model_dump(), names)
        files = {names[path]: file.read_bytes() for path, file in scenario.files.items()}
        self._given = tables, files
        self._setup = ray.put(setup())
        self._all = [self._started(worker) for worker in range(scenario.cluster.workers)]
        self._seed, self._scale, self.epoch = 0, 1.0, 0.0

    @property
    def hellos(self) -> list[Hello]:
        return [member.hello for member in self._all if member.hello]

    def gather(self) -> None:
        """Wait until all workers have said hello."""
        known, since = 0, time.monotonic()
        while (found := len(self.hellos)) < len(self._all):
            if found > known:
                known, since = found, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                late = f"{len(self._all) - found} of {len(self._all)} workers have not started"
                remedy = "free their CPUs, or add nodes"
                raise Mistake(f"straggle real: {late} within {PATIENCE:.0f} s; {remedy}")
            self.hear(1.0)

    def begin(self, seed: int, scale: float) -> None:
        """Begin a run: time 0 is a moment from now."""
        self.gather()
        self._seed, self._scale = seed, scale
        self.epoch = time.monotonic() + LEAD * len(self._all)
        for worker in range(len(self._all)):
            self.join(worker, 0, -1, 0)
        time.sleep(max(0.0, self.epoch - time.monotonic()))

    def join(self, worker: int, begun: int, version: int, first: int) -> None:
        """Tell a worker about the run under way."""
        member = self._all[worker]
        epoch = self.epoch + member.offset
        start = Start(self._seed, self._scale, epoch, begun, version, first)
        began = member.actor.begin.remote(start)
        with suppress(*self._dead):  # the next answer tells of its death
            self._ray.get(began)
        member.asked = member.actor.hear.remote()

    def order(self, orders: Mapping[int, Order], point: Vector) -> None:
        given = self._ray.put(point) if point.nbytes > SMALL and len(orders) > 1 else point
        for worker, order in orders.items():
            self._all[worker].actor.order.remote(order, given)

    def release(self, worker: int, serial: int) -> None:
        self._all[worker].actor.release.remote(serial)

    def sums(
        self, parts: Mapping[int, tuple[list[Ticket], list[float]]], keep: Collection[Ticket]
    ) -> dict[int, Vector]:
        """Each worker's weighted sum of gradients that it holds; without those that have died."""
        asked = {
            worker: self._all[worker].actor.sum.remote(*part, keep)
            for worker, part in parts.items()
        }
        found = {}
        for worker, answer in asked.items():
            with suppress(*self._dead):
                found[worker] = self._ray.get(answer)
        return found

    def hear(self, seconds: float | None) -> Heard:
        """Wait up to so many real seconds for anything to happen."""
        asked = {member.asked: worker for worker, member in enumerate(self._all) if member.asked}
        ready, _ = self._ray.wait([*asked], num_returns=1, timeout=seconds)
        if ready:
            ready, _ = self._ray.wait([*asked], num_returns=len(asked), timeout=0)
        reports: list[Report] = []
        died, back = [], []
        for worker in sorted(asked[each] for each in ready):
            member = self._all[worker]
            try:
                answer = self._ray.get(member.asked)
            except self._dead as error:
                self._replace(worker, error)
                died += [worker] if member.hello else []
                continue
            except self._ray.exceptions.RayTaskError as error:
                raise error.cause from None
            if member.hello is None:
                self._greet(member, answer)
                back.append(worker)
            else:
                member.asked = member.actor.hear.remote()
                reports += answer
        return Heard(sorted(reports, key=lambda report: report.finish), died, back)

    def end(self, present: Collection[int]) -> dict[int, Last]:
        """End the run; the last answers of these workers, as far as they live."""
        asked = {worker: self._all[worker].actor.end.remote() for worker in present}
        found: dict[int, Last] = {}
        for worker, answer in asked.items():
            member = self._all[worker]
            try:
                last = self._ray.get(answer)
                reports = self._ray.get(member.asked)  # the worker has answered it now
            except self._dead as error:
                self._replace(worker, error)
                continue
            found[worker] = last._replace(reports=[*reports, *last.reports])
            member.asked = None
        return found

    def stop(self) -> None:
        for member in self._all:
            self._ray.kill(member.actor)

    def _started(self, worker: int, deaths: int = 0) -> _Member:
        actor = self._actor.remote(self._setup, Assignment(worker, *self._given))
        return _Member(actor, actor.hello.remote(), deaths=deaths)

    def _replace(self, worker: int, error: Exception) -> None:
        deaths = 0 if self._all[worker].hello else self._all[worker].deaths + 1
        check_installed(error)
        if deaths >= MOST_DEATHS:
            reason = (str(error).strip().splitlines() or ["no reason given"])[-1].strip()
            raise Mistake(f"straggle real: worker {worker} dies as it starts: {reason}")
        self._all[worker] = self._started(worker, deaths)

    def _greet(self, member: _Member, hello: Hello) -> None:
        member.hello, member.deaths, member.asked = hello, 0, None
        if hello.machine != machine():
            member.offset = self._offset(member.actor)

    def _offset(self, actor: Any) -> float:
        """By how much a clock is ahead, by the quickest of some pings."""
        pings: list[tuple[float, float]] = []
        for _ in range(PINGS):
            asked = time.monotonic()
            there = self._ray.get(actor.clock.remote())
            answered = time.monotonic()
            pings.append((answered - asked, there - (asked + answered) / 2))
        return min(pings)[1]
