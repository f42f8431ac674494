"""What may a scenario say of its cluster?"""

import math
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from annotated_types import Ge, Gt, MinLen
from pydantic import AllowInfNan, Field

from simulator.cluster import Cluster, Failures, InFlight, Law, Network, Outage, Outages, Speed
from simulator.cluster.cluster import FREE
from simulator.cluster.outages import Work
from simulator.mistakes import Mistake
from simulator.scenario.quantities import Seconds, Seed, WorkerNumber, Workers
from simulator.scenario.tables import (
    LawTable,
    SpeedTable,
    any_speed,
    law_of,
    law_table,
    speed_table,
)
from simulator.table import Table

if TYPE_CHECKING:
    ComputeLaw: TypeAlias = LawTable | Law | float | list[float]
    AnySpeed: TypeAlias = SpeedTable | Speed
else:
    ComputeLaw, AnySpeed = law_of(LawTable), any_speed()


class OutageTable(Table):
    """A worker, or several, are not there for a while, or for ever."""

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
        default=None, description="who fails; absent: everybody"
    )

    def build(self) -> Failures:
        workers = None if self.workers is None else tuple(self.workers)
        return Failures(self.mean_time_between_failures, self.mean_time_to_repair, workers)


class ClusterTable(Table):
    """Who computes, how fast, and who is there."""

    workers: Workers
    compute: ComputeLaw = Field(description="seconds of a computation: a number, a list, or a law")
    per: Literal["gradient", "environment-step"] = Field(
        default="gradient", description="what takes these seconds"
    )
    speed: AnySpeed | None = Field(default=None, description="how fast the seconds pass, over time")
    in_flight: InFlight = Field(
        default="recall", description="what becomes of work at an old point"
    )
    outages: list[OutageTable] = Field(default=[], description="absences that are foreseen")
    failures: FailuresTable | None = Field(default=None, description="absences at random")
    in_outage: Work = Field(default="lost", description="what becomes of the work of who is away")
    seed: Seed | None = Field(
        default=None, description="fixes random times apart from the run's seeds"
    )

    def build(self, network: Network = FREE) -> Cluster:
        """The cluster that a ``Simulation`` takes."""
        return Cluster(
            workers=self.workers,
            compute=law_table(self.compute).build(),
            network=network,
            in_flight=self.in_flight,
            speed=None if self.speed is None else speed_table(self.speed).build(),
            outages=self.build_outages(),
        )

    def build_outages(self) -> Outages:
        foreseen = [outage for table in self.outages for outage in table.build()]
        failures = self.failures.build() if self.failures else None
        return Outages(tuple(foreseen), failures, self.in_outage)

    def check(self) -> None:
        """Refuse outages that run backwards, or of workers that there are not."""
        for at, table in enumerate(self.outages):
            path = f"cluster.outages[{at}]"
            if (table.worker is None) == (table.workers is None):
                raise Mistake(f"{path}: name one worker, or a list of workers")
            if table.end is not None and table.end <= table.begin:
                later = f"must be later than begin = {table.begin:g}"
                raise Mistake(f"{path}.end = {table.end:g}: {later}")
            name = "worker" if table.workers is None else "workers"
            self._check_workers(f"{path}.{name}", _workers_of(table))
        self._check_workers("cluster.failures.workers", _workers_of(self.failures))

    def _check_workers(self, path: str, workers: list[int]) -> None:
        for worker in workers:
            if worker >= self.workers:
                raise Mistake(f"{path} = {worker}: must be from 0 to {self.workers - 1}")


def _workers_of(table: OutageTable | FailuresTable | None) -> list[int]:
    if table is None:
        return []
    one = getattr(table, "worker", None)
    return [one] if one is not None else table.workers or []
