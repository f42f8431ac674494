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
from math import ceil
from typing import TypeAlias

from algorithms.method import Mark, Method
from algorithms.theory.complexity import Complexity, by_arrivals, of_all_workers, pg_terms
from algorithms.theory.problem import Problem, ratio
from algorithms.theory.settings import Settings, prescription, whole_steps
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
    yield from server.step(table, again=bool(waiting))
    server.answer(last.worker)
    while waiting:
        ticket = yield from server.arrival(waiting)
        if ticket.worker in waiting:
            table[ticket.worker].append(ticket)
            waiting.remove(ticket.worker)
            yield from server.step(table, again=bool(waiting))
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

    def step(self, table: Table, *, again: bool) -> Chapter[None]:
        """A step with the whole table; ``again`` keeps it for a later one."""
        shares = [1 / (len(self.workers) * len(each)) for each in table.values()]
        tickets = [ticket for each in table.values() for ticket in each]
        weights = [share for share, each in zip(shares, table.values(), strict=True) for _ in each]
        yield self._cluster.step(tickets, weights, keep=tickets if again else ())

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
    """Ringleader (arXiv 2509.22860), at the least B.  The length is published, T is derived::

        gamma = min{1/(8 n L_g), eps² B/(10 L_g sigma²)},   B = 1,   T = 4 D/(gamma eps²)

    B is the harmonic mean of the workers' numbers of gradients in a table, so at least 1; it
    follows from times, which are not known here.  L_g must be that of every J_i.

    A round has n steps and takes at most 2 max h seconds.  No gradient of its table served before
    its first step, so the table's noise is independent of the point x_s there, and
    |x_k - x_s|² <= gamma² n sum |g_j|².  With 8 n L_g gamma <= 1 the steps gain more than that, but
    for the noise: the mean of |grad J|² is at most 2 D/(gamma T) + 5 L_g gamma sigma²/B, half of
    eps² each.
    """
    noise = ratio(1.0, 10 * (problem.deviation / eps) ** 2)
    length = min(1 / (8 * workers), noise) / problem.smoothness
    steps = whole_steps(4 * problem.gap / (length * eps**2), factor)
    # A round begins with a gradient of every worker, and takes one more for each later step.
    rounds = ceil(steps / workers)
    return Settings({"step": factor * length}, steps, steps + rounds * (workers - 1))


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
