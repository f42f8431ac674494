"""Delay-adaptive aggregation: act on each gradient as it arrives, on an old one with care.

As many steps pass between two gradients of one of n equal workers as there are workers.  A delay
up to n is therefore nobody's fault; beyond it the step shrinks in proportion.
"""

from algorithms.method import Mark, Method
from algorithms.theory.complexity import (
    Complexity,
    Prediction,
    of_cycles,
    pg_noise,
    pg_steps,
    product,
)
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
                    cluster.step([ticket], [cluster.workers / max(cluster.workers, delay)])
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


def predict_delay_adaptive_pg(h: Floats, kappa: Floats, problem: Problem, eps: float) -> Prediction:
    """A_n (S + N/n), of the cycles: d_mean S + N updates (arXiv 2206.08307), as above."""
    steps, noise = pg_steps(problem, eps), pg_noise(problem, eps)
    return of_cycles(h, kappa, lambda c: product(harmonic(c)[-1], steps + noise / len(c)))


METHODS = {
    "delay-adaptive-pg": Method(
        delay_adaptive,
        sgd,
        "on arrival, shorter steps for old gradients",
        prescribe=prescribe_delay_adaptive_pg,
        complexity=Complexity(predict_delay_adaptive_pg, "derived", "derived", constants=True),
        mark=Mark("#66C2A5", 2),
    ),
}
