"""What is a cluster?  A description: nothing in it changes while a simulation runs."""

from dataclasses import dataclass
from typing import Literal

from simulator.cluster.durations import Durations
from simulator.cluster.law import Law
from simulator.cluster.network import Network, Transfer

InFlight = Literal["recall", "finish"]
FREE = Network()


@dataclass(frozen=True)
class Cluster:
    """``workers`` computers and a network around one server.

    ``in_flight`` says what becomes of a computation whose order was replaced: ``recall`` stops
    it on the spot, ``finish`` lets it end and drops the gradient.

    >>> from simulator.cluster import Cluster, Power
    >>> Cluster(workers=10, compute=Power(exponent=0.5)).compute_seconds(seed=0, worker=3, k=0)
    2.0
    """

    workers: int
    compute: Law
    network: Network = FREE
    in_flight: InFlight = "recall"

    def computations(self, seed: int) -> Durations:
        return Durations(self.compute, self.workers, name="cluster.compute", seed=seed)

    def uploads(self, seed: int, dimension: int) -> Durations:
        return self._transfers(self.network.upload, "network.upload", seed, dimension)

    def downloads(self, seed: int, dimension: int) -> Durations:
        return self._transfers(self.network.download, "network.download", seed, dimension)

    def compute_seconds(self, seed: int, worker: int, k: int) -> float:
        """How long the ``k``-th computation of a worker lasts, under every method."""
        return self.computations(seed).one(worker, k)

    def _transfers(self, transfer: Transfer, name: str, seed: int, dimension: int) -> Durations:
        scale = transfer.scale(dimension)
        return Durations(transfer.law, self.workers, name=name, seed=seed, scale=scale)
