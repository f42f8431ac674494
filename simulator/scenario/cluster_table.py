"""Which tables describe the cluster and the network of a scenario?"""

import math
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import AllowInfNan, Field, model_validator
from pydantic_core import PydanticCustomError

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
from simulator.cluster.server import AT_ONCE, Per, Server
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

    mean_time_between_failures: Seconds | None = Field(
        default=None, description="of each worker: seconds up, on average"
    )
    cluster_mean_time_between_failures: Seconds | None = Field(
        default=None, description="of all these workers: seconds until one fails, on average"
    )
    mean_time_to_repair: Annotated[float, Gt(0), AllowInfNan()] = Field(
        description="seconds down, on average; inf: never repaired"
    )
    workers: Annotated[list[WorkerNumber], MinLen(1)] | None = Field(
        default=None, description="workers that fail; absent: all"
    )

    def build(self, workers: int) -> Failures:
        """While n workers are up, one of them fails n times as often as each does."""
        failing = None if self.workers is None else tuple(self.workers)
        between = self.mean_time_between_failures
        if between is None:
            assert self.cluster_mean_time_between_failures is not None
            between = self.cluster_mean_time_between_failures * len(set(failing or range(workers)))
        return Failures(between, self.mean_time_to_repair, failing)

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        worker, cluster = self.mean_time_between_failures, self.cluster_mean_time_between_failures
        if (worker is None) == (cluster is None):
            raise PydanticCustomError(
                "rate",
                "give mean_time_between_failures, of each worker, or "
                "cluster_mean_time_between_failures, of all together",
            )
        return self


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

    def build(self, network: Network = FREE, server: Server = AT_ONCE) -> Cluster:
        """The cluster that a ``Simulation`` takes."""
        return Cluster(
            workers=self.workers,
            compute=checked(LawTable, self.compute).build(),
            network=network,
            in_flight=self.in_flight,
            speed=None if self.speed is None else checked(SpeedTable, self.speed).build(),
            outages=self.build_outages(),
            server=server,
        )

    def build_outages(self) -> Outages:
        given = [outage for table in self.outages for outage in table.build()]
        failures = self.failures.build(self.workers) if self.failures else None
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


class ServerTable(Table):
    """The server, which computes its updates one at a time; absent, they take no time."""

    seconds: ComputeLaw = Field(description="seconds of an update: a number, or a law")
    per: Per = Field(default="step", description="what takes these seconds")

    def build(self) -> Server:
        return Server(checked(LawTable, self.seconds).build(), self.per)


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
    message_bytes: Annotated[int, Ge(1), Le(10**15)] | None = Field(
        default=None, description="size of a message; absent: that of the objective's vectors"
    )

    def build(self) -> Network:
        uplink = self.uplink.build() if self.uplink else None
        up, down = _link(self.upload), _link(self.download)
        return Network(up, down, self.collective, uplink, self.message_bytes)

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
        if self.message_bytes is not None:
            self._check_message()

    def _check_message(self) -> None:
        """Refuse a size of messages beside seconds that depend on the objective's dimension."""
        for name in ("upload", "download"):
            power = getattr(getattr(self, name), "dimension_power", 0)
            if power:
                remedy = "give a bandwidth, or leave one of them out"
                raise Mistake(
                    f"network.{name}.dimension_power = {power:g}: its seconds follow the "
                    f"objective's dimension, not network.message_bytes; {remedy}"
                )


def _link(table: object) -> Link:
    if table is None:
        return FREE_WAY
    assert isinstance(table, TransferTable | WireTable)
    return table.link()
