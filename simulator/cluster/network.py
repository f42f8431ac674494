"""The description of the network: links between each worker and the server."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeAlias

from simulator.cluster.collectives import Collective, Parts
from simulator.cluster.durations import Durations
from simulator.cluster.fields import LONGEST_SECONDS, check
from simulator.cluster.law import Bits, Floats, Integers, Law, is_random
from simulator.cluster.laws import inner
from simulator.cluster.laws.steady import Fixed

NO_TIME = Fixed(0.0)
Contention: TypeAlias = Literal["queue", "share"]


class Vector(NamedTuple):
    """A point or a gradient: ``dimension`` numbers of ``itemsize`` bytes."""

    dimension: int = 1
    itemsize: int = 4

    @property
    def bytes(self) -> int:
        return self.dimension * self.itemsize


class Message(NamedTuple):
    """What crosses the network: a vector's dimension, and the bytes that it counts for.

    Each takes ``slowness`` times as long as the law or the link says.
    """

    dimension: int
    bytes: int
    slowness: float = 1.0


class Link(Protocol):
    """One direction between every worker and the server."""

    @property
    def random(self) -> bool:
        """Whether its seconds depend on the seed."""

    def transfers(self, workers: int, *, name: str, seed: int, message: Message) -> "Transfers":
        """The durations of transfers of such messages."""


@dataclass(frozen=True)
class Seconds:
    """Transfers of ``law * d**dimension_power`` seconds for a vector of dimension d."""

    law: Law = NO_TIME
    dimension_power: float = 0.0

    @property
    def random(self) -> bool:
        return is_random(self.law)

    def transfers(self, workers: int, *, name: str, seed: int, message: Message) -> "Transfers":
        scale = math.pow(message.dimension, self.dimension_power) * message.slowness
        transit = Durations(self.law, workers, name=name, seed=seed, scale=scale)
        return Transfers(Durations(NO_TIME, workers, name="network"), transit)


@dataclass(frozen=True)
class Wire:
    """Latency and bandwidth: a vector takes ``latency + bytes / bandwidth`` (bytes per second)."""

    bandwidth: Law
    latency: Law = NO_TIME

    @property
    def random(self) -> bool:
        return is_random(self.bandwidth) or is_random(self.latency)

    def transfers(self, workers: int, *, name: str, seed: int, message: Message) -> "Transfers":
        crossing = Crossing(self.bandwidth, message.bytes)
        slow = message.slowness
        return Transfers(
            Durations(self.latency, workers, name=f"{name}.latency", seed=seed, scale=slow),
            Durations(crossing, workers, name=name, seed=seed, scale=slow),
        )


@dataclass(frozen=True)
class Crossing:
    """Bytes over bandwidth, as a law of durations."""

    bandwidth: Law
    bytes: int
    varies: ClassVar[bool] = False
    draws: ClassVar[bool] = True

    def base(self, workers: int, bits: Bits) -> Floats:
        bandwidth = inner.seconds("bandwidth", self.bandwidth, workers, bits)
        remedy = "must be a positive number of bytes per second"
        given = inner.as_given(self.bandwidth, bandwidth)
        check("bandwidth", given, bandwidth > 0, remedy)
        seconds = self.bytes / bandwidth
        remedy = f"{self.bytes} bytes would take more than {LONGEST_SECONDS:g} seconds"
        check("bandwidth", given, seconds <= LONGEST_SECONDS, remedy)
        return seconds

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base


class Transfers:
    """The transfers of one direction in one run: the latency, and the time of all the bytes."""

    def __init__(self, latency: Durations, transit: Durations) -> None:
        self._latency, self._transit = latency, transit
        self.free = latency.free and transit.free
        self.varies = latency.varies or transit.varies

    def all(self, k: Integers) -> Floats:
        if self._latency.free:
            return self._transit.all(k)
        return self._latency.all(k) + self._transit.all(k)

    def one(self, worker: int, k: int) -> float:
        if self._latency.free:
            return self._transit.one(worker, k)
        return self._latency.one(worker, k) + self._transit.one(worker, k)

    def parts(self, worker: int, k: int) -> Parts:
        return Parts(self._latency.one(worker, k), self._transit.one(worker, k))


@dataclass(frozen=True)
class Uplink:
    """The shared uplink of a parameter server, in bytes per second.

    ``queue``: ``channels`` of this bandwidth each, with one transfer at a time, first come, first
    served.  ``share``: all transfers at once, with max-min fair shares of the bandwidth.
    """

    bandwidth: float
    contention: Contention = "queue"
    channels: int = 1


FREE = Seconds()
SCALAR = Vector()


@dataclass(frozen=True)
class Network:
    """Links to the server (``upload``) and from it (``download``), by default free.

    ``collective`` is the formula of an all-reduce, ``uplink`` the shared way to a parameter server.
    With ``message_bytes`` every point and gradient counts for so many bytes, whatever its size.
    Uploads take ``slowness`` times as long as they would.
    """

    upload: Link = FREE
    download: Link = FREE
    collective: Collective = "max"
    uplink: Uplink | None = None
    message_bytes: int | None = None
    slowness: float = 1.0

    @property
    def counts_bytes(self) -> bool:
        """Whether the size of a message changes any time."""
        return self.uplink is not None or any(
            isinstance(link, Wire) for link in (self.upload, self.download)
        )

    def message(self, vector: Vector) -> Message:
        return Message(vector.dimension, self.message_bytes or vector.bytes)
