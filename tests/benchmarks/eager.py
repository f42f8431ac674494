"""What do simulators do that compute a gradient when it is sent for?  The same runs, that way.

A heap of finishes drives everything.  Whenever a worker starts, one call of a compiled function
computes its gradient at the newest point, whether or not the gradient will be used; the call
returns at once and JAX works in the background.  A round's gradients are added in one compiled
call, the update rule is compiled, and no number is read before the end.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, NamedTuple

import jax
import numpy as np

from algorithms.tickets import Ticket
from algorithms.updates import Rule
from simulator.objectives.objective import Objective


class Outcome(NamedTuple):
    """Where the run ended, when, and how many gradients were computed for it."""

    point: Any
    seconds: float
    evaluated: int


class Eager:
    """Gradients of one objective, each by a call of its own."""

    def __init__(self, objective: Objective, rule: Rule, seed: int = 0) -> None:
        self.root, self.rule = jax.random.key(seed), rule
        self.state = rule.init(objective.initial_point(self.root))
        self.point = rule.query(self.state)
        self.evaluated, self._add = 0, jax.jit(lambda parts: sum(parts))

        def of_one(root: Any, point: Any, tickets: Any, weights: Any) -> Any:
            return objective.gradient(root[None], point[None], tickets, weights[None])[0][0]

        self._gradient = jax.jit(of_one)

    def gradient(self, ticket: Ticket, weight: float) -> Any:
        """The objective's own batched function, at batch 1."""
        self.evaluated += 1
        tickets: Any = np.array([ticket], np.int32)
        weights: Any = np.array([weight], self.point.dtype)
        return self._gradient(self.root, self.point, tickets, weights)

    def step(self, parts: list[Any], dispatched: int) -> None:
        gradient = self._add(parts) if len(parts) > 1 else parts[0]
        self.state = self.rule.update(self.state, gradient, dispatched)
        self.point = self.rule.query(self.state)

    def outcome(self, seconds: float) -> Outcome:
        point = self.rule.iterate(self.state).block_until_ready()
        return Outcome(np.asarray(point), seconds, self.evaluated)


def rennala_eager(eager: Eager, seconds: list[float], batch: int, rounds: int) -> Outcome:
    """At each new point all workers start, and each starts again when it finishes: all computed."""
    now = 0.0
    for version in range(rounds):
        index = [count() for _ in seconds]

        def start(worker: int, now: float) -> tuple[float, int, Any]:
            ticket = Ticket(worker, version, next(index[worker]))  # noqa: B023
            return now + seconds[worker], worker, eager.gradient(ticket, 1 / batch)

        heap = [start(worker, now) for worker in range(len(seconds))]
        heapify(heap)
        parts: list[Any] = []
        while len(parts) < batch:
            now, worker, part = heappop(heap)
            parts.append(part)
            if len(parts) < batch:
                heappush(heap, start(worker, now))
        eager.step(parts, version)
    return eager.outcome(now)


def greedy_eager(eager: Eager, seconds: list[float], gradients: int) -> Outcome:
    """Each gradient is used as it arrives; its worker starts again at the newest point."""
    heap = [
        (seconds[worker], worker, 0, eager.gradient(Ticket(worker, 0, 0), 1.0))
        for worker in range(len(seconds))
    ]
    heapify(heap)
    now = 0.0
    for version in range(1, gradients + 1):
        now, worker, dispatched, part = heappop(heap)
        eager.step([part], dispatched)
        if version < gradients:
            part = eager.gradient(Ticket(worker, version, 0), 1.0)
            heappush(heap, (now + seconds[worker], worker, version, part))
    return eager.outcome(now)


def per_arrival(eager: Eager, steps: Callable[[], Any]) -> Outcome:
    """Only what is used, but still a call for each arrival: the product's schedule drives it."""
    now = 0.0
    for step in steps():
        pairs = zip(step.tickets, step.weights, strict=True)
        eager.step([eager.gradient(*pair) for pair in pairs], step.dispatched)
        now = step.time
    return eager.outcome(now)
