"""Which settings are best for each method?  Every one is run, and kept.

A sweep is a campaign (``simulator/campaign/``): one that was killed goes on where it was,
and another score, more values or more seeds cost only what is new.

    results/sweep-NAME/
      sweep.json              the command, versions, the resolved sweep and its hash
      runs/KEY.json           a finished run, with its learning curve
      sweep.parquet           a row per method, setting and seed
      curves.parquet          a row per run and evaluation
      best.toml               the scenario with the best setting of every method
      figures/
"""

import hashlib
import json
import math
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json, to_jsonable_python

from simulator.campaign import campaign
from simulator.campaign.campaign import TOGETHER, Plan
from simulator.campaign.rows import Row, Rows, claim
from simulator.campaign.task import Task, key_of, tasks_of
from simulator.mistakes import Mistake, did_you_mean
from simulator.results.writer import PACKAGES
from simulator.scenario.scenario import Scenario
from simulator.scenario.toml_text import inline
from simulator.sweeps.keys import column
from simulator.sweeps.settings import Setting, many, settings, told_of
from simulator.sweeps.sweep_file import ScoreTable, Source, Sweep, read
from simulator.system.files import replace
from simulator.training.record import Run

if TYPE_CHECKING:
    import pandas as pd

MOST = 500
"""Runs, without being asked twice."""


class Trial(NamedTuple):
    """One run of a sweep: a setting on a seed."""

    setting: Setting
    number: int
    """Of the setting, in the order of the sweep."""
    task: Task


class Swept(NamedTuple):
    """A sweep that is done."""

    sweep: Sweep
    trials: list[Trial]
    frame: "pd.DataFrame"
    directory: Path


def conduct(
    source: Source,
    *,
    methods: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    out: Path | None = None,
    jobs: int | None = None,
    yes: bool = False,
    quiet: bool = False,
    command: str = "",
) -> Swept:
    """A whole sweep, as many jobs at a time as there are cores unless said."""
    from simulator.sweeps import best

    sweep = read(source, seeds)
    trials = plan(sweep, methods, yes)
    place = out or Path("results") / f"sweep-{sweep.name}"
    directory = claim(place, lambda there: (there / "sweep.json").exists())
    _keep_whole(trials, directory)
    _write_manifest(sweep, trials, directory, command)
    told = {trial.task.key: _told(trial) for trial in trials}
    store = Rows(directory, NEEDED)
    how = Plan(
        row_of,
        lambda task, row: _outcome(told[task.key], row),
        checkpoints=directory / "checkpoints",
        together=TOGETHER,
    )
    campaign.conduct([trial.task for trial in trials], how, store, jobs=jobs, quiet=quiet)
    rows = store.found
    frame = _frame(sweep, trials, rows)
    replace(directory / "sweep.parquet", frame.to_parquet)
    replace(directory / "curves.parquet", _curves(trials, rows, frame).to_parquet)
    best.write(sweep, [trial.setting for trial in trials], frame, directory)
    return Swept(sweep, trials, frame, directory)


def plan(sweep: Sweep, methods: Sequence[str] | None = None, yes: bool = False) -> list[Trial]:
    """All runs of a sweep; every one is checked before the first begins."""
    for label in methods or ():
        if label not in sweep.methods:
            hint = did_you_mean(label, sweep.methods)
            raise Mistake(f"--methods {label}: not in this scenario; {hint}")
    chosen = list(dict.fromkeys(methods or sweep.methods))
    seeds = sweep.tables.get("seeds", Scenario.model_fields["seeds"].default)
    runs = many(sweep, chosen) * (len(seeds) if isinstance(seeds, list) else 1)
    if runs > MOST and not yes:
        raise Mistake(f"{runs:,} runs are more than {MOST}; --yes if they are meant")
    return [
        Trial(setting, number, task)
        for number, setting in enumerate(settings(sweep, chosen))
        for task in tasks_of(setting.tables, sweep.folder, setting.scenario)
    ]


