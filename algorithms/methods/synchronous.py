"""Synchronous aggregation: every worker computes one gradient, and all wait for the last.

The server waits for a lost worker, too, which computes its gradient when it returns.  In *local
rounds* a worker contributes several steps of its own: one gradient of that much work.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Any

from algorithms.method import Mark, Method
from algorithms.theory.closed_form import Goal, in_rounds
from algorithms.theory.complexity import Complexity, Prediction, curvature, pg_terms, product
from algorithms.theory.finishes import Floats
from algorithms.theory.problem import Problem, ratio
from algorithms.theory.settings import Settings, of_given_batch, plain_ascent, prescription
from algorithms.tickets import Ticket
from algorithms.updates import fedhapg_m, fedsvrpg_m, nigt, normalised, sgd
from algorithms.vocabulary import Aggregation, Batch, Cluster, Joined, Lost, Story


def synchronous() -> Aggregation:
    """One gradient from each worker, averaged; a step lasts as long as the slowest worker."""
    return local_rounds(local_steps=1)


def local_rounds(local_steps: Batch) -> Aggregation:
    """One contribution of ``local_steps`` steps from each worker, averaged."""

    def story(cluster: Cluster) -> Story:
        while True:
            cluster.broadcast(quota=1, work=local_steps)
            tickets: list[Ticket] = []
            missing = set(range(cluster.workers))
            while missing:
                match (yield cluster.arrival(needs=missing.intersection)):
                    case Ticket() as ticket:
                        tickets.append(ticket)
                        missing.remove(ticket.worker)
                    case Lost(worker):
                        tickets = [ticket for ticket in tickets if ticket.worker != worker]
                        missing.add(worker)
                    case Joined(worker):
                        cluster.send(worker, quota=1, work=local_steps)
            yield cluster.all_reduce(tickets)
            yield cluster.step(tickets, [1 / len(tickets)] * len(tickets))

    return story


# Theory: settings for an accuracy, and the seconds they take


@prescription
def prescribe_synchronous_nigt(
    problem: Problem, eps: float, workers: int, factor: float
) -> Settings:
    """The proof of ``rennala-nigt`` with M = M_init = n, where eta follows.  Derived::

        eta = min{that of rennala-nigt, n/N}
        T   = max{6 D/(alpha eps), max{1, sqrt(N/n)}/eta}

    and alpha from eta as there.  The momentum forgets the small first batch slowly.
    """
    return of_given_batch(problem, eps, workers, factor)


@prescription
def prescribe_synchronous_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """The proof of ``rennala-pg`` with S = n.  Derived.

    gamma = min{1/(2 L_g), n eps²/(2 L_g sigma²)}, and T = 2 D/(gamma eps²).
    """
    length, steps = plain_ascent(problem, eps, workers, factor)
    return Settings({"step": length}, steps, workers * steps)


def predict_synchronous_nigt(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """(max h + kappa) T: the steps of NIGT with batches of n.

    T = L_g D/eps² + sqrt(L_h) D/(eta eps^(3/2)) + max{1, sigma/(eps sqrt(n))}/eta, with
    1/eta = 1 + min{L_g/sqrt(L_h eps), L_g D/eps²} + sigma²/(n eps²).
    """
    noise = (problem.deviation / eps) ** 2 / len(h)
    curved = ratio(problem.smoothness, sqrt(problem.hessian_smoothness * eps))
    plain = pg_terms(problem, eps).steps
    memory = 1 + min(curved, plain) + noise
    forgotten = max(1.0, sqrt(noise)) * memory
    steps = plain + curvature(problem, eps) * memory + forgotten
    return Prediction(product(h.max(), steps), product(kappa.max(), steps))


def predict_synchronous_pg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """(max h + kappa) (S + N/n)."""
    terms = pg_terms(problem, eps)
    steps = terms.steps + terms.noise / len(h)
    return Prediction(product(h.max(), steps), product(kappa.max(), steps))


def reached(settings: Mapping[str, Any], h: Floats, kappa: Floats, goal: Goal) -> float | None:
    """A round lasts as long as the slowest worker."""
    return in_rounds(float(h.max()), len(h), h, kappa, goal)


METHODS = {
    "synchronous-nigt": Method(
        synchronous,
        nigt,
        "one gradient per worker, normalised step",
        prescribe=prescribe_synchronous_nigt,
        complexity=Complexity(predict_synchronous_nigt, "derived", "derived", constants=True),
        closed_form=reached,
        baseline=True,
        mark=Mark("#CC79A7", 3),
    ),
    "synchronous-pg": Method(
        synchronous,
        sgd,
        "one gradient per worker, plain ascent",
        prescribe=prescribe_synchronous_pg,
        complexity=Complexity(predict_synchronous_pg, "derived", "derived", constants=True),
        closed_form=reached,
        baseline=True,
        mark=Mark("#882E72", 7),
    ),
    "synchronous-fedpg": Method(
        synchronous,
        normalised,
        "one gradient per worker, no look-ahead",
        closed_form=reached,
        baseline=True,
        mark=Mark("#CC79A7", 7),
    ),
}
LOCAL_METHODS = {
    "fedsvrpg-m": Method(
        local_rounds,
        fedsvrpg_m,
        "rounds of local steps, importance weights",
        mark=Mark("#999933", 0),
    ),
    "fedhapg-m": Method(
        local_rounds, fedhapg_m, "rounds of local steps, Hessian products", mark=Mark("#999933", 4)
    ),
}
