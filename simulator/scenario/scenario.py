"""What does a scenario say?  Its schema, checked before any work starts.

A scenario is data: tables that name a cluster, an objective, the methods and where to stop.
Checking one imports neither JAX nor pandas.
"""

import hashlib
import json
import math
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import AllowInfNan, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from algorithms.methods import METHODS
from algorithms.updates import LOCAL
from simulator.cluster import (
    Cluster,
    Collective,
    Failures,
    InFlight,
    InvalidDuration,
    Network,
    Outage,
    Outages,
    Uplink,
    Vector,
)
from simulator.cluster.network import FREE, Contention
from simulator.cluster.outages import Work
from simulator.mistakes import Mistake, did_you_mean
from simulator.objectives.catalogue import ObjectiveTable
from simulator.objectives.objective import Objective
from simulator.scenario.tables import (
    LawTable,
    MethodTable,
    SpeedTable,
    TransferTable,
    WireTable,
    any_law,
    any_link,
    any_method,
    any_speed,
)
from simulator.table import Table

Count: TypeAlias = Annotated[int, Ge(1), Le(2**31 - 1)]
Workers: TypeAlias = Annotated[int, Ge(1), Le(1_000_000)]
Seed: TypeAlias = Annotated[int, Ge(0), Le(2**32 - 1)]
Seconds: TypeAlias = Annotated[float, Gt(0)]
WorkerNumber: TypeAlias = Annotated[int, Ge(0), Le(999_999)]
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

if TYPE_CHECKING:
    ComputeLaw: TypeAlias = LawTable
    AnyLink: TypeAlias = TransferTable | WireTable
    AnySpeed: TypeAlias = SpeedTable
    AnyMethod: TypeAlias = MethodTable
else:
    ComputeLaw, AnyLink = any_law(LawTable), any_link()
    AnySpeed, AnyMethod = any_speed(), any_method()


class OutageTable(Table):
    """A worker, or several, are not there for a while, or for ever."""

    worker: WorkerNumber | None = None
    workers: Annotated[list[WorkerNumber], MinLen(1)] | None = None
    begin: Annotated[float, Ge(0)] = Field(0.0, description="simulated seconds")
    end: Seconds | None = Field(None, description="back from then on; absent: never")

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
        None, description="who fails; absent: everybody"
    )

    def build(self) -> Failures:
        workers = None if self.workers is None else tuple(self.workers)
        return Failures(self.mean_time_between_failures, self.mean_time_to_repair, workers)


class ClusterTable(Table):
    """Who computes, how fast, and who is there."""

    workers: Workers
    compute: ComputeLaw = Field(description="seconds of a computation: a number, a list, or a law")
    per: Literal["gradient", "environment-step"] = Field(
        "gradient", description="what takes these seconds"
    )
    speed: AnySpeed | None = Field(None, description="how fast the seconds pass, over time")
    in_flight: InFlight = Field("recall", description="what becomes of work at an old point")
    outages: list[OutageTable] = Field([], description="absences that are foreseen")
    failures: FailuresTable | None = Field(None, description="absences at random")
    in_outage: Work = Field("lost", description="what becomes of the work of who is away")
    seed: Seed | None = Field(None, description="fixes random times apart from the run's seeds")

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


class UplinkTable(Table):
    """What all uploads to a parameter server pass together."""

    bandwidth: Annotated[float, Gt(0)] = Field(description="bytes per second")
    contention: Contention = Field("queue", description="one after the other, or all at once")
    channels: Count = Field(1, description="of a queue: how many at a time")

    def build(self) -> Uplink:
        return Uplink(self.bandwidth, self.contention, self.channels)


class NetworkTable(Table):
    """What it costs to move a vector; absent, communication is free."""

    upload: AnyLink | None = Field(None, description="seconds to the server")
    download: AnyLink | None = Field(None, description="seconds from it")
    collective: Collective = Field("max", description="how an all-reduce is done")
    uplink: UplinkTable | None = Field(None, description="what parameter-server shares")

    def build(self) -> Network:
        upload, download = (link.link() if link else FREE for link in (self.upload, self.download))
        uplink = self.uplink.build() if self.uplink else None
        return Network(upload, download, self.collective, uplink)

    def check(self) -> None:
        """Refuse a parameter server without its uplink, and the reverse."""
        served = self.collective == "parameter-server"
        if served and self.uplink is None:
            raise Mistake("network.uplink: is missing; a parameter-server needs its bandwidth")
        if self.uplink is not None and not served:
            instead = f"not {self.collective!r}"
            raise Mistake(f"network.uplink: is for collective = 'parameter-server', {instead}")
        if self.uplink and self.uplink.contention == "share" and self.uplink.channels != 1:
            many = self.uplink.channels
            raise Mistake(f"network.uplink.channels = {many}: only a queue has several")