def _keep_whole(trials: list[Trial], directory: Path) -> None:
    """A sweep in its directory may grow; refuse what would replace it by another, or by less."""
    if not (file := directory / "sweep.json").exists():
        return
    try:
        there = from_json(file.read_bytes())
        versions, runs = [*there["versions"].values()], {*there["runs"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Mistake(f"{file}: cannot be read; name another directory by --out") from None
    # By the packages of then: an upgrade makes new runs, but no other sweep.
    asked = {
        key_of(setting.scenario, task.method, task.seed, versions) for setting, _, task in trials
    }
    if lost := len(runs - asked):
        what = f"{lost} of its {len(runs)} runs are not in this one"
        raise Mistake(
            f"--out {directory}: holds another sweep, or more of it: {what}; name another directory"
        )


def _write_manifest(sweep: Sweep, trials: list[Trial], directory: Path, command: str) -> None:
    """What is asked; the hash is of the sweep and of the contents of its runs."""
    resolved = {
        "sweep": sweep.table.model_dump(exclude_none=True),
        "scenario": sweep.tables,
        "runs": [trial.task.key for trial in trials],
    }
    plain = to_jsonable_python(resolved, inf_nan_mode="strings")
    text = json.dumps(plain, sort_keys=True)
    manifest = {
        "command": command,
        "versions": {name: version(name) for name in PACKAGES},
        "hash": hashlib.sha256(text.encode()).hexdigest()[:16],
        **plain,
    }
    told = json.dumps(manifest, indent=2) + "\n"
    replace(directory / "sweep.json", lambda path: path.write_text(told))


# What is kept of a run


def row_of(scenario: Scenario, run: Run) -> Row:
    """Its outcome, and its learning curve: what was measured, and when."""
    curve = _curve(run)
    final = curve[scenario.metric]
    return {
        "method": run.method,
        "seed": run.seed,
        "metric": scenario.metric,
        "better": "higher" if scenario.higher_is_better else "lower",
        "final": final[-1] if final else math.nan,
        "seconds": math.nan if run.reached is None else run.reached,
        "reached": run.reached is not None,
        "steps": run.steps,
        "gradients": run.gradients,
        "end": run.end,
        "message": run.message,
        "real_seconds": round(run.real_seconds, 3),
        "curve": curve,
    }


NEEDED = ("final", "end", "curve")
"""Without these a file is none of ours."""


def _curve(run: Run) -> dict[str, list[Any]]:
    times = [0.0, *run.times]
    seen = [at for at, value in enumerate(run.looks[run.metrics[0]]) if not math.isnan(value)]
    measured = {name: [values[at] for at in seen] for name, values in run.looks.items()}
    return {"time": [times[at] for at in seen], "server_step": seen, **measured}


# Frames


def _frame(sweep: Sweep, trials: list[Trial], rows: dict[str, Row]) -> "pd.DataFrame":
    import pandas as pd

    from simulator.sweeps.score import score_of

    score, cases = sweep.table.score, _numbered(trial.setting.case for trial in trials)
    keys = list(dict.fromkeys(column(path) for path in sweep.keys))
    found = []
    for trial in trials:
        setting, row = trial.setting, rows[trial.task.key]
        seconds = _until(score, setting.scenario)
        found.append(
            {
                "method": row["method"],
                "seed": row["seed"],
                "case": cases[setting.case],
                "setting": trial.number,
                **{name: setting.values.get(name) for name in keys},
                "score": score_of(row, score.kind, seconds),
                "score_kind": score.kind,
                **{name: value for name, value in row.items() if name != "curve"},
                "key": trial.task.key,
            }
        )
    frame = pd.DataFrame(found)
    return frame.assign(**{name: _readable(frame[name].tolist()) for name in keys})


def _until(score: ScoreTable, scenario: Scenario) -> float | None:
    """At which second is looked; a plain value is that of the end."""
    return score.seconds or (scenario.stop.seconds if score.kind == "average" else None)


def _numbered(words: Any) -> dict[str, int]:
    return {word: number for number, word in enumerate(dict.fromkeys(words))}


def _readable(values: list[Any]) -> list[Any]:
    """A column of one type: what is neither all numbers nor all text is written as in the file."""
    there = [value for value in values if not _is_absent(value)]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return [math.nan if _is_absent(value) else value for value in values]
    return [
        None if _is_absent(value) else value if isinstance(value, str) else inline(value)
        for value in values
    ]


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _curves(trials: list[Trial], rows: dict[str, Row], frame: "pd.DataFrame") -> "pd.DataFrame":
    """Every evaluation of every run, with what identifies the run."""
    import pandas as pd

    from simulator.sweeps.score import keys_of

    identity = frame[["method", "seed", "case", "setting", *keys_of(frame)]]
    each = [
        pd.DataFrame(rows[trial.task.key]["curve"]).assign(row=at)
        for at, trial in enumerate(trials)
    ]
    return identity.merge(pd.concat(each), left_index=True, right_on="row").drop(columns="row")


# Progress


def _told(trial: Trial) -> str:
    return ", ".join(word for word in (trial.setting.method, told_of(trial.setting.values)) if word)


def _outcome(told: str, row: Row) -> str:
    """What became of a run of a setting, in words."""
    final = row["end"] if row["end"] in ("failed", "stalled") else f"{row['final']:.4g}"
    what = f"{row['metric']} {final}" if final != row["end"] else final
    return f"{told}, seed {row['seed']}: {what} ({row['real_seconds']:.1f} s)"
