"""How does the time to a target grow with n, with a straggler, with kappa, with eps?

A study runs a scenario at every value of one parameter.  For each method and seed it stores the
time to the target, and theory's prediction.  It is a campaign (``simulator/campaign/``): a study
that was killed continues, and does no run twice.

    results/complexity-NAME-PARAMETER/
      complexity.json         the command, versions, the scenario, the values and the confidence
      runs/KEY.json           a finished run
      complexity.parquet      a row per method, value and seed: see ``statistics/exponents.py``
      figures/
"""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json, to_jsonable_python

from simulator.campaign import campaign
from simulator.campaign.campaign import TOGETHER, Plan
from simulator.campaign.rows import Row, Rows, ending
from simulator.campaign.rows import claim as claim_rows
from simulator.campaign.runner import Jobs
from simulator.campaign.task import Task, tasks_of
from simulator.mistakes import Mistake
from simulator.results.writer import PACKAGES
from simulator.scenario import loading
from simulator.scenario.loading import Source
from simulator.scenario.scenario import Scenario, with_infinities
from simulator.statistics.samples import CONFIDENCE
from simulator.study.prediction import predicted
from simulator.study.varying import Vary
from simulator.system.files import replace
from simulator.tracking import UNTRACKED, Tracking
from simulator.training.record import Run

if TYPE_CHECKING:
    import pandas as pd


class Point(NamedTuple):
    """One run of a study, at one value of the parameter."""

    vary: Vary
    value: float
    task: Task


def conduct(
    source: Source,
    vary: Vary,
    *,
    settings: list[str] | None = None,
    methods: list[str] | None = None,
    seeds: list[int] | None = None,
    confidence: float = CONFIDENCE,
    out: Path | None = None,
    jobs: Jobs = None,
    quiet: bool = False,
    command: str = "",
    tracking: Tracking = UNTRACKED,
) -> "tuple[pd.DataFrame, Path]":
    """Run a whole study; returns its frame and its directory."""
    points = plan(source, vary, settings, methods, seeds)
    tracking.choose(points[0].task.scenario().tracking)
    directory = claim(out, loading.name_of(source), vary)
    tables, _ = loading.tables_of(source, settings or [])
    _write_manifest(tables, vary, confidence, directory, command)
    tracking.open(directory)
    return run(points, directory, jobs, quiet, tracking), directory


def _write_manifest(
    tables: dict[str, Any], vary: Vary, confidence: float, directory: Path, command: str
) -> None:
    manifest = {
        "command": command,
        "versions": {name: version(name) for name in PACKAGES},
        "vary": {vary.path: list(vary.values)},
        "confidence": confidence,
        "scenario": to_jsonable_python(loading.untracked(tables), inf_nan_mode="strings"),
    }
    text = json.dumps(manifest, indent=2) + "\n"
    replace(directory / "complexity.json", lambda path: path.write_text(text))


def manifest_in(directory: Path) -> dict[str, Any]:
    """The command, the versions, the scenario, and the confidence of a study's intervals."""
    file = directory / "complexity.json"
    try:
        manifest: dict[str, Any] = from_json(file.read_bytes())
        scenario = with_infinities(manifest["scenario"])
        return {"confidence": CONFIDENCE, **manifest, "scenario": scenario}
    except (OSError, ValueError, KeyError, TypeError):
        remedy = "repeat the command of the study, which does no run twice"
        raise Mistake(f"{file}: cannot be read; {remedy}") from None