class EvaluationTable(Table):
    """How often the current point is looked at; looking changes nothing."""

    every_seconds: Seconds | None = Field(None, description="simulated")
    every_steps: Count | None = Field(None, description="server steps")
    episodes: Count = 32
    diagnostics_every_steps: Count | None = Field(
        None, description="also estimate the signal-to-noise ratio of a step's gradient"
    )
    metric: str | None = Field(None, description="what the target refers to, if not the usual")

    @model_validator(mode="after")
    def _one_rhythm(self) -> Self:
        if self.every_seconds is not None and self.every_steps is not None:
            raise PydanticCustomError("rhythm", "say every_seconds or every_steps, not both")
        return self


class StopTable(Table):
    """Where a method's run ends: whichever comes first."""

    seconds: Seconds | None = Field(None, description="simulated, inclusive")
    steps: Count | None = Field(None, description="server steps")
    gradients: Count | None = Field(None, description="used gradients")
    target: float | None = Field(None, description="of the evaluation's metric")

    @model_validator(mode="after")
    def _some_end(self) -> Self:
        if self.seconds is None and self.steps is None and self.gradients is None:
            message = "say seconds, steps or gradients; a target alone may never be reached"
            raise PydanticCustomError("endless", message)
        return self


def _known_methods(methods: Any) -> Any:
    """A method is named by its label, or by ``method`` under a label of one's own."""
    if not isinstance(methods, dict):
        return methods
    for label, table in methods.items():
        if not LABEL.fullmatch(label):
            message = "a label is made of letters, digits, '.', '_' and '-', and names files"
            raise PydanticCustomError("label", "{message}", {"key": label, "message": message})
        name = table.get("method", label) if isinstance(table, dict) else label
        if not isinstance(name, str) or name not in METHODS:
            hint = did_you_mean(str(name), METHODS)
            context = {"key": label, "name": str(name), "hint": hint}
            raise PydanticCustomError("unknown_method", "no method '{name}'; {hint}", context)
    return {
        label: {"method": label, **table} if isinstance(table, dict) else table
        for label, table in methods.items()
    }


