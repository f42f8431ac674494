"""When does every server step happen?  Answered a second time, slowly and plainly.

The simulator is compared with this: one heap, one event after the other, one object per
computation, nothing ever forgotten, and each account read off the full record, by adding up
intervals.  It is written from the semantics alone and shares no code with the packages, stopping
rules included.

At one instant things happen in the order of the kinds below: whoever can start does; what was
computed goes on its way; a collective ends and its step is closed; the server takes what has
arrived, lowest worker first, and reacts to each arrival before its sender starts anything else;
outages end and begin.  Last the run ends.
"""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush
from itertools import count as counter
from math import fsum, inf
from typing import NamedTuple

from reference_network import Participant, Queue, Share, Upload, collective

START, SENT, ENTER, THROUGH, STEP, ARRIVE, OUTAGE = range(7)


class Round(NamedTuple):
    """One server step, and each worker's account at the moment it closes."""

    time: float
    tickets: list
    weights: list
    accounts: list | None


class Account(NamedTuple):
    """What became of one worker's computations, and where its seconds went."""

    started: int
    used: int
    recalled: int = 0
    dropped: int = 0
    lost: int = 0
    unfinished: int = 0
    busy: float = 0.0
    communicating: float = 0.0
    down: float = 0.0
    idle: float = 0.0
    wasted: float = 0.0


class Traced(NamedTuple):
    """What became of one computation."""

    ticket: tuple
    start: float
    finish: float
    outcome: str
    step: int | None
    weight: float | None


@dataclass(eq=False)
class Computation:
    """One gradient being computed, with pauses between its pieces.

    Its fate: running, obsolete (running on for nothing), arrived, used, recalled, dropped or lost.
    """

    ticket: tuple
    pieces: list
    fate: str = "running"
    stopped: float = inf
    step: int | None = None
    weight: float | None = None

    @property
    def end(self):
        return self.pieces[-1][1]

    @property
    def done(self):
        """Whether it came to its end, be it for the batch or in vain."""
        return self.fate in ("arrived", "used", "dropped")

    def computing(self, until):
        """The stretches of it until then."""
        until = min(until, self.stopped)
        return [(start, min(end, until)) for start, end in self.pieces if start < until]

    def outcome(self, now):
        if self.fate in ("used", "recalled", "dropped", "lost"):
            return self.fate
        if self.end > now:
            return "unfinished"
        return "dropped" if self.fate == "obsolete" else "waiting"


@dataclass(eq=False)
class Plan:
    """An order that is followed from ``start`` on."""

    version: int
    start: float


