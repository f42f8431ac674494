"""Ringmaster aggregation (arXiv 2501.16168): a step with each arriving gradient, unless it is old.

A gradient counts only if fewer than ``threshold`` steps closed since its worker was sent the point;
an older one is dropped.  With ``stops`` a computation that has become that old is recalled, and its
worker gets the newest point.  Threshold 1 with stops is a race for every step; a threshold out of
reach is greedy aggregation.
"""

from collections import OrderedDict

from algorithms.method import Mark, Method
from algorithms.theory.complexity import Complexity, by_arrivals, of_the_fastest, pg_terms
from algorithms.theory.problem import Problem, ratio
from algorithms.theory.settings import (
    Settings,
    enough_gradients,
    free_weight,
    of_given_batch,
    prescription,
    whole_batch,
    whole_steps,
)
from algorithms.tickets import Ticket
from algorithms.updates import nigt, sgd
from algorithms.vocabulary import Aggregation, Batch, Cluster, Joined, Lost, Story


def ringmaster(threshold: Batch, stops: bool = False) -> Aggregation:
    """A step with every arriving gradient alone whose delay is below ``threshold``."""

    def story(cluster: Cluster) -> Story:
        cluster.broadcast(quota=1, upload=True)
        points = OrderedDict.fromkeys(cluster.present(), 0)  # worker: version, the oldest first

        def send(worker: int, recall: bool = False) -> None:
            cluster.send(worker, quota=1, upload=True, recall=recall)
            points[worker] = cluster.version
            points.move_to_end(worker)

        while True:
            match (yield cluster.arrival()):
                case Ticket(worker, version) as ticket:
                    if cluster.version - version < threshold:
                        yield cluster.step([ticket], [1.0])
                    else:
                        cluster.drop(ticket)
                    if points[worker] == version:  # else it was stopped while this was sent
                        send(worker)
                    while stops and cluster.version - oldest(points)[1] >= threshold:
                        send(oldest(points)[0], recall=True)
                case Lost(worker):
                    del points[worker]
                case Joined(worker):
                    send(worker)

    return story


def oldest(points: OrderedDict[int, int]) -> tuple[int, int]:
    """A worker at the oldest point, and its version."""
    return next(iter(points.items()))


# Theory: settings for an accuracy, and the seconds they take


@prescription
def prescribe_ringmaster_nigt(
    problem: Problem, eps: float, workers: int, factor: float
) -> Settings:
    """As ``afedpg`` with the threshold R for n, and R the M of ``rennala-nigt``.  Chosen.

    As with plain steps, then, R gradients one by one go as far as one batch of R.
    """
    enough = enough_gradients(problem, eps)
    threshold = whole_batch(free_weight(problem, eps) * enough)
    chosen = of_given_batch(problem, eps, 1, factor, delay=threshold)
    return chosen._replace(settings={"threshold": threshold, **chosen.settings})


@prescription
def prescribe_ringmaster_pg(problem: Problem, eps: float, workers: int, factor: float) -> Settings:
    """Theorem 2.4 of Birch SGD (arXiv 2505.09218) for delays up to R - 1; its eps is our eps²::

        R = max{1, ceil(sigma²/eps²)},
        gamma = min{1/(2 L_g), 1/(2 (R - 1) L_g), eps²/(4 L_g sigma²)},
        T = 4 R L_g D/eps² + 8 sigma² L_g D/eps⁴

    It bounds the mean of |grad J|² by eps².
    """
    noise = (problem.deviation / eps) ** 2
    threshold = whole_batch(noise)
    length = min(1.0, ratio(1.0, threshold - 1), ratio(1.0, 2 * noise)) / (2 * problem.smoothness)
    needed = 4 * (threshold + 2 * noise) * problem.smoothness * problem.gap / eps**2
    steps = whole_steps(needed, factor)
    return Settings({"threshold": threshold, "step": factor * length}, steps, steps)


# min_m A_m (S + N/m), A_m of the cycles: the optimum of TR23, which Ringmaster attains.
PG = Complexity(by_arrivals(pg_terms, of_the_fastest), "published", "derived", constants=True)
METHODS = {
    "ringmaster-pg": Method(
        ringmaster,
        sgd,
        "on arrival, too old ones dropped, plain ascent",
        prescribe=prescribe_ringmaster_pg,
        complexity=PG,
        mark=Mark("#000000", 4),
    ),
    "ringmaster-nigt": Method(
        ringmaster,
        nigt,
        "on arrival, too old ones dropped, normalised",
        prescribe=prescribe_ringmaster_nigt,
        mark=Mark("#000000", 0),
    ),
}