def plan(
    source: Source,
    vary: Vary,
    settings: list[str] | None = None,
    methods: list[str] | None = None,
    seeds: list[int] | None = None,
) -> list[Point]:
    """All runs of a study; checks every value before the first run."""
    tables, folder = loading.tables_of(source, settings or [])
    points: list[Point] = []
    for value in vary.values:
        varied = vary.tables(tables, value)
        try:
            scenario = loading.check(varied, folder).restrict(methods, seeds)
        except Mistake as mistake:
            _check_unvaried(tables, folder, mistake)
            # A value may be wrong for every method: the first line suffices.
            line = mistake.args[0]
            place = "" if line.startswith(f"{vary.path} = ") else f"at {vary.path} = {value:g}: "
            raise Mistake(place + line) from None
        _check(scenario, vary)
        points += (Point(vary, value, t) for t in tasks_of(varied, folder, scenario))
    runs = [{point.task.key for point in points if point.value == value} for value in vary.values]
    if len(runs) > 1 and all(each == runs[0] for each in runs):
        labels = ", ".join(dict.fromkeys(point.task.method for point in points))
        raise Mistake(f"--vary {vary.path}: changes nothing about {labels}")
    return points


def _check_unvaried(tables: dict[str, Any], folder: Path, mistake: Mistake) -> None:
    """Raise all mistakes of the scenario itself, if one of them is not due to the value."""
    try:
        loading.check(tables, folder)
    except Mistake as own:
        if set(own.args) & set(mistake.args):
            raise own from None


def _check(scenario: Scenario, vary: Vary) -> None:
    """Refuse a study without a target, and one of eps with another metric."""
    if scenario.stop.target is None:
        raise Mistake("stop.target: is missing; a study measures the time to it, such as 0.1")
    if vary.path != "eps" or scenario.metric == "gradient_norm":
        return
    if "gradient_norm" in scenario.objective.metrics:
        remedy = "add --set evaluation.metric=gradient_norm"
    else:
        remedy = "which this objective does not know; vary stop.target"
    other = f"but evaluation.metric = {scenario.metric!r}"
    raise Mistake(f"--vary eps: is of the gradient's norm, {other}; {remedy}")


def claim(out: Path | None, name: str, vary: Vary) -> Path:
    """The directory of a study: a new one, or that of earlier studies, whose runs it finds."""
    parameter = re.sub(r"[^A-Za-z0-9.]+", "-", vary.path).strip("-")
    directory = out or Path("results") / f"complexity-{name}-{parameter}"
    return claim_rows(directory, lambda there: not (there / "sweep.json").exists())


def run(
    points: list[Point], directory: Path, jobs: Jobs, quiet: bool, tracking: Tracking
) -> "pd.DataFrame":
    """Do the missing runs; write and return the frame of all."""
    import pandas as pd

    at = {point.task.key: point for point in points}
    store = Rows(directory, {*COLUMNS} - {"parameter", "value"})
    plan = Plan(
        row_of,
        lambda task, row: _outcome(at[task.key], row),
        checkpoints=directory / "checkpoints",
        together=TOGETHER,
        tracking=tracking,
        apart=lambda task: f"{at[task.key].vary.path} = {at[task.key].value}",
    )
    campaign.conduct([point.task for point in points], plan, store, jobs=jobs, quiet=quiet)
    rows = [
        store.found[point.task.key] | {"parameter": point.vary.name, "value": point.value}
        for point in points
    ]
    frame = pd.DataFrame(rows)[COLUMNS]
    replace(directory / "complexity.parquet", frame.to_parquet)
    return frame


COLUMNS = [
    "method",
    "parameter",
    "value",
    "seed",
    "target",
    "seconds",
    "reached",
    "steps",
    "gradients",
    "predicted",
    "end",
    "message",
    "real_seconds",
]


def row_of(scenario: Scenario, run: Run) -> Row:
    """The stored data of a run."""
    own = {"method": run.method, "seed": run.seed, "target": scenario.stop.target}
    return own | ending(run) | {"predicted": predicted(scenario, run.method)}


def _outcome(point: Point, row: Row) -> str:
    reached = f"{row['seconds']:,.4g} s" if row["reached"] else "target not reached"
    at = f"{point.vary.name} = {point.value:g}"
    return f"{row['method']}, {at}, seed {row['seed']}: {reached} ({row['real_seconds']:.1f} s)"
