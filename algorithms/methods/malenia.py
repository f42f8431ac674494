"""Malenia aggregation (arXiv 2509.24305, section 5): all workers weigh the same, however fast.

Worker i contributes M_i >= 1 gradients and weighs 1/n whatever M_i is, so the estimate is
unbiased for the mean of *different* objectives J_i.  A round is over when the harmonic mean of
the counts is large enough for the variance: ((1/n) sum_i 1/M_i)^-1 >= M/n.  A worker that was lost
starts again from zero when it returns.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from fractions import Fraction
from functools import partial
from math import nan
from typing import Any

from algorithms.method import Mark, Method
from algorithms.methods.rennala import prescribe_rennala_nigt, prescribe_rennala_pg
from algorithms.theory.closed_form import Goal, alike, in_rounds
from algorithms.theory.complexity import Complexity, by_rounds, nigt_terms, of_all_workers, pg_terms
from algorithms.theory.finishes import Floats
from algorithms.theory.problem import Problem
from algorithms.theory.settings import Settings, prescription
from algorithms.theory.times import malenia_time
from algorithms.tickets import Ticket
from algorithms.updates import nigt, sgd
from algorithms.vocabulary import Aggregation, Batch, Cluster, Joined, Lost, Story, batch_sizes


def malenia(batch: Batch, initial_batch: Batch | None = None) -> Aggregation:
    """The mean over workers of each worker's own mean, once the counts are balanced enough."""

    def story(cluster: Cluster) -> Story:
        for size in batch_sizes(initial_batch, batch):
            cluster.broadcast()
            tickets: list[Ticket] = []
            counts = Counts(cluster.workers)
            while not counts.suffice(size):
                match (yield cluster.arrival(needs=partial(counts.needed, size))):
                    case Ticket() as ticket:
                        tickets.append(ticket)
                        counts.add(ticket.worker)
                    case Lost(worker):
                        tickets = [ticket for ticket in tickets if ticket.worker != worker]
                        counts.forget(worker)
                    case Joined(worker):
                        cluster.send(worker)
            yield cluster.all_reduce(tickets)
            weights = counts.weights()
            yield cluster.step(tickets, [weights[ticket.worker] for ticket in tickets])

    return story


class Counts:
    """The gradients that each worker has contributed to this round.

    >>> counts = Counts(workers=2)
    >>> for worker in [0, 0, 1]: counts.add(worker)
    >>> counts.suffice(2), counts.suffice(3)   # 2 / (1/2 + 1/1) = 4/3 per worker: 8/3 in all
    (True, False)
    """

    def __init__(self, workers: int) -> None:
        self.missing = set(range(workers))
        self._counts = [0] * workers
        self._inverses = 0.0

    def add(self, worker: int) -> None:
        self._counts[worker] = count = self._counts[worker] + 1
        self.missing.discard(worker)
        self._inverses += 1 / count - (1 / (count - 1) if count > 1 else 0)

    def forget(self, worker: int) -> None:
        self._inverses -= 1 / self._counts[worker] if self._counts[worker] else 0
        self._counts[worker] = 0
        self.missing.add(worker)

    def weights(self) -> list[float]:
        workers = len(self._counts)
        of_count = {count: 1 / (workers * count) for count in set(self._counts)}
        return [of_count[count] for count in self._counts]

    def needed(self, batch: int, unreachable: Collection[int]) -> Collection[int]:
        """The unreachable workers whose low counts keep the batch from closing.

        However much the other workers deliver, their inverse counts stay above 0.
        """
        missing = self.missing.intersection(unreachable)
        if missing:
            return missing
        inverses = sum(Fraction(1, self._counts[worker]) for worker in unreachable)
        return () if batch * inverses < len(self._counts) ** 2 else unreachable

    def suffice(self, batch: int) -> bool:
        """Whether n^2 >= batch * sum_i 1/M_i, exactly.

        Exact ties are common (equal speeds always end on one), and floats decide them at random.
        So floats settle only clear cases; close calls take fractions, one per distinct count.
        """
        if self.missing:
            return False
        goal = len(self._counts) ** 2
        estimate = batch * self._inverses
        if abs(goal - estimate) > 1e-6 * goal:
            return goal > estimate
        histogram = Counter(self._counts)
        return goal >= batch * sum(Fraction(times, count) for count, times in histogram.items())


# Theory: settings for an accuracy, and the seconds they take


@prescription
def prescribe_malenia_nigt(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``rennala-nigt``: balanced counts have the variance of M gradients.  Derived.

    A round takes M gradients at least, and one of each worker.
    """
    rennala = prescribe_rennala_nigt(problem, eps, workers, factor)
    first, batch = (max(workers, rennala.settings[name]) for name in ("initial_batch", "batch"))
    return rennala._replace(gradients=int(first + (rennala.steps - 1) * batch))


@prescription
def prescribe_malenia_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """As ``rennala-pg``: balanced counts have the variance of S gradients.  Derived.

    A round takes S gradients at least, and one of each worker.
    """
    rennala = prescribe_rennala_pg(problem, eps, workers, factor)
    return rennala._replace(gradients=int(max(workers, rennala.settings["batch"]) * rennala.steps))


def reached(settings: Mapping[str, Any], h: Floats, kappa: Floats, goal: Goal) -> float | None:
    """A round lasts until the counts are balanced; its gradients have no closed form."""
    if not alike(settings) or goal.measure != "steps":
        return None
    return in_rounds(malenia_time(h, settings["batch"]), nan, h, kappa, goal)


# max h S + mean h N/n + kappa S; for NIGT, Theorem 5.1.
NIGT = Complexity(by_rounds(nigt_terms, of_all_workers), "published", "published", constants=True)
PG = Complexity(by_rounds(pg_terms, of_all_workers), "published", "derived", constants=True)

METHODS = {
    "malenia-nigt": Method(
        malenia,
        nigt,
        "balanced counts from all workers, normalised step",
        prescribe=prescribe_malenia_nigt,
        complexity=NIGT,
        closed_form=reached,
        mark=Mark("#D55E00", 1),
    ),
    "malenia-pg": Method(
        malenia,
        sgd,
        "balanced counts from all workers, plain ascent",
        prescribe=prescribe_malenia_pg,
        complexity=PG,
        closed_form=reached,
        mark=Mark("#E69F00", 5),
    ),
}
