"""When does every server step happen?  Answered a second time, slowly and plainly.

The simulator is compared with this: one heap, one event after the other, one object per
computation, nothing ever forgotten, and each account read off the full list at the end.  It is
written from the semantics alone and shares no code with the packages, stopping rules included.

Three kinds of event, and at one instant they happen in this order: whoever can start does; the
server takes what has arrived, lowest worker first, and reacts to each arrival before its sender
starts anything else; a collective ends and its step is closed.
"""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from math import fsum, inf
from typing import NamedTuple

START, ARRIVE, STEP = range(3)


class Round(NamedTuple):
    """One server step, and each worker's account at the moment it closes."""

    time: float
    tickets: list
    weights: list
    accounts: list


class Account(NamedTuple):
    """What became of one worker's computations, and how many seconds it computed."""

    started: int
    used: int
    recalled: int
    dropped: int
    unfinished: int
    busy: float


@dataclass
class Computation:
    """One gradient being computed.  Its fate: running, arrived, used, recalled or obsolete."""

    ticket: tuple
    start: float
    end: float
    fate: str = "running"
    stopped: float = inf


def reference(method, *, workers, durations, **options):
    """The rounds of a run, the account of each worker at its end, and every computation.

    ``durations(worker, k)`` is the length of the worker's k-th computation, in seconds; the
    options are those of `Run`.

    >>> rounds, accounts, traced = reference(
    ...     "rennala", workers=2, durations=lambda i, k: [1.0, 9.0][i], batch=3, steps=2)
    >>> [(r.time, r.tickets[-1]) for r in rounds]
    [(3.0, (0, 0, 2)), (6.0, (0, 1, 2))]
    """
    run = Run(method, workers, durations, **options)
    run.play()
    return run.rounds, run.accounts(), run.traced()


class Run:
    """The state of a run; `play` is the loop."""

    def __init__(
        self,
        method,
        workers,
        durations,
        *,
        upload=None,
        download=None,
        collective="max",
        in_flight="recall",
        batch=None,
        initial_batch=None,
        seconds=inf,
        steps=inf,
    ):
        self.method, self.workers, self.durations = method, workers, durations
        self.upload = upload or [0.0] * workers
        self.download = download or [0.0] * workers
        self.collective, self.in_flight = collective, in_flight
        self.batch, self.initial_batch = batch, initial_batch or batch
        self.seconds, self.steps = seconds, steps
        self.now, self.over = 0.0, False
        self.events = []
        self.rounds = []
        self.batch_so_far = []
        self.computations = [[] for _ in range(workers)]
        # An event carries the number of its order; the next order, or the end of a batch,
        # raises the number and so makes the event stale.
        self.order = [0] * workers
        self.version = [0] * workers  # of the newest order
        self.free = [0.0] * workers  # when the obsolete gradient ends

    def play(self):
        self.broadcast()
        while self.events and self.events[0][0] <= self.seconds and not self.over:
            self.now, kind, worker, order = heappop(self.events)
            if kind == STEP:
                self.step(self.batch_so_far, self.weights())
                self.batch_so_far = []
                self.broadcast()
            elif order == self.order[worker]:
                self.start(worker) if kind == START else self.arrive(worker)
        if not self.over:
            assert self.seconds < inf, "nothing can happen any more"
            self.now = self.seconds

    def schedule(self, time, kind, worker=0):
        if time < inf:
            heappush(self.events, (time, kind, worker, self.order[worker]))

    # The orders, and what a worker does with one.

    def broadcast(self):
        for worker in range(self.workers):
            self.send(worker)

    def send(self, worker):
        if self.over:
            return
        self.order[worker] += 1
        self.version[worker] = len(self.rounds)
        received = self.now + self.download[worker]
        self.schedule(max(received, self.free[worker]), START, worker)

    def start(self, worker):
        version, mine = self.version[worker], self.computations[worker]
        index = sum(computation.ticket[1] == version for computation in mine)
        end = self.now + self.durations(worker, len(mine))
        mine.append(Computation((worker, version, index), self.now, end))
        carried = self.upload[worker] if self.method == "greedy" else 0.0
        self.schedule(end + carried, ARRIVE, worker)

    # What the server does with an arrival.

    def arrive(self, worker):
        arrived = self.computations[worker][-1]
        arrived.fate = "arrived"
        if self.method == "greedy":
            self.step([arrived], [1.0])
            self.send(worker)
            return
        self.batch_so_far.append(arrived)
        if self.full():
            self.end_orders()
            self.schedule(self.collective_ends(), STEP)
        elif self.method != "synchronous":
            self.start(worker)

    def full(self):
        if self.method == "synchronous":
            return len(self.batch_so_far) == self.workers
        size = self.batch if self.rounds else self.initial_batch
        if self.method == "rennala":
            return len(self.batch_so_far) == size
        counts = self.counts()
        if len(counts) < self.workers:
            return False
        return self.workers**2 >= size * sum(Fraction(1, count) for count in counts.values())

    def counts(self):
        return Counter(computation.ticket[0] for computation in self.batch_so_far)

    def weights(self):
        if self.method == "malenia":
            counts = self.counts()
            return [1 / (self.workers * counts[c.ticket[0]]) for c in self.batch_so_far]
        return [1 / len(self.batch_so_far)] * len(self.batch_so_far)

    def end_orders(self):
        for worker, mine in enumerate(self.computations):
            self.order[worker] += 1
            if not mine or mine[-1].fate != "running":
                continue
            if self.in_flight == "recall":
                mine[-1].fate, mine[-1].stopped = "recalled", self.now
            else:
                mine[-1].fate, self.free[worker] = "obsolete", mine[-1].end

    def collective_ends(self):
        if self.collective == "max":
            return self.now + max(self.upload[worker] for worker in self.counts())
        last = {c.ticket[0]: c.end for c in self.batch_so_far}
        return max(last[worker] + self.upload[worker] for worker in last)

    def step(self, used, weights):
        for computation in used:
            computation.fate = "used"
        tickets = [computation.ticket for computation in used]
        self.rounds.append(Round(self.now, tickets, list(weights), self.accounts()))
        self.over = len(self.rounds) >= self.steps

    # The books.

    def accounts(self):
        return [self.account(mine) for mine in self.computations]

    def account(self, mine):
        outcomes = [self.outcome(computation) for computation in mine]
        used = sum(computation.fate == "used" for computation in mine)
        recalled, dropped = outcomes.count("recalled"), outcomes.count("dropped")
        unfinished = len(mine) - used - recalled - dropped
        busy = fsum(self.last_second(computation) - computation.start for computation in mine)
        return Account(len(mine), used, recalled, dropped, unfinished, busy)

    def traced(self):
        return [
            (c.ticket, c.start, self.last_second(c), self.outcome(c))
            for mine in self.computations
            for c in mine
        ]

    def last_second(self, computation):
        return min(computation.end, computation.stopped, self.now)

    def outcome(self, computation):
        if computation.fate == "recalled":
            return "recalled"
        if computation.end > self.now:
            return "unfinished"
        return "dropped" if computation.fate == "obsolete" else "finished"
