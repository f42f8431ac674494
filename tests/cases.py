"""One case, played twice: by the engine and by the reference, in the same records.

The reference plays second versions of the stories (``second_stories.py``).
"""

import os
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from second_stories import second_story

from algorithms.methods import greedy, malenia, rennala, synchronous
from simulator.cluster import (
    Cluster,
    Failures,
    Fixed,
    Network,
    Outage,
    Outages,
    Seconds,
    Uplink,
    Vector,
    Wire,
)
from simulator.engine import Simulation, Sinks, Stop
from simulator.reference import replay
from simulator.reference.record import OUTCOMES

AGGREGATIONS = {
    "synchronous": synchronous,
    "rennala": rennala,
    "malenia": malenia,
    "greedy": greedy,
}
METHODS = list(AGGREGATIONS)
BARRIERS = METHODS[:3]
COUNTS = ("started", "used", "recalled", "dropped", "lost", "unfinished")
SECONDS = ("busy", "communicating", "down", "idle", "wasted")
VECTOR = Vector(dimension=4, itemsize=4)
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)


TIMES = int(os.environ.get("STRAGGLE_EXAMPLES", "1"))
"""More than 1: so many times the examples, and other ones each time."""


def examples(many):
    return settings(
        derandomize=TIMES == 1,
        print_blob=True,
        database=None,
        deadline=None,
        max_examples=many * TIMES,
    )


class Round(NamedTuple):
    """One server step, and each worker's account at the moment it closes."""

    time: float
    tickets: list
    weights: list
    accounts: list
    age: float
    """The mean delay of its gradients on arrival."""
    mixtures: list


class Account(NamedTuple):
    """What became of one worker's computations, and where its seconds went."""

    started: int
    used: int
    recalled: int
    dropped: int
    lost: int
    unfinished: int
    busy: float
    communicating: float
    down: float
    idle: float
    wasted: float


class Traced(NamedTuple):
    """What became of one computation."""

    ticket: tuple
    start: float
    finish: float
    outcome: str
    step: int | None
    weight: float | None


@dataclass(frozen=True)
class Case:
    """A method on a cluster until a stop.  ``compute`` is seconds per worker, or a law.

    Uploads take ``upload`` seconds, or ``latency`` and the bytes of `VECTOR` over ``bandwidth``.
    """

    method: str
    compute: Any
    workers: int = 0
    batch: int | None = None
    initial_batch: int | None = None
    count: str = "first-finished"
    upload: list | None = None
    latency: list | None = None
    bandwidth: list | None = None
    download: list | None = None
    collective: str = "max"
    uplink: Uplink | None = None
    in_flight: str = "recall"
    speed: Any = None
    measured: bool = False
    outages: tuple = ()
    failures: Failures | None = None
    work: str = "lost"
    seconds: float = inf
    steps: float = inf
    seed: int = 0

    @property
    def n(self):
        return self.workers or len(self.compute)

    @property
    def cluster(self):
        law = Fixed(self.compute) if isinstance(self.compute, list) else self.compute
        foreseen = tuple(Outage(*outage) for outage in self.outages)
        return Cluster(
            workers=self.n,
            compute=law,
            network=self.network,
            in_flight=self.in_flight,
            speed=self.speed,
            outages=Outages(foreseen, self.failures, self.work),
        )

    @property
    def network(self):
        upload = Seconds(Fixed(self.upload or 0.0))
        if self.bandwidth:
            upload = Wire(Fixed(self.bandwidth), latency=Fixed(self.latency or 0.0))
        download = Seconds(Fixed(self.download or 0.0))
        return Network(upload, download, collective=self.collective, uplink=self.uplink)

    @property
    def settings(self):
        named = {}
        if self.method in ("rennala", "malenia"):
            named = {"batch": self.batch, "initial_batch": self.initial_batch}
        if self.count != "first-finished":
            named["count"] = self.count
        return named

    def build(self, trace=None):
        return Simulation(
            self.cluster,
            AGGREGATIONS[self.method](**self.settings),
            seed=self.seed,
            vector=VECTOR,
            account_when=lambda version, time: True,
            lengths=lengths if self.measured else None,
            trace=trace,
        )

    @property
    def simulation(self):
        return self.build()

    @property
    def stop(self):
        finite = {"seconds": self.seconds, "steps": self.steps}
        return Stop(**{name: limit for name, limit in finite.items() if limit < inf})


def length(ticket):
    """What an episode might have lasted; eighths, so that ties stay ties."""
    worker, version, index = ticket
    return (4 + (31 * worker + 17 * version + 7 * index) % 11) / 8


def lengths(tickets):
    return np.array([length(ticket) for ticket in tickets])


def simulated(case):
    """What the engine makes of a case."""
    computations = []
    trace = Sinks(computations.append, lambda stretch: None)
    return followed(case.build(trace=trace), case.stop, computations)


def followed(simulation, stop, computations):
    """A simulation of the engine up to its end, in records; its trace goes to ``computations``."""
    rounds = []
    for version, step in enumerate(simulation.steps(stop)):
        assert step.version == version
        books = per_worker_accounts(step.accounts)
        assert step.accounts.time == step.time
        assert step.used == sum(book.used for book in books)
        tickets = [tuple(ticket) for ticket in step.tickets]
        rounds.append(Round(step.time, tickets, list(step.weights), books, *arrival(step)))
    simulation.close_trace()
    traced = [Traced(tuple(done.ticket), *done[1:]) for done in computations]
    return rounds, per_worker_accounts(simulation.accounts()), traced


def arrival(step):
    """How old its gradients arrived, and which points their workers got on the way."""
    mixtures = sorted((step.mixtures or {}).items())
    return step.arrival_delay, [(tuple(ticket), *mixture) for ticket, mixture in mixtures]


