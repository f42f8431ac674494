"""What is a cluster?  A description: nothing in it changes while a simulation runs."""

from dataclasses import dataclass
from typing import Literal

from simulator.cluster.durations import Durations
from simulator.cluster.law import Law, is_random
from simulator.cluster.network import Network, Transfers, Vector
from simulator.cluster.outages import Absences, Outages
from simulator.cluster.speed import Pace, Speed

InFlight = Literal["recall", "finish"]
FREE = Network()
NO_OUTAGES = Outages()


@dataclass(frozen=True)
class Cluster:
    """``workers`` computers and a network around one server.

    ``in_flight`` says what becomes of a computation whose order was replaced: ``recall`` stops
    it on the spot, ``finish`` lets it end and drops the gradient.  ``speed`` changes over time how
    long the seconds of ``compute`` are; without one they are seconds.

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

    @property
    def random(self) -> bool:
        """Whether the times of two seeds differ."""
        speed = self.speed is not None and getattr(self.speed, "random", True)
        links = self.network.upload.random or self.network.download.random
        return is_random(self.compute) or links or speed or self.outages.failures is not None

    def computations(self, seed: int) -> Durations:
        return Durations(self.compute, self.workers, name="cluster.compute", seed=seed)

    def pace(self, seed: int) -> Pace | None:
        return self.speed.pace(self.workers, seed) if self.speed else None

    def absences(self, seed: int) -> Absences | None:
        return self.outages.absences(self.workers, seed) if self.outages else None

    def uploads(self, seed: int, vector: Vector) -> Transfers:
        link, name = self.network.upload, "network.upload"
        return link.transfers(self.workers, name=name, seed=seed, vector=vector)

    def downloads(self, seed: int, vector: Vector) -> Transfers:
        link, name = self.network.download, "network.download"
        return link.transfers(self.workers, name=name, seed=seed, vector=vector)

    def compute_seconds(self, seed: int, worker: int, k: int) -> float:
        """How long the ``k``-th computation of a worker lasts at speed 1, under every method."""
        return self.computations(seed).one(worker, k)