@dataclass(eq=False)
class Worker:
    """What it is at, and all that it has ever done."""

    number: int
    outages: object  # what is left of them, the next one first
    version: int = -1  # of the order it follows
    plan: Plan | None = None
    current: Computation | None = None
    obsolete: Computation | None = None
    back: float | None = None  # the end of the present outage
    computations: list = field(default_factory=list)
    uploads: list = field(default_factory=list)
    receiving: list = field(default_factory=list)
    sending: list = field(default_factory=list)
    down: list = field(default_factory=list)

    def under_way(self, now):
        """What it is computing or, in an outage, would be."""
        some = (self.current, self.obsolete)
        return [each for each in some if each and each.end > now]


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
    """The state of a run; `play` is the loop.

    ``upload`` holds a pair for each worker, its latency and its transit.  ``pace`` knows what
    speeds do: ``finish(worker, start, seconds)`` and ``work(worker, time)``.  ``length`` stretches
    the seconds of a ticket.  ``outages(worker)`` iterates over disjoint intervals.
    """

    def __init__(
        self,
        method,
        workers,
        durations,
        *,
        upload=None,
        download=None,
        collective="max",
        uplink=None,
        in_flight="recall",
        batch=None,
        initial_batch=None,
        count="first-finished",
        pace=None,
        length=None,
        outages=None,
        work="lost",
        seconds=inf,
        steps=inf,
        account_when=lambda version: True,
    ):
        self.method, self.durations = method, durations
        self.upload = upload or [(0.0, 0.0)] * workers
        self.download = download or [0.0] * workers
        self.collective, self.in_flight = collective, in_flight
        self.shared = uplink and (Queue if uplink.contention == "queue" else Share)(uplink)
        self.batch, self.initial_batch = batch, initial_batch or batch
        self.count, self.pace, self.length, self.work = count, pace, length, work
        self.seconds, self.steps, self.account_when = seconds, steps, account_when
        absent = outages or (lambda worker: ())
        self.workers = [Worker(i, iter(absent(i))) for i in range(workers)]
        self.now, self.over, self.collecting = 0.0, False, True
        self.events, self.pushed = [], counter()
        self.rounds = []
        self.batch_so_far, self.chosen = [], set()

    def play(self):
        for worker in self.workers:
            self.foresee_outage(worker)
        self.broadcast()
        while self.events and self.events[0][0] <= self.seconds and not self.over:
            self.now, _, _, _, happen, what = heappop(self.events)
            happen(*what)
        if not self.over:
            assert self.seconds < inf, "nothing can happen any more"
            self.now = self.seconds

    def schedule(self, time, kind, place, happen, *what):
        """Nothing is ever taken back: what happens must see for itself whether it still does."""
        if time < inf:
            heappush(self.events, (time, kind, place, next(self.pushed), happen, what))

    # The orders, and what a worker does with one.

    def broadcast(self):
        self.collecting = True
        self.batch_so_far, self.chosen = [], set()
        if self.count == "earliest-started":
            there = [w.number for w in self.workers if w.back is None or self.work != "lost"]
            self.chosen = {(i, 0) for i in there[: self.size]}
        for worker in self.workers:
            self.send(worker)

    def send(self, worker):
        away = worker.back is not None
        if self.over or (away and self.work == "lost"):
            return
        busy = [each.end for each in worker.under_way(self.now)]
        start = max(self.now + self.download[worker.number], *busy, worker.back or 0.0)
        worker.plan = Plan(len(self.rounds), inf)
        worker.receiving.append([self.now, inf])
        self.follow(worker, start)

    def follow(self, worker, start):
        worker.plan.start = worker.receiving[-1][1] = start
        self.schedule(start, START, worker.number, self.start, worker, worker.plan)

    def start(self, worker, plan):
        if worker.plan is plan and plan.start == self.now:
            worker.plan, worker.version = None, plan.version
            self.compute(worker)

    def compute(self, worker):
        i, version, mine = worker.number, worker.version, worker.computations
        index = sum(computation.ticket[1] == version for computation in mine)
        ticket = (i, version, index)
        seconds = self.durations(i, len(mine))
        if self.length:
            seconds = seconds * self.length(ticket)
        end = self.pace.finish(i, self.now, seconds) if self.pace else self.now + seconds
        worker.current = Computation(ticket, [[self.now, end]])
        mine.append(worker.current)
        self.await_end(worker)

    def await_end(self, worker):
        what = worker, worker.current, worker.current.end
        if self.method == "greedy":
            self.schedule(worker.current.end, SENT, worker.number, self.send_up, *what)
        else:
            self.schedule(worker.current.end, ARRIVE, worker.number, self.arrive, *what)

    def still_computed(self, worker, computation, end):
        return worker.current is computation and computation.end == end

    # Uploads, one by one or all together.

    def send_up(self, worker, computation, end):
        if not self.still_computed(worker, computation, end):
            return
        computation.fate, worker.current = "arrived", None
        latency, transit = self.upload[worker.number]
        upload = Upload(worker.number, worker.number, self.now, transit, gradient=computation)
        self.begin(upload, self.now)
        if not self.shared:
            self.schedule(self.now + (latency + transit), THROUGH, 0, self.through, upload, None)

    def begin(self, upload, ready):
        """It is sending from now on; on a shared way it has to queue up, or to share."""
        worker = self.workers[upload.worker]
        upload.sent = [ready, inf]
        worker.sending.append(upload.sent)
        worker.uploads.append(upload)
        if self.shared:
            arrives = ready + self.upload[upload.worker][0]
            self.schedule(arrives, ENTER, upload.place, self.enter, upload)

    def enter(self, upload):
        self.expect(self.shared.enter(self.now, upload))

    def expect(self, ends):
        for end, upload in ends:
            upload.end = end
            self.schedule(end, THROUGH, upload.place, self.through, upload, end)

    def through(self, upload, end):
        if end is not None:
            if upload.end != end:
                return
            self.expect(self.shared.leave(self.now, upload))
            upload.end = None
        self.workers[upload.worker].uploads.remove(upload)
        if upload.lost:
            return
        upload.sent[1] = self.now
        if upload.gradient:
            self.schedule(self.now, ARRIVE, upload.worker, self.take, upload)
            return
        self.outstanding -= 1
        if not self.outstanding:
            self.schedule(self.now, STEP, 0, self.close)

    def all_reduce(self):
        first = dict.fromkeys(computation.ticket[0] for computation in self.batch_so_far)
        last = {i: max(c.end for c in self.workers[i].computations if c.done) for i in first}
        taking_part = []
        for i in first:
            ready = max(self.now, self.workers[i].back or 0.0)
            taking_part.append(Participant(i, ready, last[i], *self.upload[i]))
        if self.collective == "parameter-server":
            self.outstanding = len(taking_part)
            for each in taking_part:
                self.begin(Upload(each.worker, each.worker, self.now, each.transit), each.ready)
            return
        spans, end = collective(self.collective, self.now, taking_part)
        for each, span in zip(taking_part, spans, strict=True):
            self.workers[each.worker].sending.append(span)
        self.schedule(end, STEP, 0, self.close)

    def close(self):
        self.step(self.batch_so_far, self.weights())
        self.broadcast()

    # What the server does with an arrival.

    def take(self, upload):
        """A single gradient, of the method that steps with each of them."""
        if not upload.lost:
            self.step([upload.gradient], [1.0])
            self.send(self.workers[upload.worker])

    def arrive(self, worker, computation, end):
        if not self.still_computed(worker, computation, end):
            return
        computation.fate, worker.current = "arrived", None
        self.consider(computation)
        if self.full():
            self.end_orders()
            self.all_reduce()
        elif self.method != "synchronous":
            self.compute(worker)

    def consider(self, computation):
        worker, version, index = computation.ticket
        if self.count == "first-finished" or (worker, index) in self.chosen:
            self.chosen.discard((worker, index))
            self.batch_so_far.append(computation)
        else:
            computation.fate = "dropped"
        if self.count == "earliest-started":
            assert version == len(self.rounds)
            if len(self.batch_so_far) + len(self.chosen) < self.size:
                self.chosen.add((worker, index + 1))

    @property
    def size(self):
        return self.batch if self.rounds else self.initial_batch

    def full(self):
        if self.method == "synchronous":
            return len(self.batch_so_far) == len(self.workers)
        if self.method == "rennala":
            return len(self.batch_so_far) == self.size
        counts, n = self.counts(), len(self.workers)
        return len(counts) == n and n**2 >= self.size * sum(
            Fraction(1, count) for count in counts.values()
        )

    def counts(self):
        return Counter(computation.ticket[0] for computation in self.batch_so_far)

    def weights(self):
        if self.method == "malenia":
            counts, n = self.counts(), len(self.workers)
            return [1 / (n * counts[c.ticket[0]]) for c in self.batch_so_far]
        return [1 / len(self.batch_so_far)] * len(self.batch_so_far)

    def end_orders(self):
        self.collecting = False
        for worker in self.workers:
            self.void_plan(worker)
            running, worker.current = worker.current, None
            if not running:
                continue
            if self.in_flight == "recall":
                running.fate, running.stopped = "recalled", self.now
            else:
                running.fate, worker.obsolete = "obsolete", running

    def void_plan(self, worker):
        if worker.plan:
            worker.plan, worker.receiving[-1][1] = None, self.now

    def step(self, used, weights):
        tickets = [computation.ticket for computation in used]
        version = len(self.rounds)
        for computation, weight in zip(used, weights, strict=True):
            computation.fate, computation.step, computation.weight = "used", version + 1, weight
        accounts = self.accounts() if self.account_when(version) else None
        self.rounds.append(Round(self.now, tickets, list(weights), accounts))
        self.over = len(self.rounds) >= self.steps

    # Outages.

    def foresee_outage(self, worker):
        begin, end = next(worker.outages, (inf, inf))
        if begin == 0:
            self.leave(worker, end)
        else:
            self.schedule(begin, OUTAGE, worker.number, self.leave, worker, end)

    def leave(self, worker, back):
        worker.back = back
        worker.down.append((self.now, back))
        self.schedule(back, OUTAGE, worker.number, self.come_back, worker)
        if self.work == "lost":
            self.lose(worker)
        else:
            self.pause(worker)

    def come_back(self, worker):
        worker.back = None
        if self.work == "lost" and self.collecting:
            self.send(worker)  # so answers every server, once it is told
        self.foresee_outage(worker)

    def lose(self, worker):
        lost = worker.under_way(self.now)
        self.void_plan(worker)
        worker.current = worker.obsolete = None
        for upload in worker.uploads:
            if upload.gradient:
                upload.lost, upload.sent[1] = True, self.now
                lost.append(upload.gradient)
        if self.collecting:
            # This is what the server is told, too.
            mine = [c for c in self.batch_so_far if c.ticket[0] == worker.number]
            self.batch_so_far = [c for c in self.batch_so_far if c not in mine]
            self.chosen = {(i, index) for i, index in self.chosen if i != worker.number}
            lost += mine
        for computation in lost:
            computation.fate = "lost"
            computation.stopped = min(computation.end, self.now)

    def pause(self, worker):
        """It goes on as if nothing had been; what would never have ended still never does."""
        for computation in worker.under_way(self.now):
            end = self.resumed(worker.number, computation.end, worker.back)
            computation.pieces[-1][1] = self.now
            computation.pieces.append([worker.back, end])
        if worker.current:
            self.await_end(worker)
        if worker.plan:
            obsolete = worker.obsolete.end if worker.obsolete else 0.0
            self.follow(worker, max(worker.plan.start, worker.back, obsolete))

    def resumed(self, i, end, back):
        if end == inf or not self.pace:
            return back + (end - self.now)
        return self.pace.finish(i, back, self.pace.work(i, end) - self.pace.work(i, self.now))

    # The books, read off the record.

    def accounts(self):
        return [self.account(worker) for worker in self.workers]

    def account(self, worker):
        of = Counter(computation.outcome(self.now) for computation in worker.computations)
        computing, wasted = [], []
        for computation in worker.computations:
            pieces = computation.computing(self.now)
            computing += pieces
            if computation.outcome(self.now) in ("recalled", "dropped", "lost"):
                wasted += pieces
        at_work = self.covered(computing + worker.down)
        awake = self.covered(computing + worker.down + worker.receiving + worker.sending)
        return Account(
            started=len(worker.computations),
            **{name: of[name] for name in ("used", "recalled", "dropped", "lost")},
            unfinished=of["unfinished"] + of["waiting"],
            busy=self.covered(computing),
            communicating=awake - at_work,
            down=self.covered(worker.down),
            idle=self.now - awake,
            wasted=self.covered(wasted),
        )

    def covered(self, stretches):
        """The seconds until now that lie in at least one of them."""
        seconds, reached = [], 0.0
        for begin, end in sorted((begin, min(end, self.now)) for begin, end in stretches):
            if end > reached:
                seconds.append(end - max(begin, reached))
                reached = end
        return fsum(seconds)

    def traced(self):
        return [
            Traced(
                c.ticket,
                c.pieces[0][0],
                min(c.end, c.stopped, self.now),
                c.outcome(self.now),
                c.step,
                c.weight,
            )
            for worker in self.workers
            for c in worker.computations
        ]
