"""Are the files unaltered, complete, and about the same runs?"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from simulator.cluster import Vector
from simulator.mistakes import Mistake
from simulator.results.columns import Columns, length
from simulator.results.directory import events_of, files_of
from simulator.results.results import Results
from simulator.results.seal import digest, seal
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.verification.evidence import COUNTS, SECONDS, numbers_of
from simulator.verification.report import STEPS, TICKETS, WORKERS, Findings

MANIFEST = "manifest.json"
ENDS = ("target", "stop", "stalled", "failed", "interrupted")
INTEGERS = {
    STEPS: ("seed", "step", "tickets", "gradients", "max_delay"),
    WORKERS: ("seed", "worker", *COUNTS),
}
NUMBERS = {
    STEPS: ("time", "mean_delay", "arrival_delay", "training_seconds"),
    WORKERS: (*SECONDS, "seconds"),
}


def seals(directory: Path, manifest: dict[str, Any], found: Findings) -> None:
    """Every file has the digest that the manifest names, and the manifest its own."""
    named = manifest.get("files")
    if not isinstance(named, dict) or "seal" not in manifest:
        found.demand("seal", MANIFEST, False, "not sealed: names no digests of its files")
        return
    message = "was altered: its seal does not match its content"
    found.demand("seal", MANIFEST, seal(manifest) == manifest["seal"], message)
    for name, wanted in named.items():
        file = directory / name
        inside = not Path(name).is_absolute() and ".." not in Path(name).parts
        if not found.demand("seal", MANIFEST, inside, f"files names {name!r}"):
            continue
        if found.demand("seal", name, file.is_file(), "is missing"):
            found.demand("seal", name, digest(file) == wanted, "was altered since it was written")
    parts = [*directory.glob("*/*.parquet"), *directory.glob("parameters/*.npz")]
    tables = [path for path in (directory / STEPS, directory / WORKERS) if path.is_file()]
    for path in sorted([*tables, *parts]):
        name = str(path.relative_to(directory))
        found.demand("seal", name, name in named, "is not one of the sealed files")


def check_scenario(results: Results, found: Findings) -> Scenario | None:
    """The scenario of the manifest, if it can be read; what derives from it must be right."""
    manifest = results.manifest
    try:
        scenario = results.scenario
        scenario.check()
        hashed = scenario.fingerprint()
        vector = vector_of(scenario)
    except (ValidationError, Mistake, KeyError, TypeError, ValueError, OSError) as error:
        message = f"scenario cannot be read: {str(error).splitlines()[0]}"
        found.demand("scenario", MANIFEST, False, message)
        return None
    message = f"scenario_hash = {manifest.get('scenario_hash')}, that of the scenario is {hashed}"
    found.demand("scenario", MANIFEST, manifest.get("scenario_hash") == hashed, message)
    good = manifest.get("vector") == vector._asdict()
    found.demand("scenario", MANIFEST, good, f"vector = {manifest.get('vector')}, must be {vector}")
    settings = manifest.get("settings")
    settings = settings if isinstance(settings, dict) else {}
    for label in scenario.methods:
        own, wanted = settings.get(label), to_jsonable_python(settings_of(scenario, label))
        message = f"settings.{label} = {own}, by the scenario {wanted}"
        found.demand("scenario", MANIFEST, own == wanted, message)
    return scenario


def vector_of(scenario: Scenario) -> Vector:
    return Vector(*scenario.objective.size(scenario.cluster.workers))


def check_runs(results: Results, scenario: Scenario, found: Findings) -> bool:
    """The manifest has a row per run, in order, and a status that goes with their ends."""
    rows, status = results.manifest["runs"], results.manifest.get("status")
    wanted = [(label, seed) for seed in scenario.seeds for label in scenario.methods]
    own = [(row.get("method"), row.get("seed")) for row in rows]
    whole = status in ("complete", "failed")
    good = own == (wanted if whole else [run for run in wanted if run in own])
    message = f"runs are {len(own)} of {len(wanted)}, or in another order: {own}"
    found.demand("runs", MANIFEST, good, message if len(own) < 9 else message.partition(":")[0])
    known = found.demand(
        "runs",
        MANIFEST,
        [not _wrong(row) for row in rows],
        lambda at: f"{', '.join(_wrong(rows[at]))}: missing, or not what it can be",
        lambda at: f"runs[{at}]",
    )
    ends = {row.get("end") for row in rows}
    right = "failed" if ends & {"stalled", "failed"} else "complete"
    right = "interrupted" if "interrupted" in ends else right
    if status == "running":
        message = "status = 'running': it was cut short, or goes on still"
        found.demand("runs", MANIFEST, False, message)
    else:
        # An interruption may also come between two runs.
        good = status in (right, "interrupted")
        found.demand("runs", MANIFEST, good, f"status = {status!r}, by its runs {right!r}")
    return known and good


def _wrong(row: Any) -> list[str]:
    """The keys of a run's row that are missing or impossible."""
    if not isinstance(row, dict):
        return ["the row"]
    return [
        name
        for name, fits in ROW.items()
        if name not in row or not ((name in MAY_BE_NULL and row[name] is None) or fits(row[name]))
    ]


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _are_seconds(value: Any) -> bool:
    return _is_number(value) and 0 <= value < np.inf


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


