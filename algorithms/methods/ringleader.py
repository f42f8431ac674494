"""Ringleader aggregation: a step with every arrival, and every worker in every step.

The server keeps a *table* with gradients of all workers, even old ones.  So its steps follow the
mean of *different* objectives, and do not wait for the slowest worker each time.  In the first
phase of a round it collects until every worker is in the table; workers go on at the points they
have.  In the second it takes n steps: one with the table as it is, then one whenever a worker that
was not served in this round delivers and joins the table.  A worker that delivers gets the newest
point; gradients of served workers form the next table.

No gradient is ever more than 2n - 2 steps old: a gradient that was on its way when its worker got a
newer point is dropped.
"""

from collections import defaultdict
from typing import TypeAlias

from algorithms.method import Mark, Method
from algorithms.theory.complexity import Complexity, by_arrivals, of_all_workers, pg_terms
from algorithms.theory.problem import Problem
from algorithms.theory.settings import Settings, delayed_ascent, prescription
from algorithms.tickets import Ticket
from algorithms.updates import nigt, sgd
from algorithms.vocabulary import Aggregation, Chapter, Cluster, Joined, Story

Table: TypeAlias = defaultdict[int, list[Ticket]]  # every worker's gradients


def ringleader() -> Aggregation:
    """Rounds of n steps, each with the mean over workers of each worker's own mean."""

    def story(cluster: Cluster) -> Story:
        server, table = Server(cluster), Table(list)
        cluster.broadcast(upload=True)
        while True:
            last = yield from collect(server, table)
            table = yield from serve(server, table, last)

    return story


def collect(server: "Server", table: Table) -> Chapter[Ticket]:
    """The first phase, up to the arrival that completes the table."""
    missing = set(server.workers - table.keys())
    while True:
        ticket = yield from server.arrival(missing)
        table[ticket.worker].append(ticket)
        missing.discard(ticket.worker)
        if not missing:
            return ticket


def serve(server: "Server", table: Table, last: Ticket) -> Chapter[Table]:
    """The second phase, from that arrival on: n steps, and the next table."""
    following, waiting = Table(list), set(server.workers)
    waiting.remove(last.worker)
    server.step(table, again=bool(waiting))
    server.answer(last.worker)
    while waiting:
        ticket = yield from server.arrival(waiting)
        if ticket.worker in waiting:
            table[ticket.worker].append(ticket)
            waiting.remove(ticket.worker)
            server.step(table, again=bool(waiting))
        else:
            following[ticket.worker].append(ticket)
        server.answer(ticket.worker)
    return following


class Server:
    """The cluster, and the point that each worker has."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.workers = frozenset(range(cluster.workers))
        self._points = dict.fromkeys(self.workers, cluster.version)

    def arrival(self, needed: set[int]) -> Chapter[Ticket]:
        """The next gradient at the newest point of its worker."""
        while True:
            match (yield self._cluster.arrival(needs=needed.intersection)):
                case Ticket(worker, version) as ticket:
                    if version == self._points[worker]:
                        return ticket
                    self._cluster.drop(ticket)
                case Joined(worker):
                    self._send(worker)

    def step(self, table: Table, *, again: bool) -> None:
        """A step with the whole table; ``again`` keeps it for a later one."""
        shares = [1 / (len(self.workers) * len(each)) for each in table.values()]
        tickets = [ticket for each in table.values() for ticket in each]
        weights = [share for share, each in zip(shares, table.values(), strict=True) for _ in each]
        self._cluster.step(tickets, weights, keep=tickets if again else ())

    def answer(self, worker: int) -> None:
        """Send the newest point, unless the worker has it already."""
        if self._points[worker] != self._cluster.version:
            self._send(worker)

    def _send(self, worker: int) -> None:
        self._cluster.send(worker, upload=True)
        self._points[worker] = self._cluster.version


# Theory: settings for an accuracy, and the seconds they take


@prescription
def prescribe_ringleader_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``ringmaster-pg`` with R = 2n - 1, since delays are 2n - 2 at most.  Chosen.

    The mean of n gradients has less noise than one, but each is in n steps, which cancels that.
    """
    return delayed_ascent(problem, eps, 2 * workers - 1, factor)


# max h S + mean h N/n, of the cycles: the optimum of TR23, which Ringleader attains.
PG = Complexity(by_arrivals(pg_terms, of_all_workers), "published", "derived", constants=True)
METHODS = {
    "ringleader-pg": Method(
        ringleader,
        sgd,
        "on arrival, gradients of all workers in each step",
        prescribe=prescribe_ringleader_pg,
        complexity=PG,
        mark=Mark("#7F5A2E", 5),
    ),
    "ringleader-nigt": Method(
        ringleader, nigt, "the same with a normalised momentum step", mark=Mark("#7F5A2E", 1)
    ),
}
