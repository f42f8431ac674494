"""When does the server step, with what? The four basic aggregations, a second time.

They are written from docs/methods alone and share no code with ``algorithms``, so that a mistake
in a story shows where both are played.  All gradients of a step are counted anew with each arrival.
"""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from algorithms.tickets import Ticket
from algorithms.vocabulary import Lost


def second_story(method, *, batch=None, initial_batch=None, count="first-finished"):
    """An aggregation of this name: synchronous, rennala, malenia or greedy."""

    def story(cluster):
        if method == "greedy":
            yield from one_by_one(cluster)
        while True:
            size = batch if cluster.version else initial_batch or batch
            quota = 1 if method == "synchronous" else None
            cluster.broadcast(quota=quota)
            collected = Collected(method, cluster.workers, size, count)
            collected.choose(cluster.present())
            while not collected.full():
                news = yield cluster.arrival()
                if isinstance(news, Ticket):
                    collected.add(news, cluster)
                elif isinstance(news, Lost):
                    collected.lose(news.worker)
                else:
                    cluster.send(news.worker, quota=quota)
            yield cluster.all_reduce(collected.tickets)
            yield cluster.step(collected.tickets, collected.weights())

    return story


def one_by_one(cluster):
    cluster.broadcast(quota=1, upload=True)
    while True:
        news = yield cluster.arrival()
        if isinstance(news, Ticket):
            yield cluster.step([news], [1.0])
        if not isinstance(news, Lost):
            cluster.send(news.worker, quota=1, upload=True)


@dataclass
class Collected:
    """The gradients of one step; ``chosen`` are those that were started first and still run."""

    method: str
    workers: int
    size: int | None
    count: str
    tickets: list = field(default_factory=list)
    chosen: set = field(default_factory=set)

    @property
    def in_order(self):
        return self.count == "earliest-started"

    def choose(self, present):
        if self.in_order:
            self.chosen = {(worker, 0) for worker in present[: self.size]}

    def add(self, ticket, cluster):
        worker, _, index = ticket
        if self.in_order and (worker, index) not in self.chosen:
            cluster.drop(ticket)
        else:
            self.tickets.append(ticket)
        self.chosen.discard((worker, index))
        if self.in_order and len(self.tickets) + len(self.chosen) < self.size:
            self.chosen.add((worker, index + 1))

    def lose(self, worker):
        self.tickets = [ticket for ticket in self.tickets if ticket.worker != worker]
        self.chosen = {(other, index) for other, index in self.chosen if other != worker}

    def counts(self):
        return Counter(ticket.worker for ticket in self.tickets)

    def full(self):
        if self.method == "synchronous":
            return len(self.tickets) == self.workers
        if self.method == "rennala":
            return len(self.tickets) == self.size
        counts = self.counts()
        return len(counts) == self.workers and self.workers**2 >= self.size * sum(
            Fraction(1, count) for count in counts.values()
        )

    def weights(self):
        counts = self.counts()
        if self.method == "malenia":
            return [1 / (self.workers * counts[ticket.worker]) for ticket in self.tickets]
        return [1 / len(self.tickets)] * len(self.tickets)