SHARES = tuple(f"{name}_share" for name in SECONDS)
MAY_BE_NULL = ("seconds_to_target", "failed_step", "failed_ticket", *SHARES)
ROW: dict[str, Callable[[Any], bool]] = {
    "end": lambda value: value in ENDS,
    "message": _is_text,
    "simulated_seconds": _are_seconds,
    "real_seconds": _are_seconds,
    "seconds_to_target": _is_number,
    "failed_step": lambda value: _is_count(value) and value > 0,
    "failed_ticket": _is_text,
    **dict.fromkeys((*COUNTS, "steps", "evaluated", "seed"), _is_count),
    **dict.fromkeys(SHARES, _is_number),
}
"""The keys of a run's row, with a check of each value."""


def check_tables(results: Results, scenario: Scenario, found: Findings) -> bool:
    """Steps and workers have all columns, no holes, and each run's rows from 0 on, in order."""
    tables = {STEPS: results.step_columns, WORKERS: results.worker_columns}
    good = [_check_table(results, scenario, found, *item) for item in tables.items()]
    return all(good)


def _check_table(
    results: Results, scenario: Scenario, found: Findings, file: str, columns: Columns
) -> bool:
    rows = results.manifest["runs"]
    if not rows and not length(columns):
        return True
    learnt = [] if results.schedule_only or file != STEPS else list(scenario.objective.metrics)
    whole = INTEGERS[file] + (("environment_steps",) if learnt else ())
    needed = ["method", *whole, *NUMBERS[file], *learnt]
    for name in needed:
        if not found.demand("columns", file, name in columns, f"has no column {name}"):
            return False
    for name in whole:
        good = columns[name].dtype == np.int64
        if not found.demand("columns", file, good, f"{name} does not hold whole numbers"):
            return False
    for name in NUMBERS[file]:
        good = columns[name].dtype == np.float64 and bool(np.isfinite(columns[name]).all())
        if not found.demand("columns", file, good, f"{name} holds what is no finite number"):
            return False
    return _check_rows(rows, scenario.cluster.workers, found, file, columns)


def _check_rows(
    runs: list[dict[str, Any]], workers: int, found: Findings, file: str, columns: Columns
) -> bool:
    """Each row has the run and the number of its place."""
    counts = [workers if file == WORKERS else run["steps"] + 1 for run in runs]
    rows = length(columns)
    message = f"has {rows} rows, by the manifest it must have {sum(counts)}"
    if not found.demand("rows", file, sum(counts) == rows, message):
        return False
    number = "worker" if file == WORKERS else "step"
    labels = np.repeat([run["method"] for run in runs], counts)
    seeds = np.repeat([run["seed"] for run in runs], counts)
    counted = np.concatenate([np.arange(count) for count in counts])
    right = (
        (columns["method"] == labels.astype(object))
        & (columns["seed"] == seeds)
        & (columns[number] == counted)
    )
    return found.demand(
        "rows",
        file,
        right,
        lambda at: (
            f"is {number} {columns[number][at]} of {columns['method'][at]}, seed "
            f"{columns['seed'][at]}; must be {counted[at]} of {labels[at]}, seed {seeds[at]}"
        ),
        "row {}".format,
    )


