"""Which iterates does each method produce, and when? A second implementation, plain and slow.

It is written from the equations of the literature and from docs/methods, and shares no code with
what it checks; the plain reference of the cluster says when each worker is done. Its world:
communication is free, no worker fails, durations are given per worker and computation, and all
methods maximise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from reference_stories import (
    Fleet,
    Gradient,
    Settings,
    Story,
    async_batch,
    async_local,
    asynchronous,
    delay_adaptive,
    fedbuff,
    fedhapg,
    fedsvrpg,
    local_sgd,
    malenia,
    mindflayer,
    mixing,
    queued,
    rennala,
    rescaled,
    ringleader,
    ringmaster,
    synchronous,
)

from simulator.cluster import Cluster, Fixed
from simulator.reference import replay


class Update(NamedTuple):
    """The iterate after one update of the server, and the second at which it was made."""

    time: float
    iterate: np.ndarray


def follow(
    method: str,
    *,
    workers: int,
    duration: Callable[[int, int], float],
    gradient: Gradient,
    start: Any,
    settings: Settings,
    updates: int,
    in_flight: str = "recall",
    hessian_product: Callable[[int, np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> list[Update]:
    """The first `updates` updates of a method.

    duration(worker, k): seconds of one unit of work in the k-th computation the worker begins.
    gradient(worker, version, index, x): the sample that the ticket names, at x; the methods with
    local steps add local=k. hessian_product(worker, x, v): for fedhapg-m alone.
    `step` and `momentum` of the normalised methods are numbers or functions of the update's number.

    >>> follow("synchronous-pg", workers=1, duration=lambda worker, k: 2.0,
    ...        gradient=lambda worker, version, index, x: 1 - x, start=[0.0],
    ...        settings={"step": 0.5}, updates=2)
    [Update(time=2.0, iterate=array([0.5])), Update(time=4.0, iterate=array([0.75]))]
    """
    if in_flight not in ("recall", "finish"):
        raise ValueError(f"in_flight = {in_flight!r}: must be 'recall' or 'finish'")
    story, rule = METHODS["mixing" if settings.get("direction") == "dispatch" else method]
    settings = dict(settings)
    server = rule(np.array(start, dtype=float), settings)
    if method == "fedhapg-m":
        settings["hessian_product"] = hessian_product
    fleets = []

    def aggregation(cluster):
        fleets.append(Fleet(cluster, server))
        return story(fleets[0], gradient, settings)

    cluster = Timed(workers, Fixed(1.0), in_flight=in_flight, duration=duration)
    record = replay(cluster, aggregation, steps=updates)
    if record.stalled:
        raise RuntimeError("no worker will ever deliver")
    times = [step.time for step in record.steps]
    return [Update(*each) for each in zip(times, fleets[0].iterates, strict=True)]


@dataclass(frozen=True)
class Timed(Cluster):
    """A cluster whose durations are a function of worker and number of the computation."""

    duration: Callable[[int, int], float] = lambda worker, k: 1.0

    def computations(self, seed: int) -> Any:
        return Durations(self.duration)


class Durations(NamedTuple):
    duration: Callable[[int, int], float]
    varies: bool = True

    def one(self, worker: int, k: int) -> float:
        return self.duration(worker, k)


class Plain:
    """theta += step * g; workers are sent theta."""

    def __init__(self, start: np.ndarray, settings: Settings) -> None:
        self.theta = self.point = start
        self.step = settings["step"]
        self.updates = 0

    def climb(self, estimate: np.ndarray, stamp: int) -> None:
        self.theta = self.point = self.theta + self.step * estimate
        self.updates += 1


class Normalised:
    """d = (1 - a) d + a g, theta += step * d / |d|; the first d is g, and a is the stamp's weight.

    Where |d| is exactly zero theta stays, and the update counts.
    """

    def __init__(self, start: np.ndarray, settings: Settings) -> None:
        self.theta = self.point = start
        self.step, self.weight = schedule(settings["step"]), schedule(settings["momentum"])
        self.direction = np.zeros_like(start)
        self.updates = 0

    def climb(self, estimate: np.ndarray, stamp: int) -> None:
        weight = self.weight(stamp) if self.updates else 1.0
        self.direction = (1 - weight) * self.direction + weight * estimate
        length = math.sqrt(float(self.direction @ self.direction))
        before = self.theta
        if length > 0:
            self.theta = before + self.step(self.updates) / length * self.direction
        self.updates += 1
        self.point = self.sent(before)

    def sent(self, before: np.ndarray) -> np.ndarray:
        return self.theta


class LookingAhead(Normalised):
    """The same; workers are sent theta + ((1 - a)/a) (theta - the theta before it)."""

    def sent(self, before: np.ndarray) -> np.ndarray:
        weight = self.weight(self.updates)
        return self.theta + (1 - weight) / weight * (self.theta - before)


class GivenDirection(LookingAhead):
    """The workers send d itself."""

    def climb(self, estimate: np.ndarray, stamp: int) -> None:
        self.direction = np.zeros_like(estimate)
        updates, before, self.updates = self.updates, self.theta, 0  # the first d is what arrives
        super().climb(estimate, stamp)
        self.updates = updates + 1
        self.point = self.sent(before)


def schedule(value: Any) -> Callable[[int], float]:
    return value if callable(value) else lambda k: value


METHODS: dict[str, tuple[Callable[[Fleet, Gradient, Settings], Story], Any]] = {
    "synchronous-pg": (synchronous, Plain),
    "rennala-pg": (rennala, Plain),
    "malenia-pg": (malenia, Plain),
    "asynchronous-pg": (asynchronous, Plain),
    "delay-adaptive-pg": (delay_adaptive, Plain),
    "ringmaster-pg": (ringmaster, Plain),
    "ringleader-pg": (ringleader, Plain),
    "fedbuff": (fedbuff, Plain),
    "mindflayer-pg": (mindflayer, Plain),
    "synchronous-nigt": (synchronous, LookingAhead),
    "rennala-nigt": (rennala, LookingAhead),
    "malenia-nigt": (malenia, LookingAhead),
    "ringmaster-nigt": (ringmaster, LookingAhead),
    "ringleader-nigt": (ringleader, LookingAhead),
    "mindflayer-nigt": (mindflayer, LookingAhead),
    "afedpg": (asynchronous, LookingAhead),
    "vanilla-asynchronous-pg": (asynchronous, Normalised),
    "synchronous-fedpg": (synchronous, Normalised),
    "fedsvrpg-m": (fedsvrpg, Plain),
    "fedhapg-m": (fedhapg, Plain),
    "local-sgd": (local_sgd, Plain),
    "local-sgd-nigt": (local_sgd, LookingAhead),
    "async-local-pg": (async_local, Plain),
    "async-local-nigt": (async_local, LookingAhead),
    "async-batch-pg": (async_batch, Plain),
    "async-batch-nigt": (async_batch, LookingAhead),
    "queued-pg": (queued, Plain),
    "queued-nigt": (queued, LookingAhead),
    "rescaled-pg": (rescaled, Plain),
    "rescaled-nigt": (rescaled, LookingAhead),
    "mixing": (mixing, GivenDirection),
}
