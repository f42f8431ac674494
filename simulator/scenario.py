"""What does a scenario say?  Its schema, checked before any work starts.

A scenario is data: tables that name a cluster, an objective, the methods and where to stop.
Checking one imports neither JAX nor pandas.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from algorithms.methods import METHODS
from simulator.cluster import Cluster, Collective, InFlight, InvalidDuration, Network, Transfer
from simulator.cluster.network import FREE
from simulator.mistakes import Mistake, did_you_mean
from simulator.objectives.catalogue import ObjectiveTable
from simulator.tables import LawTable, MethodTable, Table, TransferTable, any_law, any_method

Count: TypeAlias = Annotated[int, Ge(1), Le(2**31 - 1)]
Workers: TypeAlias = Annotated[int, Ge(1), Le(1_000_000)]
Seed: TypeAlias = Annotated[int, Ge(0), Le(2**32 - 1)]
Seconds: TypeAlias = Annotated[float, Gt(0)]
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

if TYPE_CHECKING:
    ComputeLaw: TypeAlias = LawTable
    TransferLaw: TypeAlias = TransferTable
    AnyMethod: TypeAlias = MethodTable
else:
    ComputeLaw, TransferLaw, AnyMethod = any_law(LawTable), any_law(TransferTable), any_method()


class ClusterTable(Table):
    """Who computes, and how fast."""

    workers: Workers
    compute: ComputeLaw = Field(description="seconds per gradient: a number, a list, or a law")
    in_flight: InFlight = Field("recall", description="what becomes of work at an old point")
    seed: Seed | None = Field(None, description="fixes random times apart from the run's seeds")


class NetworkTable(Table):
    """What it costs to move a vector; absent, communication is free."""

    upload: TransferLaw | None = Field(None, description="seconds to the server")
    download: TransferLaw | None = Field(None, description="seconds from it")
    collective: Collective = Field("max", description="how the uploads of an all-reduce combine")

    def build(self) -> Network:
        upload, download = (
            Transfer(law.build(), law.dimension_power) if law else FREE
            for law in (self.upload, self.download)
        )
        return Network(upload, download, self.collective)


class EvaluationTable(Table):
    """How often the current point is looked at; looking changes nothing."""

    every_seconds: Seconds | None = Field(None, description="simulated")
    every_steps: Count | None = Field(None, description="server steps")
    episodes: Count = 32
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
        compute = cluster.compute.build()
        return Cluster(cluster.workers, compute, self.network.build(), cluster.in_flight)

    def timing_seed(self, seed: int) -> int:
        """The seed of random durations: the cluster's own, if it has one."""
        return seed if self.cluster.seed is None else self.cluster.seed

    def check(self) -> None:
        """Refuse what the types cannot see: durations, environments."""
        cluster = self.build_cluster()
        try:
            cluster.computations(0)
            cluster.uploads(0, dimension=1)
            cluster.downloads(0, dimension=1)
        except InvalidDuration as error:
            raise Mistake(str(error)) from None
        try:
            self.objective.check()
        except ValueError as error:
            raise Mistake(f"objective.{error}") from None

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

    def canonical(self) -> dict[str, Any]:
        """Plain data, every default written out; what the hash is of."""
        plain: dict[str, Any] = _finite(self.model_dump(mode="python"))
        return plain

    def fingerprint(self) -> str:
        text = json.dumps(self.canonical(), sort_keys=True)
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
