"""Which settings are best for each method?  A sweep runs and stores all of them.

A sweep is a campaign (``simulator/campaign/``): after a kill it continues, and another score, more
values or more seeds cost only the new runs.

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
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json, to_jsonable_python

from simulator.campaign import campaign
from simulator.campaign.campaign import TOGETHER, Plan
from simulator.campaign.rows import Row, Rows, claim, ending
from simulator.campaign.runner import Jobs
from simulator.campaign.task import key_of
from simulator.mistakes import Mistake
from simulator.results.writer import PACKAGES
from simulator.scenario import loading
from simulator.scenario.scenario import Scenario, with_infinities
from simulator.sweeps.halving import WHOLE, rounds_of
from simulator.sweeps.settings import describe
from simulator.sweeps.sweep_file import Source, Sweep, read
from simulator.sweeps.trials import Trial, settings_of, trials_of
from simulator.system.files import replace
from simulator.tracking import UNTRACKED, Tracking
from simulator.training.record import BROKEN, Run

if TYPE_CHECKING:
    import pandas as pd


class Swept(NamedTuple):
    sweep: Sweep
    trials: list[Trial]
    """Its runs; none if it was loaded."""
    frame: "pd.DataFrame"
    directory: Path


def conduct(
    source: Source | Sweep,
    *,
    methods: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    out: Path | None = None,
    jobs: Jobs = None,
    yes: bool = False,
    quiet: bool = False,
    command: str = "",
    tracking: Tracking = UNTRACKED,
) -> Swept:
    """Run a whole sweep."""
    from simulator.sweeps import best, frames, score

    sweep = source if isinstance(source, Sweep) else read(source, seeds)
    left = every = settings_of(sweep, methods, yes)
    whole = list(trials_of(sweep, every, WHOLE))  # refuses runs that are too large
    rounds = [*rounds_of(sweep.table.halving)]
    trials = whole if rounds == [WHOLE] else list(trials_of(sweep, every, rounds[0]))
    tracking.choose(trials[0].setting.scenario.tracking)
    place = out or Path("results") / f"sweep-{sweep.name}"
    directory = claim(place, lambda existing: (existing / "sweep.json").exists())
    _check_contains(trials, directory)
    _write_manifest(sweep, trials, directory, command)
    store = Rows(directory, NEEDED)
    tracking.open(directory)
    _play(trials, store, directory, jobs, quiet, tracking)
    frame = frames.frame_of(sweep, trials, store.found)
    for before, each in pairwise(rounds):
        survivors = score.survivors(frame[frame["round"] == before.number], before)
        left = {number: setting for number, setting in left.items() if number in survivors}
        played = list(trials_of(sweep, left, each))
        _play(played, store, directory, jobs, quiet, tracking)
        trials += played
        frame = frames.frame_of(sweep, trials, store.found)
    replace(directory / "sweep.parquet", frame.to_parquet)
    replace(directory / "curves.parquet", frames.curves_of(trials, store.found, frame).to_parquet)
    best.write(sweep, every, frame, directory)
    return Swept(sweep, trials, frame, directory)


def load(directory: Path) -> Swept:
    """A sweep that is done, from its directory."""
    import pandas as pd

    manifest = manifest_in(directory)
    if not (directory / "sweep.parquet").exists():
        raise Mistake(f"{directory}: the sweep is not done; repeat its command, which goes on")
    sweep = read({**manifest["sweep"], "scenario": manifest["scenario"]})
    return Swept(sweep, [], pd.read_parquet(directory / "sweep.parquet"), directory)


def manifest_in(directory: Path) -> dict[str, Any]:
    """The command, the versions, and the tables of a sweep."""
    file = directory / "sweep.json"
    try:
        manifest: dict[str, Any] = from_json(file.read_bytes())
        sweep, scenario = (with_infinities(manifest[name]) for name in ("sweep", "scenario"))
        return {**manifest, "sweep": sweep, "scenario": scenario}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Mistake(f"{file}: cannot be read: {error}") from None


def _play(
    trials: Sequence[Trial],
    store: Rows,
    directory: Path,
    jobs: Jobs,
    quiet: bool,
    tracking: Tracking,
) -> None:
    settings = {trial.task.key: _setting(trial) for trial in trials}
    plan = Plan(
        row_of,
        lambda task, row: _outcome(settings[task.key], row),
        checkpoints=directory / "checkpoints",
        together=TOGETHER,
        tracking=tracking,
        apart=lambda task: settings[task.key],
    )
    campaign.conduct([trial.task for trial in trials], plan, store, jobs=jobs, quiet=quiet)


def _check_contains(trials: list[Trial], directory: Path) -> None:
    """Refuse a directory with runs that this sweep lacks: a sweep may only grow."""
    if not (file := directory / "sweep.json").exists():
        return
    try:
        before = from_json(file.read_bytes())
        versions, runs = [*before["versions"].values()], {*before["runs"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Mistake(f"{file}: cannot be read; name another directory by --out") from None
    # With the old versions of packages: an upgrade makes new runs, but no other sweep.
    keys = {key_of(task.scenario(), task.method, task.seed, versions) for *_, task in trials}
    if lost := len(runs - keys):
        reason = f"{lost} of its {len(runs)} runs are not in this one"
        raise Mistake(
            f"--out {directory}: holds another sweep, or more of it: {reason}; "
            "name another directory"
        )


def _write_manifest(sweep: Sweep, trials: list[Trial], directory: Path, command: str) -> None:
    """Write ``sweep.json``; its hash is of the sweep and of its runs' contents."""
    resolved = {
        "sweep": sweep.table.model_dump(exclude_none=True, exclude={"scenario": {"tracking"}}),
        "scenario": loading.untracked(sweep.tables),
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
    content = json.dumps(manifest, indent=2) + "\n"
    replace(directory / "sweep.json", lambda path: path.write_text(content))


def row_of(scenario: Scenario, run: Run) -> Row:
    """The stored data of a run: its end, and its learning curve."""
    curve = _curve(run)
    final = curve[scenario.metric]
    return {
        "method": run.method,
        "seed": run.seed,
        "metric": scenario.metric,
        "better": "higher" if scenario.higher_is_better else "lower",
        "final": final[-1] if final else math.nan,
        **ending(run),
        "curve": curve,
    }


NEEDED = ("final", "end", "curve")
"""Columns without which a file is no row of a sweep."""


def _curve(run: Run) -> dict[str, list[Any]]:
    times = [0.0, *run.times]
    evaluated = [
        at for at, value in enumerate(run.evaluations[run.metrics[0]]) if not math.isnan(value)
    ]
    measured = {name: [values[at] for at in evaluated] for name, values in run.evaluations.items()}
    return {"time": [times[at] for at in evaluated], "server_step": evaluated, **measured}


def _setting(trial: Trial) -> str:
    played = "" if trial.round.share == 1 else f"round {trial.round.number}"
    return _listed(describe(trial.setting.values), played)


def _listed(*words: str) -> str:
    return ", ".join(word for word in words if word)


def _outcome(setting: str, row: Row) -> str:
    end = row["end"] if row["end"] in BROKEN else f"{row['metric']} {row['final']:.4g}"
    run = _listed(row["method"], setting, f"seed {row['seed']}")
    return f"{run}: {end} ({row['real_seconds']:.1f} s)"
