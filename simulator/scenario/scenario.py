"""What is a scenario?  Tables for a cluster, an objective, methods and a stop.

A scenario is checked before any work starts; this imports neither JAX nor pandas.
"""

import hashlib
import json
import math
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias

from annotated_types import MinLen
from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from algorithms.methods import METHODS
from simulator import plugins
from simulator.cluster import Cluster, InvalidDuration, Vector
from simulator.cluster.server import AT_ONCE
from simulator.cluster.speed import ANSWERS
from simulator.mistakes import Mistake, check_all, did_you_mean
from simulator.objectives.catalogue import OBJECTIVES
from simulator.objectives.objective import Objective
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.scenario import data_files, prescription
from simulator.scenario.cluster_table import ClusterTable, NetworkTable, ServerTable
from simulator.scenario.ends import EvaluationTable, StopTable
from simulator.scenario.gradients import check_gradients
from simulator.scenario.tables import MethodTable, method_table
from simulator.scenario.toml_text import document
from simulator.system.files import replace
from simulator.table import OneOf, Seed, Table, Title
from simulator.tracking.catalogue import AnySink

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

AnyMethod: TypeAlias = Annotated[MethodTable, OneOf("method", METHODS.keys, method_table)]
AnyObjective: TypeAlias = Annotated[
    ObjectiveTable, OneOf("kind", OBJECTIVES.keys, OBJECTIVES.__getitem__)
]


def _named_methods(methods: Any) -> Any:
    """The label names the method, unless the table has a key ``method``."""
    if not isinstance(methods, dict):
        return methods
    return {
        label: {"method": label, **table} if isinstance(table, dict) else table
        for label, table in methods.items()
    }


def _check_label(label: str) -> str:
    if not LABEL.fullmatch(label):
        message = "a label is made of letters, digits, '.', '_' and '-', and names files"
        raise PydanticCustomError("label", "{message}", {"message": message})
    return label