def check_parts(results: Results, found: Findings) -> None:
    """Each run has a file of tickets and a final point, and each such file a run."""
    names = [(run["method"], run["seed"]) for run in results.manifest["runs"]]
    folder = results.directory / TICKETS
    recorded = results.manifest.get("tickets")
    good = isinstance(recorded, bool) and (recorded or not any(folder.glob("*.parquet")))
    message = f"tickets = {recorded}, which does not agree with {TICKETS}"
    complete = not recorded or folder.is_dir() or not names
    found.demand("parts", MANIFEST, good and complete, message)
    if folder.is_dir():
        parts = {path.stem for path in folder.glob("*.parquet")}
        wanted = {f"{method}-{seed}" for method, seed in names}
        for name in sorted(parts - wanted):
            found.demand("parts", f"{TICKETS}/{name}.parquet", False, "belongs to no run")
        late = results.manifest.get("status") == "interrupted"
        for name in sorted(wanted - parts):
            found.demand("parts", f"{TICKETS}/{name}.parquet", late, "is missing")
    for method, seed in names if results.real else ():
        file = events_of(method, seed)
        found.demand("parts", file, (results.directory / file).is_file(), "is missing")
    points = {path.name for path in (results.directory / "parameters").glob("*.npz")}
    known = {Path(files_of(*name)[0]).name for name in names if not results.schedule_only}
    for name in sorted(points - known):
        found.demand("parts", f"parameters/{name}", False, "belongs to no run")


def check_tickets(rows: Columns, workers: int, steps: int, charged: bool, found: Findings) -> bool:
    """Whether the tickets of one run can be read: types of columns and ranges of numbers."""
    for name in ("worker", "version", "index", "start", "finish"):
        kind = np.float64 if name in ("start", "finish") else np.int64
        good = rows[name].dtype == kind
        if not found.demand("columns", TICKETS, good, f"{name} is of another type"):
            return False
    lengths, used = rows["environment_steps"], rows["outcome"] == "used"
    step, begin, end = rows["used_in_step"], rows["start"], rows["finish"]
    ranges = {
        "worker": (rows["worker"] >= 0) & (rows["worker"] < workers),
        "version": (rows["version"] >= 0) & (rows["version"] <= steps),
        "index": rows["index"] >= 0,
        "start": np.isfinite(begin) & (begin >= 0),
        "finish": np.isfinite(end) & (end >= begin),
        "outcome": numbers_of(rows["outcome"]) >= 0,
        "used_in_step": np.where(
            used, _whole(step) & (step >= 1) & (step <= steps), np.isnan(step)
        ),
        "weight": np.where(used, np.isfinite(rows["weight"]), np.isnan(rows["weight"])),
        "environment_steps": _whole(lengths) & (lengths >= 1) if charged else np.isnan(lengths),
    }
    possible = [_check_range(found, rows, name, good) for name, good in ranges.items()]
    order = step[used]
    in_order = np.concatenate([[True], np.diff(order) >= 0])[: len(order)]
    message = "rows of used gradients are not in their order"
    found.demand("tickets", TICKETS, in_order, message, place="")
    return all(possible)


def _whole(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which are whole numbers; a column with gaps is read as floats."""
    return np.asarray(np.mod(values, 1) == 0)


def _check_range(found: Findings, rows: Columns, name: str, good: ArrayLike) -> bool:
    return found.demand("tickets", TICKETS, good, lambda at: f"{name} = {rows[name][at]} cannot be")
