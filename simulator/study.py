"""How does the time to a target grow with n, with a straggler, with kappa, with eps?

A study runs a scenario at every value of one parameter and keeps, for each method and seed, when
the target was reached, and what theory predicts.  Several runs go side by side.  Every finished run
is a file at once: a study that was killed goes on where it was, and runs nothing twice.

    results/complexity-NAME-PARAMETER/
      study.json              what is varied, and the hash of the whole
      runs/KEY.json           a finished run
      complexity.parquet      a row per method, value and seed (``simulator/exponents.py``)
      figures/
"""

import hashlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator import loading
from simulator.mistakes import Mistake
from simulator.prediction import predicted
from simulator.record import Run
from simulator.results import PACKAGES, replace
from simulator.scenario import Scenario
from simulator.side_by_side import cores, side_by_side
from simulator.varying import Vary

if TYPE_CHECKING:
    import pandas as pd

    from simulator.experiment import Laboratory

Row = dict[str, Any]
"""What is varied unless one says otherwise."""


class Point(NamedTuple):
    """One run of a study: the scenario's tables at one value, a method and a seed."""

    parameter: str
    value: float
    tables: dict[str, Any]
    folder: Path
    method: str
    seed: int

    def scenario(self) -> Scenario:
        return loading.check(self.tables, self.folder).restrict([self.method], [self.seed])

    def key(self) -> str:
        """The same for the same run, in whatever study it is; another with other packages."""
        whole = [self.scenario().fingerprint(), *(version(name) for name in PACKAGES)]
        return f"{self.method}-{self.seed}-{hashlib.sha256(str(whole).encode()).hexdigest()[:16]}"


def conduct(
    source: str,
    vary: Vary,
    *,
    settings: list[str] | None = None,
    methods: list[str] | None = None,
    seeds: list[int] | None = None,
    out: Path | None = None,
    jobs: int | None = None,
    quiet: bool = False,
) -> "tuple[pd.DataFrame, Path]":
    """A whole study, as many runs at a time as there are cores unless said; its frame and place."""
    points = plan(source, vary, settings, methods, seeds)
    directory = claim(out, Path(source).stem, vary)
    with progress(points, quiet) as told:
        return run(points, directory, jobs or cores(), told), directory


def plan(
    source: str,
    vary: Vary,
    settings: list[str] | None = None,
    methods: list[str] | None = None,
    seeds: list[int] | None = None,
) -> list[Point]:
    """All runs of a study; every value is checked before the first of them begins."""
    tables, folder = loading.tables_of(source, settings or [])
    points: list[Point] = []
    for value in vary.values:
        varied = vary.tables(tables, value)
        try:
            found = loading.check(varied, folder).restrict(methods, seeds)
        except Mistake as mistake:
            told = str(mistake)
            where = "" if told.startswith(f"{vary.path} = ") else f"at {vary.path} = {value:g}: "
            raise Mistake(where + told) from None
        _check(found, vary)
        for method in found.methods:
            points += (Point(vary.name, value, varied, folder, method, s) for s in found.seeds)
    runs = [{point.key() for point in points if point.value == value} for value in vary.values]
    if len(runs) > 1 and all(each == runs[0] for each in runs):
        labels = ", ".join(dict.fromkeys(point.method for point in points))
        raise Mistake(f"--vary {vary.path}: changes nothing about {labels}")
    return points


