"""Whose gradients make each estimate, at what weights? The listing of every method, a second time.

Gradients are summed as they arrive, in the tables and local sums of the published listings, and are
never written down as tickets and weights. The stories are driven by the plain reference of the
cluster, through the same vocabulary as the real ones; no worker fails and communication is free.
"""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from algorithms.vocabulary import Chapter, Cluster, Expired, Story

Gradient = Callable[..., np.ndarray]
Settings = dict[str, Any]


class Order(NamedTuple):
    version: int
    point: np.ndarray
    work: int


class Ticket(NamedTuple):
    """One computation; `expired` if it takes longer than its order allows."""

    worker: int
    index: int
    order: Order
    expired: bool


class Fleet:
    """The workers as a story sees them, and the order that each follows.

    `server` is the update rule: it has seen so many `updates`, and its `point` is what is sent.
    """

    def __init__(self, cluster: Cluster, server: Any) -> None:
        self.cluster, self.server = cluster, server
        self.workers = range(cluster.workers)
        self.orders: dict[int, Order] = {}
        self.iterates: list[np.ndarray] = []

    def broadcast(self, **terms: Any) -> None:
        for worker in self.workers:
            self.send(worker, **terms)

    def send(self, worker: int, *, work: int = 1, **terms: Any) -> None:
        """The server's newest point, in place of whatever order the worker had."""
        self.orders[worker] = Order(self.server.updates, self.server.point, work)
        self.cluster.send(worker, work=work, **terms)

    def arrival(self) -> Chapter[Ticket]:
        """The next computation to end; its worker begins nothing yet."""
        news = yield self.cluster.arrival()
        order = self.orders[news.worker]
        if isinstance(news, Expired):
            return Ticket(news.worker, -1, order, expired=True)
        assert news.version == order.version
        return Ticket(news.worker, news.index, order, expired=False)

    def step(self, estimate: np.ndarray, stamp: int) -> Chapter[None]:
        """Update with an estimate whose gradients are from the version `stamp`."""
        self.server.climb(estimate, stamp)
        self.iterates.append(self.server.theta)
        yield self.cluster.step([], [])


def at_its_point(gradient: Gradient, ticket: Ticket) -> np.ndarray:
    return gradient(ticket.worker, ticket.order.version, ticket.index, ticket.order.point)


class Table:
    """The sum and the number of gradients of each worker."""

    def __init__(self, fleet: Fleet, gradient: Gradient) -> None:
        self.gradient = gradient
        self.sums = {worker: np.zeros_like(fleet.server.theta) for worker in fleet.workers}
        self.counts = dict.fromkeys(fleet.workers, 0)

    def add(self, ticket: Ticket) -> None:
        self.sums[ticket.worker] = self.sums[ticket.worker] + at_its_point(self.gradient, ticket)
        self.counts[ticket.worker] += 1

    def full(self) -> bool:
        return all(self.counts.values())

    def mean_of_means(self) -> np.ndarray:
        return sum(self.sums[i] / self.counts[i] for i in self.sums) / len(self.sums)


