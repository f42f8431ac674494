"""Which tables describe the cluster and the network of a scenario?"""

import math
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from annotated_types import Ge, Gt, MinLen
from pydantic import AllowInfNan, Field

from simulator import cluster
from simulator.cluster import (
    Cluster,
    Collective,
    Failures,
    InFlight,
    Law,
    Link,
    Network,
    Outage,
    Outages,
    Speed,
    Uplink,
    Wire,
)
from simulator.cluster.cluster import FREE
from simulator.cluster.network import FREE as FREE_WAY
from simulator.cluster.network import Contention
from simulator.cluster.outages import Work
from simulator.mistakes import Mistake
from simulator.scenario.tables import (
    LawTable,
    SpeedTable,
    TransferTable,
    WireTable,
    any_link,
    any_speed,
    checked,
    law_of,
)
from simulator.table import Count, Seconds, Seed, Table, WorkerNumber, Workers

if TYPE_CHECKING:
    ComputeLaw: TypeAlias = LawTable | Law | float | list[float]
    AnySpeed: TypeAlias = SpeedTable | Speed
    AnyLink: TypeAlias = (
        TransferTable | WireTable | cluster.Seconds | Wire | Law | float | list[float]
    )
else:
    ComputeLaw, AnySpeed, AnyLink = law_of(LawTable), any_speed(), any_link()


class OutageTable(Table):
    """One worker, or several, are away for a while, or permanently."""

    worker: WorkerNumber | None = None
    workers: Annotated[list[WorkerNumber], MinLen(1)] | None = None
    begin: Annotated[float, Ge(0)] = Field(default=0.0, description="simulated seconds")
    end: Seconds | None = Field(default=None, description="back from then on; absent: never")

    def build(self) -> list[Outage]:
        end = math.inf if self.end is None else self.end
        workers = [self.worker] if self.worker is not None else self.workers or []
        return [Outage(worker, self.begin, end) for worker in workers]


class FailuresTable(Table):
    """Failures at random: up for a while, down for a while, both exponential."""

    mean_time_between_failures: Seconds = Field(description="seconds up, on average")
    mean_time_to_repair: Annotated[float, Gt(0), AllowInfNan()] = Field(
        description="seconds down, on average; inf: never repaired"
    )
    workers: Annotated[list[WorkerNumber], MinLen(1)] | None = Field(
        default=None, description="workers that fail; absent: all"
    )

    def build(self) -> Failures:
        workers = None if self.workers is None else tuple(self.workers)
        return Failures(self.mean_time_between_failures, self.mean_time_to_repair, workers)


class ClusterTable(Table):
    """The workers, their speeds and their outages."""

    workers: Workers
    compute: ComputeLaw = Field(description="seconds of a computation: a number, a list, or a law")
    per: Literal["gradient", "environment-step"] = Field(
        default="gradient", description="what takes these seconds"
    )
    speed: AnySpeed | None = Field(default=None, description="the speed of the workers over time")
    in_flight: InFlight = Field(
        default="recall", description="what happens to work at an old point"
    )
    outages: list[OutageTable] = Field(default=[], description="outages at given times")
    failures: FailuresTable | None = Field(default=None, description="random outages")
    in_outage: Work = Field(
        default="lost", description="what happens to the work of a worker that is away"
    )
    seed: Seed | None = Field(
        default=None, description="of random times, in place of the run's seeds"
    )

    def build(self, network: Network = FREE) -> Cluster:
        """The cluster that a ``Simulation`` takes."""
        return Cluster(
            workers=self.workers,
            compute=checked(LawTable, self.compute).build(),
            network=network,
            in_flight=self.in_flight,
            speed=None if self.speed is None else checked(SpeedTable, self.speed).build(),
            outages=self.build_outages(),
        )

    def build_outages(self) -> Outages:
        given = [outage for table in self.outages for outage in table.build()]
        failures = self.failures.build() if self.failures else None
        return Outages(tuple(given), failures, self.in_outage)

    def check(self) -> None:
        """Refuse outages that end before they begin, or of workers that do not exist."""
        for at, table in enumerate(self.outages):
            path = f"cluster.outages[{at}]"
            if (table.worker is None) == (table.workers is None):
                raise Mistake(f"{path}: name one worker, or a list of workers")
            if table.end is not None and table.end <= table.begin:
                later = f"must be later than begin = {table.begin:g}"
                raise Mistake(f"{path}.end = {table.end:g}: {later}")
            if table.worker is not None:
                self._check_workers(f"{path}.worker", [table.worker])
            self._check_workers(f"{path}.workers", table.workers)
        if self.failures:
            self._check_workers("cluster.failures.workers", self.failures.workers)

    def _check_workers(self, path: str, workers: list[int] | None) -> None:
        for worker in workers or ():
            if worker >= self.workers:
                raise Mistake(f"{path} = {worker}: must be from 0 to {self.workers - 1}")


class UplinkTable(Table):
    """The link that all uploads to a parameter server share."""

    bandwidth: Annotated[float, Gt(0)] = Field(description="bytes per second")
    contention: Contention = Field(
        default="queue", description="one after the other, or all at once"
    )
    channels: Count = Field(default=1, description="of a queue: how many at a time")

    def build(self) -> Uplink:
        return Uplink(self.bandwidth, self.contention, self.channels)


class NetworkTable(Table):
    """The times of transfers; absent, communication is free."""

    upload: AnyLink | None = Field(default=None, description="seconds to the server")
    download: AnyLink | None = Field(default=None, description="seconds from it")
    collective: Collective = Field(default="max", description="formula for an all-reduce")
    uplink: UplinkTable | None = Field(
        default=None, description="the shared link of a parameter-server"
    )

    def build(self) -> Network:
        uplink = self.uplink.build() if self.uplink else None
        return Network(_link(self.upload), _link(self.download), self.collective, uplink)

    def check(self) -> None:
        """Refuse a parameter server without its uplink, and the reverse."""
        served = self.collective == "parameter-server"
        if served and self.uplink is None:
            raise Mistake("network.uplink: is missing; a parameter-server needs its bandwidth")
        if self.uplink is not None and not served:
            instead = f"not {self.collective!r}"
            raise Mistake(f"network.uplink: is for collective = 'parameter-server', {instead}")
        if self.uplink and self.uplink.contention == "share" and self.uplink.channels != 1:
            path = f"network.uplink.channels = {self.uplink.channels}"
            raise Mistake(f"{path}: only a queue has several")


def _link(table: object) -> Link:
    if table is None:
        return FREE_WAY
    assert isinstance(table, TransferTable | WireTable)
    return table.link()
