"""The shared uplink of a parameter server: how long transfers take under contention.

A transfer enters after its own latency.  It takes as long as its bytes need on the slower of the
worker's own link and the shared one.
"""

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import numpy as np
import simpy

from simulator.cluster.collectives import Parts
from simulator.cluster.law import Floats
from simulator.cluster.network import Uplink
from simulator.engine.clock import SERVER_RANK, Clock, Happening
from simulator.engine.totals import NEVER

Passed: TypeAlias = Callable[[], None]


def shared_way(clock: Clock, uplink: Uplink, size: float) -> "Queue | Share":
    seconds = size / uplink.bandwidth
    if uplink.contention == "queue":
        return Queue(clock, uplink.channels, seconds)
    return Share(clock, seconds)


class Queue:
    """First come, first served: a SimPy resource with a place per channel."""

    def __init__(self, clock: Clock, channels: int, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self._channels = simpy.Resource(clock, channels)

    def enter(self, parts: Parts, passed: Passed) -> None:
        self._clock.process(self._transfer(max(parts.transit, self._seconds), passed))

    def _transfer(self, seconds: float, passed: Passed) -> Generator[simpy.Event, Any, None]:
        with self._channels.request() as turn:
            yield turn
            yield self._clock.timeout(seconds)
        passed()


class Share:
    """All transfers at once, at max-min fair rates, in vectors per second."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._capacity = clock, 1 / seconds if seconds else NEVER
        self._left, self._own, self._rate = np.empty(0), np.empty(0), np.empty(0)
        self._passed: list[Passed] = []
        self._since = 0.0

    def enter(self, parts: Parts, passed: Passed) -> None:
        self._pass_time()
        self._left = np.append(self._left, 1.0)
        self._own = np.append(self._own, 1 / parts.transit if parts.transit else NEVER)
        self._passed.append(passed)
        self._replan()

    def _pass_time(self) -> None:
        seconds = self._clock.now - self._since
        if seconds > 0:
            self._left -= self._rate * seconds
        self._since = self._clock.now

    def _replan(self) -> None:
        """Set the rates, and plan an event at the first end; an older event is void."""
        self._rate = fair_rates(self._own, self._capacity)
        if self._passed:
            seconds = max(0.0, float(np.min(self._left / self._rate)))
            plan = self._rate, seconds
            self._clock.at(self._clock.now + seconds, SERVER_RANK, self._end, plan)

    def _end(self, event: Happening) -> None:
        rate, seconds = event.value
        if rate is not self._rate:
            return
        ends = self._left / rate <= seconds * (1 + 1e-12)
        self._pass_time()
        passed = [self._passed[at] for at in np.flatnonzero(ends).tolist()]
        self._left, self._own = self._left[~ends], self._own[~ends]
        self._passed = [self._passed[at] for at in np.flatnonzero(~ends).tolist()]
        self._replan()
        for each in passed:
            each()


def fair_rates(own: Floats, capacity: float) -> Floats:
    """Max-min fair rates: none exceeds its own link, and the others share the rest equally.

    >>> fair_rates(np.array([1.0, 10.0, 10.0]), 9.0).tolist()
    [1.0, 4.0, 4.0]
    """
    if own.sum() <= capacity:
        return own.copy()
    ordered = np.sort(own)
    before = np.concatenate([[0.0], np.cumsum(ordered)[:-1]])
    share = (capacity - before) / np.arange(len(own), 0, -1)
    # The first link that could take more than an equal share of the rest sets the share.
    rates: Floats = np.minimum(own, share[np.argmax(ordered > share)])
    return rates
