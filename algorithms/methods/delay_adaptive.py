"""Delay-adaptive aggregation: a step with each arriving gradient, shorter for an old one.

Among n equal workers every gradient is about n steps old.  Beyond a delay of n the step shrinks in
proportion.
"""

from algorithms.method import Mark, Method
from algorithms.theory.complexity import Complexity, by_arrivals, pg_terms, product
from algorithms.theory.finishes import Floats
from algorithms.theory.problem import Problem
from algorithms.theory.settings import Settings, delayed_ascent, prescription
from algorithms.theory.times import harmonic
from algorithms.tickets import Ticket
from algorithms.updates import sgd
from algorithms.vocabulary import Aggregation, Cluster, Joined, Story


def delay_adaptive() -> Aggregation:
    """A step with every arriving gradient alone, of weight n / max(n, delay)."""

    def story(cluster: Cluster) -> Story:
        cluster.broadcast(quota=1, upload=True)
        while True:
            match (yield cluster.arrival()):
                case Ticket(worker, version) as ticket:
                    delay = cluster.version - version
                    yield cluster.step([ticket], [cluster.workers / max(cluster.workers, delay)])
                    cluster.send(worker, quota=1, upload=True)
                case Joined(worker):
                    cluster.send(worker, quota=1, upload=True)

    return story


# Theory: settings for an accuracy, and the seconds they take


@prescription
def prescribe_delay_adaptive_pg(
    problem: Problem, eps: float, workers: int, factor: float
) -> Settings:
    """As ``asynchronous-pg``: the method itself shortens the steps of longer delays.  Chosen."""
    return delayed_ascent(problem, eps, workers, factor)


def with_mean_delay(h: Floats, steps: float, noise: float) -> float:
    """A_n (S + N/n): d_mean S + N updates (arXiv 2206.08307)."""
    return product(harmonic(h)[-1], steps + noise / len(h))


PG = Complexity(by_arrivals(pg_terms, with_mean_delay), "derived", "derived", constants=True)
METHODS = {
    "delay-adaptive-pg": Method(
        delay_adaptive,
        sgd,
        "on arrival, shorter steps for old gradients",
        prescribe=prescribe_delay_adaptive_pg,
        complexity=PG,
        mark=Mark("#66C2A5", 2),
    )
}