def per_worker_accounts(accounts):
    columns = [getattr(accounts, name).tolist() for name in Account._fields]
    return [Account(*row) for row in zip(*columns, strict=True)]


def referred(case, *, seconds=None, steps=None):
    """What the reference makes of it."""
    return replayed(
        case.cluster,
        second_story(case.method, **case.settings),
        seed=case.seed,
        vector=VECTOR,
        steps=steps or case.steps,
        until=seconds or case.seconds,
        lengths=length if case.measured else None,
    )


def replayed(cluster, aggregation, **terms):
    """A replay of the reference, in the records of `simulated`."""
    record = replay(cluster, aggregation, **terms)
    assert terms["until"] < inf or not record.stalled
    rounds = [
        Round(
            step.time,
            [tuple(ticket) for ticket in step.tickets],
            list(step.weights),
            per_worker_accounts(record.accounts(step.number)),
            *arrival(step),
        )
        for step in record.steps
    ]
    of = record.computations
    tickets = zip(*(each.tolist() for each in (of.worker, of.version, of.index)), strict=True)
    outcomes = [OUTCOMES[code] for code in of.outcome]
    steps = [step or None for step in of.step.tolist()]
    weights = [None if np.isnan(weight) else weight for weight in of.weight.tolist()]
    columns = (tickets, of.start.tolist(), of.finish.tolist(), outcomes, steps, weights)
    traced = [Traced(*row) for row in zip(*columns, strict=True)]
    return rounds, per_worker_accounts(record.accounts()), traced


@pytest.fixture(params=[simulated, referred], ids=["simulator", "reference"])
def play(request):
    return request.param


def rounds_of(case, play=simulated):
    return play(case)[0]


def times(rounds):
    return [step.time for step in rounds]


def schedule(rounds):
    """What was done with what, without what was wasted on the way."""
    return [(step.time, step.tickets, step.weights) for step in rounds]


# Random numbers of seconds.

WHOLE = st.integers(1, 5).map(float)
DYADIC = st.integers(1, 40).map(lambda eighths: eighths / 8)
ANY = st.floats(0.1, 8)
TRANSFER = st.one_of(st.integers(0, 3).map(float), st.floats(0, 3))


def per_worker(n, seconds):
    return st.lists(seconds, min_size=n, max_size=n)


def stops():
    return st.one_of(
        st.integers(1, 9).map(lambda steps: {"steps": steps}),
        st.integers(1, 25).map(lambda seconds: {"seconds": float(seconds)}),
        st.floats(0.5, 25).map(lambda seconds: {"seconds": seconds}),
    )


def never_alike(data, n):
    """A shared way on which nothing ties, whatever is drawn: roots of primes have no ratio."""
    parts = (sqrt(prime) / 8 for prime in PRIMES)

    def seconds(many):
        return [each + next(parts) for each in data.draw(per_worker(many, WHOLE))]

    (shared,) = seconds(1)
    return {
        "compute": seconds(n),
        "latency": seconds(n),
        "bandwidth": [VECTOR.bytes / each for each in seconds(n)],
        "uplink": Uplink(VECTOR.bytes / shared, "share"),
    }


# Whether both say the same.


def assert_agreement(case, *, exactly=True):
    """Times, tickets and weights to the last bit; of sums of seconds not quite the last ones.

    Where not even times can be expected to be equal ``exactly``, all the rest still is.
    """
    found, expected = simulated(case), referred(case)
    rounds = found[0]
    end = case.seconds if case.seconds < inf and len(rounds) < case.steps else rounds[-1].time
    assert_same(found, expected, end, exactly)


def assert_same(found, expected, end, exactly=True):
    rounds, books, traced = found
    expected, expected_books, expected_trace = expected
    if exactly:
        assert schedule(rounds) == schedule(expected)
    assert [step[1:3] for step in rounds] == [step[1:3] for step in expected]
    assert times(rounds) == pytest.approx(times(expected), rel=1e-9)
    assert_same_trace(settled(traced, end), settled(expected_trace, end), exactly)
    for step, expected_step in zip(rounds, expected, strict=True):
        assert step.age == expected_step.age
        assert step.mixtures == approximately(expected_step.mixtures)
        assert_same_books(step.accounts, expected_step.accounts, step.time)
    assert_same_books(books, expected_books, end)


def approximately(mixtures):
    """The same points; shares of a computation are quotients of other numbers."""
    return [
        (ticket, *((version, pytest.approx(share, abs=1e-9)) for version, share in mixture))
        for ticket, *mixture in mixtures
    ]


def settled(traced, end):
    """In one order; whether what ends with the run has quite finished is left open."""

    def outcome(done):
        at_the_end = done.finish == pytest.approx(end) and done.outcome == "unfinished"
        return "waiting" if at_the_end else done.outcome

    return sorted((done._replace(outcome=outcome(done)) for done in traced), key=lambda d: d[:2])


def assert_same_trace(traced, expected, exactly):
    if not exactly:
        for name in ("start", "finish"):
            ours, theirs = ([getattr(done, name) for done in all_] for all_ in (traced, expected))
            assert ours == pytest.approx(theirs, rel=1e-9)
        traced, expected = (
            [done._replace(start=0.0, finish=0.0) for done in all_] for all_ in (traced, expected)
        )
    assert traced == expected


def assert_same_books(books, expected, time):
    """Seconds are added up in another order, so they agree to 1e-9 of the clock only."""
    for name in COUNTS:
        ours, theirs = ([getattr(book, name) for book in all_] for all_ in (books, expected))
        assert ours == theirs, name
    for name in SECONDS:
        ours, theirs = ([getattr(book, name) for book in all_] for all_ in (books, expected))
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9 * max(1.0, time)), name
