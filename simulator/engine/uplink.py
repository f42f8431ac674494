"""Who may send, where all share the way to the server?  Contention, by SimPy.

A transfer comes here when its own latency is behind it.  On the shared way it takes as long as its
bytes need on the worker's own link or on the shared one, whichever is slower.
"""

from collections.abc import Callable, Generator
from typing import Any, Protocol, TypeAlias

import numpy as np
import simpy

from simulator.cluster.collectives import Parts
from simulator.cluster.law import Floats
from simulator.cluster.network import Uplink
from simulator.engine.books import NEVER

Through: TypeAlias = Callable[[], None]


class SharedWay(Protocol):
    def enter(self, parts: Parts, through: Through) -> None:
        """Here a transfer comes; ``through`` is called when it ends."""


def shared_way(env: simpy.Environment, uplink: Uplink, size: int) -> SharedWay:
    """The uplink at work, for vectors of so many bytes."""
    seconds = size / uplink.bandwidth
    if uplink.contention == "queue":
        return Queue(env, uplink.channels, seconds)
    return Share(env, seconds)


class Queue:
    """First come, first served: a SimPy resource with as many places as there are channels."""

    def __init__(self, env: simpy.Environment, channels: int, seconds: float) -> None:
        self._env, self._seconds = env, seconds
        self._channels = simpy.Resource(env, channels)

    def enter(self, parts: Parts, through: Through) -> None:
        self._env.process(self._transfer(max(parts.transit, self._seconds), through))

    def _transfer(self, seconds: float, through: Through) -> Generator[simpy.Event, Any, None]:
        with self._channels.request() as turn:
            yield turn
            yield self._env.timeout(seconds)
        through()


class Share:
    """All at once: each gets a fair share, or as much as its own link takes if that is less.

    What one cannot take the others share (max-min fairness).  Work is counted in vectors: a
    transfer ends when 1 has passed.
    """

    def __init__(self, env: simpy.Environment, seconds: float) -> None:
        self._env, self._capacity = env, NEVER if seconds == 0 else 1 / seconds
        self._left, self._own, self._rate = np.empty(0), np.empty(0), np.empty(0)
        self._through: list[Through] = []
        self._since, self._plan = 0.0, 0

    def enter(self, parts: Parts, through: Through) -> None:
        self._pass_time()
        self._left = np.append(self._left, 1.0)
        self._own = np.append(self._own, 1 / parts.transit if parts.transit else NEVER)
        self._through.append(through)
        self._replan()

    def _pass_time(self) -> None:
        seconds = self._env.now - self._since
        if seconds > 0:
            self._left -= self._rate * seconds
        self._since = self._env.now

    def _replan(self) -> None:
        """Rates from now on, and one event at the first end; an older one is void."""
        self._rate = fair_rates(self._own, self._capacity)
        self._plan += 1
        if self._through:
            soonest = float(np.min(self._left / self._rate))
            self._env.process(self._end(self._plan, max(soonest, 0.0)))

    def _end(self, plan: int, seconds: float) -> Generator[simpy.Event, Any, None]:
        yield self._env.timeout(seconds)
        if plan != self._plan:
            return
        ends = self._left / self._rate <= seconds * (1 + 1e-12)
        self._pass_time()
        through = [self._through[at] for at in np.flatnonzero(ends).tolist()]
        self._left, self._own = self._left[~ends], self._own[~ends]
        self._through = [self._through[at] for at in np.flatnonzero(~ends).tolist()]
        self._replan()
        for passed in through:
            passed()


def fair_rates(own: Floats, capacity: float) -> Floats:
    """Max-min fair: nobody gets more than its own link takes, the rest is shared alike.

    >>> fair_rates(np.array([1.0, 10.0, 10.0]), 9.0).tolist()
    [1.0, 4.0, 4.0]
    """
    if own.sum() <= capacity:
        return own.copy()
    ordered = np.sort(own)
    before = np.concatenate([[0.0], np.cumsum(ordered)[:-1]])
    share = (capacity - before) / np.arange(len(own), 0, -1)
    # The first link that would take more than an equal share of what is left sets the share.
    rates: Floats = np.minimum(own, share[np.argmax(ordered > share)])
    return rates
