"""What is a suite of benchmarks?  Its tables, and the checks of its file.

A benchmark is a scenario and a kind of promise: **exact** (the schedule equals its baseline to the
bit), **tolerance** (a learning curve equals its baseline up to an error) or **claim** (one method
is so many times faster than another, whatever the baseline).
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from annotated_types import Ge, Gt, Lt, MinLen
from pydantic import Field, ValidationError

from simulator.mistakes import Mistake, check_all, did_you_mean
from simulator.refusal import refusal
from simulator.scenario import files, loading
from simulator.scenario.scenario import LABEL, Scenario
from simulator.scenario.variant import VariantTable
from simulator.statistics.bounds import Test, fewest_seeds
from simulator.table import Count, Table, Title, plain

Measure: TypeAlias = Literal[
    "time-to-target", "steps-to-target", "gradients-to-target", "time-to-steps", "time-to-gradients"
]
COUNTED: dict[str, Literal["steps", "gradients"]] = {
    "time-to-steps": "steps",
    "time-to-gradients": "gradients",
}
"""Measures that need no training, and what they count."""


class BenchmarkTable(VariantTable):
    """The keys of every benchmark."""

    why: Annotated[str, MinLen(1)] = Field(description="one line: what breaks if this moves")


class ExactTable(BenchmarkTable):
    """The schedule: times, gradients and weights of all steps, and the outcomes of gradients."""

    kind: Literal["exact"] = "exact"
    methods: Annotated[list[str], MinLen(1)] | None = Field(default=None, description="only these")
    rounding: Annotated[float, Ge(0), Lt(1)] = Field(
        default=0.0,
        description="relative error of a time: random times differ in the last bits",
    )


class ToleranceTable(BenchmarkTable):
    """The learning curve on an exact objective."""

    kind: Literal["tolerance"] = "tolerance"
    methods: Annotated[list[str], MinLen(1)] | None = Field(default=None, description="only these")
    metric: str | None = Field(default=None, description="of the objective [the evaluation's]")
    relative: Annotated[float, Ge(0)] = Field(description="relative error of each point")
    absolute: Annotated[float, Ge(0)] = Field(
        default=0.0, description="an error in its unit, which is added"
    )


class ClaimTable(BenchmarkTable):
    """The ratio of what two methods need."""

    kind: Literal["claim"] = "claim"
    of: str = Field(description="the label of the method that needs less")
    over: str = Field(description="the label of the method that needs more")
    measure: Measure = Field(
        default="time-to-target", description="the quantity to compare; times are simulated"
    )
    count: Count | None = Field(
        default=None, description="the number of time-to-steps or time-to-gradients"
    )
    at_least: Annotated[float, Gt(0)] | Literal["predicted"] = Field(
        default=1.0, description="the ratio, or 'predicted' by the closed forms of theory"
    )
    margin: Annotated[float, Ge(0), Lt(1)] = Field(
        default=0.0, description="the share of at_least that may be missing"
    )
    test: Test = Field(
        default="every-seed", description="the test of the ratio: every seed, or a bound"
    )
    confidence: Annotated[float, Gt(0.5), Lt(1)] = Field(default=0.95, description="of the bound")


AnyBenchmark: TypeAlias = ExactTable | ToleranceTable | ClaimTable


class SuiteTable(Table):
    """Benchmarks, by name."""

    title: Title = ""
    benchmarks: Annotated[
        dict[str, Annotated[AnyBenchmark, Field(discriminator="kind")]], MinLen(1)
    ]


Source: TypeAlias = str | Path | SuiteTable | Mapping[str, Any]
"""A shipped name or a path, a suite, or the tables of a file."""


class Benchmark(NamedTuple):
    """A benchmark's table, and its scenario, as tables and checked."""

    name: str
    table: AnyBenchmark
    tables: dict[str, Any]
    folder: Path
    scenario: Scenario

    @property
    def schedule_only(self) -> bool:
        """Whether the benchmark needs no gradients, and so no JAX."""
        return self.table.kind == "exact" or getattr(self.table, "measure", "") in COUNTED


class Suite(NamedTuple):
    """A suite file, read."""

    path: Path
    title: str
    benchmarks: dict[str, Benchmark]

    @property
    def name(self) -> str:
        return self.path.stem