def synchronous(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    while True:
        fleet.broadcast(quota=1)
        total = np.zeros_like(fleet.server.theta)
        for _ in fleet.workers:
            total = total + at_its_point(gradient, (yield from fleet.arrival()))
        yield from fleet.step(total / len(fleet.workers), fleet.server.updates)


def batches(settings: Settings) -> Iterator[int]:
    """The size of the first batch, and of each one after it."""
    yield settings.get("initial_batch") or settings["batch"]
    while True:
        yield settings["batch"]


def rennala(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    for batch in batches(settings):
        fleet.broadcast()
        table = Table(fleet, gradient)
        for _ in range(batch):
            table.add((yield from fleet.arrival()))
        yield from fleet.step(sum(table.sums.values()) / batch, fleet.server.updates)


def malenia(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    for batch in batches(settings):
        fleet.broadcast()
        table = Table(fleet, gradient)
        while not precise_enough(list(table.counts.values()), batch):
            table.add((yield from fleet.arrival()))
        yield from fleet.step(table.mean_of_means(), fleet.server.updates)


def precise_enough(counts: list[int], batch: int) -> bool:
    """Is the harmonic mean of the counts at least batch / n? In fractions: ties are common."""
    if 0 in counts:
        return False
    harmonic_mean = len(counts) / sum(Fraction(1, each) for each in counts)
    return harmonic_mean >= Fraction(batch, len(counts))


def asynchronous(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    fleet.broadcast(quota=1)
    while True:
        ticket = yield from fleet.arrival()
        yield from fleet.step(at_its_point(gradient, ticket), ticket.order.version)
        fleet.send(ticket.worker, quota=1)


def delay_adaptive(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    n = len(fleet.workers)
    fleet.broadcast(quota=1)
    while True:
        ticket = yield from fleet.arrival()
        delay = fleet.server.updates - ticket.order.version
        damped = n / max(n, delay) * at_its_point(gradient, ticket)
        yield from fleet.step(damped, ticket.order.version)
        fleet.send(ticket.worker, quota=1)


def ringmaster(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    threshold, stops = settings["threshold"], settings.get("stops", False)
    fleet.broadcast(quota=1)
    while True:
        ticket = yield from fleet.arrival()
        if fleet.server.updates - ticket.order.version < threshold:
            yield from fleet.step(at_its_point(gradient, ticket), ticket.order.version)
        fleet.send(ticket.worker, quota=1)
        for worker in fleet.workers if stops else ():
            if fleet.server.updates - fleet.orders[worker].version >= threshold:
                fleet.send(worker, quota=1, recall=True)


def ringleader(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    fleet.broadcast()
    buffer = Table(fleet, gradient)
    while True:
        table, buffer = buffer, Table(fleet, gradient)
        while not table.full():
            ticket = yield from fleet.arrival()
            table.add(ticket)
        unserved = set(fleet.workers)
        while True:
            yield from fleet.step(table.mean_of_means(), fleet.server.updates)
            fleet.send(ticket.worker)
            unserved.remove(ticket.worker)
            if not unserved:
                break
            ticket = yield from next_unserved(fleet, unserved, buffer)
            table.add(ticket)


def next_unserved(fleet: Fleet, unserved: set[int], buffer: Table) -> Chapter[Ticket]:
    """The next arrival of one not yet served; the others' go to the buffer, and they go on."""
    while (ticket := (yield from fleet.arrival())).worker not in unserved:
        buffer.add(ticket)
        fleet.send(ticket.worker)
    return ticket


def fedbuff(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    size, terms = settings["buffer"], {"quota": 1, "work": settings.get("local_steps", 1)}
    fleet.broadcast(**terms)
    while True:
        tickets = [(yield from fleet.arrival())]
        while len(tickets) < size:
            fleet.send(tickets[-1].worker, **terms)
            tickets.append((yield from fleet.arrival()))
        total = np.zeros_like(fleet.server.theta)
        for ticket in tickets:
            delay = fleet.server.updates - ticket.order.version
            total = total + difference(gradient, ticket, settings) / math.sqrt(1 + delay)
        yield from fleet.step(total / size, tickets[-1].order.version)
        fleet.send(tickets[-1].worker, **terms)


def async_local(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    terms = {"quota": 1, "work": settings["local_steps"]}
    fleet.broadcast(**terms)
    while True:
        ticket = yield from fleet.arrival()
        yield from fleet.step(difference(gradient, ticket, settings), ticket.order.version)
        fleet.send(ticket.worker, **terms)


def async_batch(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    batch = settings["worker_batch"]
    fleet.broadcast(quota=1, work=batch)
    while True:
        worker, index, order, _ = yield from fleet.arrival()
        each = [gradient(worker, order.version, index, order.point, local=k) for k in range(batch)]
        yield from fleet.step(sum(each) / batch, order.version)
        fleet.send(worker, quota=1, work=batch)


def local_sgd(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    """A worker with k finished gradients has taken k steps of its own."""
    while True:
        fleet.broadcast()
        taken: dict[int, int] = {}
        for _ in range(settings["batch"]):
            worker, index, _, _ = yield from fleet.arrival()
            taken[worker] = index + 1
        version, start = fleet.server.updates, fleet.server.point
        ends = []
        for worker, steps in taken.items():
            x = start
            for k in range(steps):
                x = x + settings["local_step"] * gradient(worker, version, steps - 1, x, local=k)
            ends.append(x)
        yield from fleet.step(sum(ends) / len(ends) - start, version)


def rescaled(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    counts = [0] * len(fleet.workers)
    fleet.broadcast(quota=1)
    while True:
        ticket = yield from fleet.arrival()
        counts[ticket.worker] += 1
        mean = sum(counts) / sum(count > 0 for count in counts)
        scaled = at_its_point(gradient, ticket) * mean / counts[ticket.worker]
        yield from fleet.step(scaled, ticket.order.version)
        fleet.send(ticket.worker, quota=1)


def queued(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    """Without a server's time, the queue never holds a whole batch."""
    size, group = settings["batch"], settings.get("group", 1)
    begun, prompts, complete = 0, {}, []
    generates = {}

    def begin(worker: int) -> None:
        nonlocal begun
        generates[worker] = begun // group
        begun += 1
        fleet.send(worker, quota=1)

    for worker in fleet.workers:
        begin(worker)
    while True:
        ticket = yield from fleet.arrival()
        prompt = prompts.setdefault(generates[ticket.worker], [])
        prompt.append((ticket.order.version, at_its_point(gradient, ticket)))
        if len(prompt) == group:
            complete += prompt
        if len(complete) == size:
            oldest = min(version for version, _ in complete)
            yield from fleet.step(sum(value for _, value in complete) / size, oldest)
            complete = []
        begin(ticket.worker)


def mixing(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    """AFedPG whose workers mix their gradient into the direction that came with their point."""
    weight = settings["momentum"]
    sent = dict.fromkeys(fleet.workers, (0.0, 1.0))
    fleet.broadcast(quota=1)
    while True:
        ticket = yield from fleet.arrival()
        direction, share = sent[ticket.worker]
        own = gradient(ticket.worker, ticket.order.version, ticket.index, ticket.order.point)
        yield from fleet.step((1 - share) * direction + share * own, 0)
        sent[ticket.worker] = fleet.server.direction, weight
        fleet.send(ticket.worker, quota=1)


def difference(gradient: Gradient, ticket: Ticket, settings: Settings) -> np.ndarray:
    """How far a client's local steps take it."""
    x = ticket.order.point
    for k in range(ticket.order.work):
        g = gradient(ticket.worker, ticket.order.version, ticket.index, x, local=k)
        x = x + settings["local_step"] * g
    return x - ticket.order.point


def mindflayer(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    attempts, limit, probability = (
        np.broadcast_to(settings[key], len(fleet.workers)).tolist()
        for key in ("attempts", "limit", "probability")
    )
    expected = sum(p * b for p, b in zip(probability, attempts, strict=True))
    while True:
        for worker in fleet.workers:
            fleet.send(worker, quota=attempts[worker], limit=limit[worker])
        total = np.zeros_like(fleet.server.theta)
        for _ in range(sum(attempts)):
            ticket = yield from fleet.arrival()
            if not ticket.expired:
                total = total + at_its_point(gradient, ticket)
        yield from fleet.step(total / expected, fleet.server.updates)


# Rounds of local steps that correct their gradients: u carries the last round's direction


class Round(NamedTuple):
    """What an agent knows: this theta and the last, u, and the weight of new samples."""

    theta: np.ndarray
    before: np.ndarray
    u: np.ndarray
    beta: float


Change = Callable[..., np.ndarray]


def fedsvrpg(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    def change(worker: int, sample: Gradient, x: np.ndarray, before: np.ndarray) -> np.ndarray:
        return sample(x) - sample(before)  # the importance weight is 1: no sample depends on theta

    return corrected_rounds(fleet, gradient, settings, change)


def fedhapg(fleet: Fleet, gradient: Gradient, settings: Settings) -> Story:
    def change(worker: int, sample: Gradient, x: np.ndarray, before: np.ndarray) -> np.ndarray:
        return settings["hessian_product"](worker, (x + before) / 2, x - before)

    return corrected_rounds(fleet, gradient, settings, change)


def corrected_rounds(fleet: Fleet, gradient: Gradient, settings: Settings, change: Change) -> Story:
    steps, eta, beta = settings["local_steps"], settings["local_step"], settings["momentum"]
    before, u = fleet.server.theta, np.zeros_like(fleet.server.theta)
    while True:
        theta = fleet.server.theta
        weight = beta if fleet.server.updates else 1.0  # at first there is no direction to keep
        known = Round(theta, before, u, weight)
        fleet.broadcast(quota=1, work=steps)
        moved = np.zeros_like(theta)
        for _ in fleet.workers:
            ticket = yield from fleet.arrival()
            moved = moved + corrected_steps(gradient, ticket, known, eta, change)
        u = moved / (eta * len(fleet.workers) * steps)
        yield from fleet.step(u, fleet.server.updates)
        before = theta


def corrected_steps(
    gradient: Gradient, ticket: Ticket, known: Round, eta: float, change: Change
) -> np.ndarray:
    """x_K - theta of one agent."""
    x = known.theta
    for k in range(ticket.order.work):

        def sample(at: np.ndarray, k: int = k) -> np.ndarray:
            return gradient(ticket.worker, ticket.order.version, ticket.index, at, local=k)

        kept = known.u + change(ticket.worker, sample, x, known.before)
        x = x + eta * (known.beta * sample(x) + (1 - known.beta) * kept)
    return x - known.theta
