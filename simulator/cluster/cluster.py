"""The description of a cluster, which no simulation changes."""

from dataclasses import dataclass
from typing import Literal

from simulator.cluster.durations import Durations
from simulator.cluster.law import Law, is_random
from simulator.cluster.network import Network, Transfers, Vector
from simulator.cluster.outages import Absences, Outages
from simulator.cluster.server import AT_ONCE, Server, Updates
from simulator.cluster.speed import Pace, Speed

InFlight = Literal["recall", "finish"]
FREE = Network()
NO_OUTAGES = Outages()


@dataclass(frozen=True)
class Cluster:
    """``workers`` computers and a network around one server.

    ``in_flight`` decides on a computation whose order was replaced: ``recall`` stops it at once,
    ``finish`` lets it end and drops the gradient.  ``speed`` changes the durations of ``compute``
    over time.

    >>> from simulator.cluster import Cluster, Power
    >>> Cluster(workers=10, compute=Power(exponent=0.5)).compute_seconds(seed=0, worker=3, k=0)
    2.0
    """

    workers: int
    compute: Law
    network: Network = FREE
    in_flight: InFlight = "recall"
    speed: Speed | None = None
    outages: Outages = NO_OUTAGES
    server: Server = AT_ONCE

    @property
    def random(self) -> bool:
        """Whether the times of two seeds differ."""
        speed = self.speed is not None and getattr(self.speed, "random", True)
        links = self.network.upload.random or self.network.download.random
        chance = is_random(self.compute) or links or speed or self.server.random
        return chance or self.outages.failures is not None

    def computations(self, seed: int) -> Durations:
        return Durations(self.compute, self.workers, name="cluster.compute", seed=seed)

    def pace(self, seed: int) -> Pace | None:
        return self.speed.pace(self.workers, seed) if self.speed else None

    def absences(self, seed: int) -> Absences | None:
        return self.outages.absences(self.workers, seed) if self.outages else None

    def uploads(self, seed: int, vector: Vector) -> Transfers:
        message = self.network.message(vector)._replace(slowness=self.network.slowness)
        return self.network.upload.transfers(
            self.workers, name="network.upload", seed=seed, message=message
        )

    def downloads(self, seed: int, vector: Vector) -> Transfers:
        message = self.network.message(vector)
        return self.network.download.transfers(
            self.workers, name="network.download", seed=seed, message=message
        )

    def updates(self, seed: int, vector: Vector) -> Updates:
        return self.server.updates(seed=seed, vector=vector)

    def compute_seconds(self, seed: int, worker: int, k: int) -> float:
        """The seconds of a worker's ``k``-th computation at speed 1, under every method."""
        return self.computations(seed).one(worker, k)