class Scenario(Table):
    """Methods on one cluster and objective, over several seeds."""

    title: Title = ""
    seeds: Annotated[list[Seed], MinLen(1)] = Field(default=[0, 1, 2])
    cluster: ClusterTable
    network: NetworkTable = NetworkTable()
    server: ServerTable | None = None
    objective: AnyObjective
    evaluation: EvaluationTable = EvaluationTable()
    stop: StopTable
    # Trackers change no result, so they are no part of what a run is.
    tracking: list[AnySink] = Field(default=[], exclude=True)
    methods: Annotated[
        dict[Annotated[str, AfterValidator(_check_label)], AnyMethod],
        MinLen(1),
        BeforeValidator(_named_methods),
    ]

    if not TYPE_CHECKING:

        def __init__(self, **tables: Any) -> None:
            plugins.load()
            super().__init__(**tables)
            self.check()

        __init__.__pydantic_base_init__ = True

    @classmethod
    def _place(cls) -> str:
        return ""

    @model_validator(mode="after")
    def _different_seeds(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            twice = next(seed for seed in self.seeds if self.seeds.count(seed) > 1)
            raise PydanticCustomError(
                "seeds", "seeds: {twice} occurs twice; name each seed once", {"twice": twice}
            )
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
        server = self.server.build() if self.server else AT_ONCE
        return self.cluster.build(self.network.build(), server)

    def build_objective(self) -> Objective:
        return self.objective.build(self.cluster.workers)

    def timing_seed(self, seed: int) -> int:
        """The seed of random durations: the cluster's own, if it has one."""
        return seed if self.cluster.seed is None else self.cluster.seed

    def check(self) -> None:
        """Refuse what the types cannot: impossible durations, environments, theory's demands."""
        check_all([self.check_times, self._check_objective, lambda: prescription.check(self)])

    def check_times(self) -> None:
        """Check all but the objective, whose environment would run foreign code."""
        check_all(
            [self.cluster.check, self._check_durations, self._check_methods, self._check_lengths]
        )

    def _check_objective(self) -> None:
        try:
            self.objective.check(self.cluster.workers)
        except ValueError as error:
            raise Mistake(f"objective.{error}") from None

    def _check_durations(self) -> None:
        self.network.check()
        cluster = self.build_cluster()
        try:
            cluster.computations(0)
            cluster.uploads(0, Vector())
            cluster.downloads(0, Vector())
            cluster.updates(0, Vector())
        except InvalidDuration as error:
            raise Mistake(str(error)) from None
        try:
            pace = cluster.pace(0)
        except ValueError as error:
            raise Mistake(f"cluster.speed.{error}") from None
        lacks = [name for name in ANSWERS if not hasattr(pace, name)] if pace else []
        if lacks:
            kind = f"{type(pace).__module__}.{type(pace).__name__}"
            raise Mistake(f"cluster.speed: {kind} has no {lacks[0]}; a pace needs one")

    def _check_lengths(self) -> None:
        if self.cluster.per == "environment-step" and not self.objective.plays:
            kind = self.objective.kind
            plays_none = f"the {kind} plays no environment; use 'gradient'"
            raise Mistake(f"cluster.per = 'environment-step': {plays_none}")

    def _check_methods(self) -> None:
        check_all(partial(self._check_method, label) for label in self.methods)

    def _check_method(self, label: str) -> None:
        """Refuse lists for another number of workers, and gradients that are not to be had."""
        table = self.methods[label]
        for name, value in table.settings().items():
            if isinstance(value, list) and len(value) != self.cluster.workers:
                remedy = f"must be one number, or one per worker: {self.cluster.workers}"
                raise Mistake(f"methods.{label}.{name} has {len(value)} entries: {remedy}")
        plugins.check_parts(table.method, table.settings())
        if table.theory is None:
            try:
                METHODS[table.method].aggregate(table.settings())
            except ValueError as error:
                raise Mistake(f"methods.{label}.{error}") from None
        check_gradients(label, table, self.objective, self.cluster.per)

    def replace(self, **parts: Any) -> "Scenario":
        """A copy with other parts: ``scenario.replace(seeds=[7])``."""
        return Scenario(**{name: getattr(self, name) for name in type(self).model_fields} | parts)

    def restrict(self, methods: Iterable[str] | None, seeds: Sequence[int] | None) -> "Scenario":
        """A copy with some of the methods, or other seeds."""
        for seed in seeds or ():
            if seed >= 2**32:
                raise Mistake(f"--seeds {seed}: must be less than 2^32")
        for label in methods or ():
            if label not in self.methods:
                hint = did_you_mean(label, self.methods)
                raise Mistake(f"--methods {label}: not in this scenario; {hint}")
        chosen = {label: self.methods[label] for label in methods or ()} or dict(self.methods)
        return self.model_copy(
            update={"methods": chosen, "seeds": list(seeds) if seeds else self.seeds}
        )

    @property
    def files(self) -> dict[str, Path]:
        """The files that its laws name, by the paths of their keys."""
        return {path: Path(file) for path, file in data_files.files_in(self).items()}

    def found_from(self, directory: Path) -> "Scenario":
        """A copy whose files are looked for in this directory first."""
        beside = {path: directory / file for path, file in self.files.items()}
        return self.with_files({path: file for path, file in beside.items() if file.is_file()})

    def moved_to(self, directory: Path, prefix: str = "") -> "Scenario":
        """A copy whose files are copied to this directory, under the names of their keys."""
        copies = {}
        for path, file in self.files.items():
            copies[path] = directory / f"{prefix}{data_files.name_of_copy(path, file)}"
            replace(copies[path], partial(shutil.copyfile, file))
        return self.with_files(copies)

    def with_files(self, files: Mapping[str, Path]) -> "Scenario":
        """A copy with other files at these paths of keys."""
        named = {path: str(file) for path, file in files.items()}
        return data_files.with_files(self, named) if named else self

    def as_tables(self) -> dict[str, Any]:
        """The tables of this scenario's file, with absolute paths."""
        tables = super().as_tables()
        for label, table in tables["methods"].items():
            if table["method"] == label:
                del table["method"]
        resolved = {path: str(file.resolve()) for path, file in self.files.items()}
        return data_files.with_files(tables, resolved)

    def to_toml(self) -> str:
        """The text of this scenario's file, without defaults."""
        return document(self.as_tables())

    def canonical(self) -> dict[str, Any]:
        """Plain data with all defaults, which the hash is made of.

        A key without a value is left out, so a new optional key leaves the hashes as they are.
        """
        plain: dict[str, Any] = _finite(self.model_dump(mode="python", exclude_none=True))
        return data_files.with_files(plain, {path: f.name for path, f in self.files.items()})

    def fingerprint(self) -> str:
        """A hash of the data and of the contents of its files, not of their names."""
        contents = {
            path: hashlib.sha256(file.read_bytes()).hexdigest() for path, file in self.files.items()
        }
        plain = data_files.with_files(self.canonical(), contents)
        text = json.dumps(plain, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _finite(value: Any) -> Any:
    """JSON has no infinity: write the string ``inf``."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return "inf" if isinstance(value, float) and math.isinf(value) else value


def with_infinities(value: Any) -> Any:
    """Plain data with the strings ``inf`` and ``Infinity`` as the number that they were."""
    if isinstance(value, dict):
        return {key: with_infinities(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_infinities(item) for item in value]
    return math.inf if value in ("inf", "Infinity") else value