class Scenario(Table):
    """One comparison: methods on one cluster and objective, over several seeds."""

    title: str = ""
    seeds: Annotated[list[Seed], MinLen(1)] = Field([0, 1, 2])
    cluster: ClusterTable
    network: NetworkTable = NetworkTable()
    objective: ObjectiveTable
    evaluation: EvaluationTable = EvaluationTable()
    stop: StopTable
    methods: Annotated[
        dict[str, AnyMethod],
        MinLen(1),
        BeforeValidator(_known_methods),
    ]

    @model_validator(mode="after")
    def _different_seeds(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise PydanticCustomError("seeds", "seeds: each may stand there only once")
        return self

    @model_validator(mode="after")
    def _a_known_metric(self) -> Self:
        metric = self.evaluation.metric
        if metric is not None and metric not in self.objective.metrics:
            hint = did_you_mean(metric, self.objective.metrics)
            message = "evaluation.metric: this objective does not measure '{metric}'; {hint}"
            raise PydanticCustomError("metric", message, {"metric": metric, "hint": hint})
        return self

    @property
    def metric(self) -> str:
        return self.evaluation.metric or next(iter(self.objective.metrics))

    @property
    def higher_is_better(self) -> bool:
        return self.objective.metrics[self.metric] == "higher"

    def build_cluster(self) -> Cluster:
        cluster = self.cluster
        return Cluster(
            workers=cluster.workers,
            compute=cluster.compute.build(),
            network=self.network.build(),
            in_flight=cluster.in_flight,
            speed=cluster.speed.build() if cluster.speed else None,
            outages=cluster.build_outages(),
        )

    def build_objective(self) -> Objective:
        return self.objective.build(self.cluster.workers)

    def timing_seed(self, seed: int) -> int:
        """The seed of random durations: the cluster's own, if it has one."""
        return seed if self.cluster.seed is None else self.cluster.seed

    def check(self) -> None:
        """Refuse what the types cannot see: durations, environments."""
        self.check_times()
        try:
            self.objective.check(self.cluster.workers)
        except ValueError as error:
            raise Mistake(f"objective.{error}") from None

    def check_times(self) -> None:
        """The same without opening an environment, which is somebody's code."""
        self.cluster.check()
        self.network.check()
        cluster = self.build_cluster()
        try:
            cluster.computations(0)
            cluster.uploads(0, Vector())
            cluster.downloads(0, Vector())
        except InvalidDuration as error:
            raise Mistake(str(error)) from None
        try:
            cluster.pace(0)
        except ValueError as error:
            raise Mistake(f"cluster.speed.{error}") from None
        self._check_methods()
        if self.cluster.per == "environment-step" and not self.objective.plays:
            kind = self.objective.kind
            plays_none = f"the {kind} plays no environment; use 'gradient'"
            raise Mistake(f"cluster.per = 'environment-step': {plays_none}")

    def _check_methods(self) -> None:
        """Refuse settings for another number of workers, and work that the objective has not."""
        for label, table in self.methods.items():
            for name, value in table.settings().items():
                if isinstance(value, list) and len(value) != self.cluster.workers:
                    many = f"must be one number, or one per worker: {self.cluster.workers}"
                    raise Mistake(f"methods.{label}.{name} has {len(value)} entries: {many}")
            local = METHODS[table.method].rule in LOCAL
            if local and self.cluster.per == "environment-step":
                raise Mistake(
                    f"methods.{label}: its workers take steps of their own, which are timed as "
                    "gradients; use cluster.per = 'gradient'"
                )
            if local and not self.objective.local:
                raise Mistake(
                    f"methods.{label}: its workers take steps of their own, which needs an "
                    "environment in JAX, such as CartPole-v1; this one is played on the host"
                )

    def restrict(self, methods: Iterable[str] | None, seeds: Sequence[int] | None) -> "Scenario":
        """The same comparison with some of the methods, or other seeds."""
        for seed in seeds or ():
            if seed >= 2**32:
                raise Mistake(f"--seeds {seed}: must be less than 2^32")
        chosen = dict(self.methods)
        for label in methods or ():
            if label not in self.methods:
                raise Mistake(f"--methods {label}: not in this scenario; {_hint(label, self)}")
        if methods:
            chosen = {label: self.methods[label] for label in methods}
        return self.model_copy(
            update={"methods": chosen, "seeds": list(seeds) if seeds else self.seeds}
        )

    @property
    def speed_trace(self) -> Path | None:
        """The file that says how fast the workers are, if there is one."""
        file = getattr(self.cluster.speed, "file", None)
        return None if file is None else Path(file)

    def found_from(self, directory: Path) -> "Scenario":
        """The same, where a relative path of the file starts from here, if it is here."""
        if self.speed_trace is None or not (directory / self.speed_trace).is_file():
            return self
        return self._with_trace(directory / self.speed_trace)

    def moved_to(self, directory: Path) -> "Scenario":
        """The same, with its files copied there."""
        trace = self.speed_trace
        if trace is None:
            return self
        copy = directory / f"speeds{trace.suffix.lower()}"
        shutil.copyfile(trace, copy)
        return self._with_trace(copy)

    def _with_trace(self, file: Path) -> "Scenario":
        assert self.cluster.speed is not None
        speed = self.cluster.speed.model_copy(update={"file": str(file)})
        return self.model_copy(update={"cluster": self.cluster.model_copy(update={"speed": speed})})

    def canonical(self) -> dict[str, Any]:
        """Plain data, every default written out; what the hash is of."""
        plain: dict[str, Any] = _finite(self.model_dump(mode="python"))
        if self.speed_trace:
            plain["cluster"]["speed"]["file"] = self.speed_trace.name
        return plain

    def fingerprint(self) -> str:
        """The same for the same data, whatever its files are called."""
        plain = self.canonical()
        if self.speed_trace:
            trace = self.speed_trace.read_bytes()
            plain["cluster"]["speed"]["file"] = hashlib.sha256(trace).hexdigest()
        text = json.dumps(plain, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _hint(label: str, scenario: Scenario) -> str:
    return did_you_mean(label, scenario.methods)


def _finite(value: Any) -> Any:
    """JSON has no infinity: a worker that never finishes is written as the string ``inf``."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and math.isinf(value):
        return "inf"
    return value
