"""Greedy aggregation (AFedPG, arXiv 2404.08003): a step with each gradient as it arrives.

No worker waits.  The price: gradients are some steps old, and each one crosses the network.
"""

from collections import deque
from collections.abc import Mapping
from math import inf, sqrt
from typing import Any

import numpy as np

from algorithms.method import Mark, Method
from algorithms.theory.closed_form import Goal
from algorithms.theory.complexity import Complexity, Terms, by_arrivals, pg_terms, product
from algorithms.theory.finishes import Floats
from algorithms.theory.problem import Problem
from algorithms.theory.settings import Settings, delayed_ascent, of_given_batch, prescription
from algorithms.theory.times import harmonic, rennala_time
from algorithms.tickets import Ticket
from algorithms.updates import afedpg, normalised, sgd
from algorithms.vocabulary import Aggregation, Bound, Cluster, Delay, Joined, Lost, Story


def greedy(
    age: Delay | None = None, depth: Delay | None = None, importance: Bound | None = None
) -> Aggregation:
    """A step with every arriving gradient alone; only its sender gets the new point.

    Gradients older than ``age`` are dropped.  At most ``depth`` gradients are under way beside
    another.  ``importance`` takes gradients at the newest point.
    """
    if depth is None:
        return one_by_one(work=1, age=age, importance=importance)
    return few_at_a_time(depth + 1, age, importance)


def one_by_one(work: int, age: Delay | None = None, importance: Bound | None = None) -> Aggregation:
    """A step with every arriving contribution of this much ``work``."""

    def story(cluster: Cluster) -> Story:
        cluster.broadcast(quota=1, upload=True, work=work)
        while True:
            match (yield cluster.arrival()):
                case Ticket() as ticket:
                    if age is None or cluster.version - ticket.version <= age:
                        yield cluster.step([ticket], [1.0], (), importance)
                    else:
                        cluster.drop(ticket)
                    cluster.send(ticket.worker, quota=1, upload=True, work=work)
                case Joined(worker):
                    cluster.send(worker, quota=1, upload=True, work=work)

    return story


def few_at_a_time(most: int, age: Delay | None, importance: Bound | None) -> Aggregation:
    """The same with at most so many gradients under way; the other workers wait their turn."""

    def story(cluster: Cluster) -> Story:
        idle, busy = deque(cluster.present()), set[int]()
        while True:
            while idle and len(busy) < most:
                busy.add(worker := idle.popleft())
                cluster.send(worker, quota=1, upload=True)
            match (yield cluster.arrival()):
                case Ticket(worker, version) as ticket:
                    if age is None or cluster.version - version <= age:
                        yield cluster.step([ticket], [1.0], importance=importance)
                    else:
                        cluster.drop(ticket)
                    busy.remove(worker)
                    idle.append(worker)
                case Lost(worker):
                    busy.discard(worker)
                    idle = deque(other for other in idle if other != worker)
                case Joined(worker):
                    idle.append(worker)

    return story


# Theory: settings for an accuracy, and the seconds they take


@prescription
def prescribe_afedpg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``synchronous-nigt`` with batches of 1, and L_g n for L_g in the step.  Chosen.

    Among n equally fast workers a gradient is n - 1 updates old.  For n = 1 it is proven.
    """
    return of_given_batch(problem, eps, 1, factor, delay=workers)


@prescription
def prescribe_asynchronous_pg(
    problem: Problem, eps: float, workers: int, factor: float
) -> Settings:
    """``delayed_ascent`` of delays below n.  Derived where no delay reaches n, else chosen.

    Among equally fast workers every delay is n - 1; a slow worker's are longer than that.
    """
    return delayed_ascent(problem, eps, workers, factor)


def afedpg_terms(problem: Problem, eps: float) -> Terms:
    return Terms(eps ** (-7 / 3), eps**-3.5)


def with_equal_delays(h: Floats, steps: float, noise: float) -> float:
    """A_n (n^(4/3) S + N/n).

    That gives the published range of the communication: kappa eps^(-7/2) for n = 1, and at the
    best n, eps^(-1/2), kappa eps^-3.
    """
    n = len(h)
    return product(harmonic(h)[-1], n ** (4 / 3) * steps + noise / n)


def with_longest_delay(h: Floats, steps: float, noise: float) -> float:
    """sqrt(max h A_n) S + A_n N/n, without the workers that never finish.

    sqrt(d_max d_mean) S + N updates (arXiv 2206.08307), of which n/A_n come in a second.  The mean
    delay is n; the longest is at most the arrivals during the longest cycle, n max h/A_n.
    """
    finite = h[np.isfinite(h)]
    if not finite.size:
        return inf
    mean = float(harmonic(finite)[-1])
    return sqrt(finite.max() * mean) * steps + mean * noise / finite.size


def reached(settings: Mapping[str, Any], h: Floats, kappa: Floats, goal: Goal) -> float | None:
    """Worker i delivers every h_i + kappa_i seconds, and each delivery is a step."""
    if settings.get("age") is not None or settings.get("depth") is not None:
        return None
    return rennala_time(h + kappa, goal.number)


AFEDPG = Complexity(
    by_arrivals(afedpg_terms, with_equal_delays), "published", "derived", constants=False
)
PG = Complexity(by_arrivals(pg_terms, with_longest_delay), "derived", "derived", constants=True)


METHODS = {
    "afedpg": Method(
        greedy,
        afedpg,
        "each gradient on arrival, delay-aware normalised step",
        prescribe=prescribe_afedpg,
        complexity=AFEDPG,
        closed_form=reached,
        mark=Mark("#009E73", 2),
    ),
    "asynchronous-pg": Method(
        greedy,
        sgd,
        "each gradient on arrival, plain ascent",
        prescribe=prescribe_asynchronous_pg,
        complexity=PG,
        closed_form=reached,
        mark=Mark("#66C2A5", 6),
    ),
    "vanilla-asynchronous-pg": Method(
        greedy,
        normalised,
        "AFedPG without its look-ahead",
        closed_form=reached,
        mark=Mark("#009E73", 6),
    ),
}
