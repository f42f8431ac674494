"""Rennala aggregation (arXiv 2509.24305, section 4): the first M gradients of any workers.

Fast workers contribute several, a straggler perhaps none, and the server waits for none of them.
The mean is unbiased when the workers share one objective and durations do not depend on the
samples.  Where time grows with an episode's length, short episodes finish first;
``count = "earliest-started"`` then waits for the M gradients that started first.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from algorithms.method import Mark, Method
from algorithms.theory.closed_form import Goal, alike, in_rounds
from algorithms.theory.complexity import Complexity, by_rounds, nigt_terms, of_the_fastest, pg_terms
from algorithms.theory.finishes import Floats
from algorithms.theory.problem import Problem
from algorithms.theory.settings import (
    Settings,
    enough_gradients,
    free_weight,
    plain_ascent,
    prescription,
    step_length,
    whole_batch,
    whole_steps,
)
from algorithms.theory.times import rennala_time
from algorithms.tickets import Ticket
from algorithms.updates import nigt, sgd
from algorithms.vocabulary import (
    Aggregation,
    Batch,
    Chapter,
    Cluster,
    Joined,
    Lost,
    Story,
    batch_sizes,
)

Count: TypeAlias = Literal["first-finished", "earliest-started"]


def rennala(
    batch: Batch, initial_batch: Batch | None = None, count: Count = "first-finished"
) -> Aggregation:
    """The mean of the first ``batch`` gradients at one point."""
    collect = first_finished if count == "first-finished" else earliest_started

    def story(cluster: Cluster) -> Story:
        for size in batch_sizes(initial_batch, batch):
            cluster.broadcast()
            tickets = yield from collect(cluster, size)
            yield cluster.all_reduce(tickets)
            yield cluster.step(tickets, [1 / size] * size)

    return story


def first_finished(cluster: Cluster, size: int) -> Chapter[list[Ticket]]:
    """Collect arrivals; a lost worker's gradients do not count."""
    tickets: list[Ticket] = []
    while len(tickets) < size:
        match (yield cluster.arrival()):
            case Ticket() as ticket:
                tickets.append(ticket)
            case Lost(worker):
                tickets = [ticket for ticket in tickets if ticket.worker != worker]
            case Joined(worker):
                cluster.send(worker)
    return tickets


def earliest_started(cluster: Cluster, size: int) -> Chapter[list[Ticket]]:
    """Collect the first ``size`` gradients that were started, and drop the later ones.

    First each present worker starts one, in the order of their numbers; then each starts another
    when it delivers.  The choice is made before lengths are known, so it favours no short episode.
    """
    tickets: list[Ticket] = []
    chosen = dict.fromkeys(cluster.present()[:size], 0)  # worker: index
    while len(tickets) < size:
        match (yield cluster.arrival(needs=chosen.keys().__and__)):
            case Ticket(worker, _, index) as ticket:
                if chosen.get(worker) == index:
                    del chosen[worker]
                    tickets.append(ticket)
                else:
                    cluster.drop(ticket)
                if len(tickets) + len(chosen) < size:
                    chosen[worker] = index + 1
            case Lost(lost):
                tickets = [ticket for ticket in tickets if ticket.worker != lost]
                chosen.pop(lost, None)
            case Joined(worker):
                cluster.send(worker)
    return tickets


# Theory: settings for an accuracy, and the seconds they take


@prescription
def prescribe_rennala_nigt(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """The choice that proves Theorem 4.4 of arXiv 2509.24305.  Derived, with safe constants::

        eta   = min{1, max{sqrt(L_h eps)/L_g, eps²/(18 L_g D)}}    the latter for L_h = 0
        alpha = min{eps/(3 L_g), eta sqrt(eps/(24 L_h))}
        M     = max{1, ceil(eta N)},   M_init = max{1, ceil(N)}
        T     = max{6 D/(alpha eps), 1/eta}

    Each of the five terms of the convergence bound is then at most eps/6.
    """
    weight, enough = free_weight(problem, eps), enough_gradients(problem, eps)
    batch, first = whole_batch(weight * enough, factor), whole_batch(enough, factor)
    length = step_length(problem, eps, weight)
    steps = whole_steps(max(6 * problem.gap / (length * eps), 1 / weight), factor)
    settings = {"step": factor * length, "momentum": weight, "batch": batch, "initial_batch": first}
    return Settings(settings, steps, first + (steps - 1) * batch)


@prescription
def prescribe_rennala_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """Batches that are large enough for a long step.  Derived::

        S = max{1, ceil(sigma²/eps²)},   gamma = 1/(2 L_g),   T = 4 L_g D/eps²

    By smoothness a step gains gamma (1 - L_g gamma/2) |grad J|² less L_g gamma² sigma²/(2 S), so
    for gamma <= 1/(2 L_g) the mean of |grad J|² is at most 4 D/(3 gamma T), here 2/3 of eps², plus
    2 L_g gamma sigma²/(3 S), here 1/3.
    """
    noise = (problem.deviation / eps) ** 2
    length, steps = plain_ascent(problem, eps, whole_batch(noise), factor)
    batch = whole_batch(noise, factor)
    return Settings({"step": length, "batch": batch}, steps, batch * steps)


def reached(settings: Mapping[str, Any], h: Floats, kappa: Floats, goal: Goal) -> float | None:
    """A round lasts until the batch is full, then comes the slowest upload."""
    if not alike(settings):
        return None
    batch = settings["batch"]
    return in_rounds(rennala_time(h, batch), batch, h, kappa, goal)


# min_m A_m (S + N/m) + kappa S; for NIGT, Theorem 4.4.
NIGT = Complexity(by_rounds(nigt_terms, of_the_fastest), "published", "published", constants=True)
PG = Complexity(by_rounds(pg_terms, of_the_fastest), "published", "derived", constants=True)

METHODS = {
    "rennala-nigt": Method(
        rennala,
        nigt,
        "the first M gradients, normalised momentum step",
        prescribe=prescribe_rennala_nigt,
        complexity=NIGT,
        closed_form=reached,
        mark=Mark("#0072B2", 0),
    ),
    "rennala-pg": Method(
        rennala,
        sgd,
        "the first M gradients, plain ascent",
        prescribe=prescribe_rennala_pg,
        complexity=PG,
        closed_form=reached,
        mark=Mark("#56B4E9", 4),
    ),
}