def _check(scenario: Scenario, vary: Vary) -> None:
    """Refuse a study without a target, and one of eps whose target is none."""
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
    """Where a study goes; to a directory of studies it may go again, and finds what was run."""
    parameter = re.sub(r"[^A-Za-z0-9.]+", "-", vary.path).strip("-")
    directory = out or Path("results") / f"complexity-{name}-{parameter}"
    known = (directory / "runs").is_dir()
    if not known and directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Mistake(f"--out {directory}: holds something else; name another directory")
    try:
        (directory / "runs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(f"--out {directory}: cannot be written: {error.strerror}") from None
    return directory


def run(
    points: list[Point],
    directory: Path,
    jobs: int,
    progress: Callable[[Row, int], None] = lambda row, left: None,
) -> "pd.DataFrame":
    """Run what has not been run, ``jobs`` at a time; the frame of all, which is written, too."""
    import pandas as pd

    files = [directory / "runs" / f"{point.key()}.json" for point in points]
    found: dict[Path, Row] = {file: row for file in files if (row := _read(file)) is not None}
    left = {file: point for file, point in zip(files, points, strict=True) if file not in found}
    for file, row in side_by_side(measure, left, jobs):
        found[file] = row
        at = f"{left[file].parameter} = {left[file].value:g}"
        progress(row | {"at": at}, sum(file not in found for file in files))
    # What is varied, and the name of it, is the study's and not the run's.
    own = [{"parameter": point.parameter, "value": point.value} for point in points]
    frame = pd.DataFrame([found[file] | mine for file, mine in zip(files, own, strict=True)])
    replace(directory / "complexity.parquet", frame[COLUMNS].to_parquet)
    return frame[COLUMNS]


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


def _read(file: Path) -> Row | None:
    """A finished run; None if there is none, or its file is broken."""
    try:
        row = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(row, dict) or not row.keys() >= {*COLUMNS} - {"parameter", "value"}:
        return None
    return {name: math.nan if value is None else value for name, value in row.items()}


def measure(file: Path, point: Point) -> Row:
    """One run, and its file."""
    scenario, laboratory = _laboratory(json.dumps(point.tables, default=str), point)
    run = laboratory.run(point.method, point.seed)
    if run.end == "interrupted":
        raise KeyboardInterrupt
    row = _row(point, scenario, run)
    text = json.dumps({name: None if _unknown(value) else value for name, value in row.items()})
    replace(file, lambda path: path.write_text(text + "\n"))
    return row


def _unknown(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


_kept: dict[str, "tuple[Scenario, Laboratory]"] = {}


def _laboratory(tables: str, point: Point) -> "tuple[Scenario, Laboratory]":
    """What all seeds of a method at one value share; the last one used is kept."""
    from simulator.executor import BatchedExecutor
    from simulator.experiment import Laboratory
    from simulator.numbers import prepare

    key = f"{point.method} {tables}"
    if key not in _kept:
        prepare()
        scenario = loading.check(point.tables, point.folder).restrict([point.method], None)
        objective = scenario.build_objective()
        _kept.clear()
        _kept[key] = scenario, Laboratory(scenario, objective, BatchedExecutor)
    return _kept[key]


def _row(point: Point, scenario: Scenario, run: Run) -> Row:
    reached = run.reached is not None
    return {
        "method": point.method,
        "seed": point.seed,
        "target": scenario.stop.target,
        "seconds": run.reached if reached else math.nan,
        "reached": reached,
        "steps": run.steps,
        "gradients": run.gradients,
        "predicted": predicted(scenario, point.method),
        "end": run.end,
        "message": run.message,
        "real_seconds": round(run.real_seconds, 3),
    }


@contextmanager
def progress(points: list[Point], quiet: bool) -> Iterator[Callable[[Row, int], None]]:
    """A bar with an estimate of the end on a terminal, a line per run elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    if quiet:
        yield lambda row, left: None
        return
    console, many = Console(file=sys.stderr, force_jupyter=False), len(points)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(f"0 of {many} runs", total=many)

        def told(row: Row, left: int) -> None:
            bar.update(task, completed=many - left, description=f"{many - left} of {many} runs")
            if not console.is_terminal:
                console.print(f"[{many - left}/{many}] {_told(row)}", markup=False, soft_wrap=True)

        yield told


def _told(row: Row) -> str:
    reached = f"{row['seconds']:,.4g} s" if row["reached"] else "target not reached"
    return (
        f"{row['method']}, {row['at']}, seed {row['seed']}: {reached} ({row['real_seconds']:.1f} s)"
    )