def read(source: Source) -> Suite:
    """A suite from its table, a path or a shipped name."""
    if isinstance(source, str | Path):
        tables, path = files.read("suite", str(source))
    else:
        tables, path = plain(source), Path("suite.toml")
    try:
        table = SuiteTable.model_validate(tables)
    except ValidationError as error:
        raise refusal(error, tables) from None
    each = table.benchmarks.items()
    benchmarks = check_all(partial(_benchmark, name, one, path) for name, one in each)
    return Suite(path, table.title, {benchmark.name: benchmark for benchmark in benchmarks})


def _benchmark(name: str, table: AnyBenchmark, path: Path) -> Benchmark:
    if not LABEL.fullmatch(name):
        letters = "a name is made of letters, digits, '.', '_' and '-', and names a file"
        raise Mistake(f"benchmarks.{name}: {letters}")
    try:
        tables, folder = _tables(table, path.parent)
        benchmark = Benchmark(name, table, tables, folder, loading.check(tables, folder))
        _check(benchmark)
    except Mistake as mistake:
        raise mistake.within(f"benchmarks.{name}") from None
    return benchmark


def _tables(table: AnyBenchmark, folder: Path) -> tuple[dict[str, Any], Path]:
    """The tables of the scenario with the benchmark's settings, methods and stop."""
    tables, scenario_folder = table.changed(folder)
    methods = tables.get("methods", {})
    tables["methods"] = {label: methods[label] for label in _labels(table, methods)}
    if isinstance(table, ClaimTable):
        _stop(table, tables)
    return tables, scenario_folder


def _labels(table: AnyBenchmark, known: dict[str, Any]) -> list[str]:
    if isinstance(table, ClaimTable):
        wanted = {"of": [table.of], "over": [table.over]}
    else:
        wanted = {"methods": table.methods or list(known)}
    for key, labels in wanted.items():
        for label in labels:
            if label not in known:
                hint = did_you_mean(label, known)
                raise Mistake(f"{key} = {label!r}: not in this scenario; {hint}")
    return [label for labels in wanted.values() for label in labels]


def _stop(table: ClaimTable, tables: dict[str, Any]) -> None:
    """Stop runs at the count of steps or gradients, if the claim has one."""
    what = COUNTED.get(table.measure)
    if what is None and table.count is not None:
        raise Mistake(f"count = {table.count}: only time-to-steps and time-to-gradients count")
    if what is None:
        return
    if table.count is None:
        raise Mistake(f"count: is missing; {table.measure} needs to know how many {what}")
    tables["stop"] = {what: table.count}


def _check(benchmark: Benchmark) -> None:
    """Refuse a scenario that does not fit the kind of the benchmark."""
    table, scenario = benchmark.table, benchmark.scenario
    if benchmark.schedule_only and scenario.cluster.per != "gradient":
        per = scenario.cluster.per
        raise Mistake(f"cluster.per = {per!r}: such times depend on episodes; a schedule has none")
    match table:
        case ToleranceTable():
            _check_curve(table, scenario)
        case ClaimTable():
            _check_claim(table, scenario)


def _check_curve(table: ToleranceTable, scenario: Scenario) -> None:
    objective = scenario.objective
    if not objective.exact:
        kind = objective.kind
        raise Mistake(f"objective.kind = {kind!r}: only of an exact objective is a curve no chance")
    if table.metric is not None and table.metric not in objective.metrics:
        hint = did_you_mean(table.metric, objective.metrics)
        raise Mistake(f"metric = {table.metric!r}: this objective does not measure it; {hint}")


def _check_claim(table: ClaimTable, scenario: Scenario) -> None:
    if table.of == table.over:
        raise Mistake(f"over = {table.over!r}: is the method itself; name another")
    if table.measure not in COUNTED:
        if scenario.stop.target is None:
            raise Mistake(f"stop.target: is missing; {table.measure} needs one: say it in set")
        if table.at_least == "predicted":
            reason = "theory tells times to a target only up to a factor; take time-to-steps"
            raise Mistake(f"at_least = 'predicted': {reason} or time-to-gradients")
    least = fewest_seeds(table.test, table.confidence)
    if len(scenario.seeds) < least:
        needs = f"test = {table.test!r} needs {least} or more at confidence {table.confidence:g}"
        raise Mistake(f"seeds: has {len(scenario.seeds)}; {needs}")
