"""How are many runs done, each of them once?  A file per finished run, found again by its content.

Studies and sweeps are campaigns.  What was run is only read; the rest goes to a runner
(``simulator/system/side_by_side.py``) in jobs: runs that share a schedule
(``simulator/runs/together.py``).
Every run is a file as soon as it ends, so that a kill loses what was under way and nothing else.
"""

import hashlib
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic_core import from_json

from simulator import plugins
from simulator.estimate import estimate
from simulator.mistakes import Mistake
from simulator.results.writer import PACKAGES
from simulator.running.progress import showing
from simulator.runs.record import Run
from simulator.runs.together import Member, run_together, schedule_key
from simulator.scenario import loading
from simulator.scenario.scenario import Scenario
from simulator.system.files import replace
from simulator.system.side_by_side import Local, Runner, Tell

T = TypeVar("T")
Row = dict[str, Any]
Kept = Callable[[Scenario, Run], Row]
"""What is kept of a run: plain data; a function by its name, for processes to share."""
Words = Callable[[str, Row], str]
"""The outcome of a run in words, from its key and its row."""
TOGETHER = 32
"""At most so many runs in a job: more would not be quicker together, and a kill loses them all."""


class Task(NamedTuple):
    """One run: a method and a seed of a scenario, which is told as tables to other processes."""

    tables: dict[str, Any]
    folder: Path
    method: str
    seed: int
    key: str

    def scenario(self) -> Scenario:
        return loading.check(self.tables, self.folder).restrict([self.method], [self.seed])


class Job(NamedTuple):
    """Runs of one schedule, where each goes, and what is kept of it."""

    tasks: list[Task]
    directory: Path
    kept: Kept


def tasks_of(tables: dict[str, Any], folder: Path, scenario: Scenario) -> Iterator[Task]:
    """All runs of a scenario, which was read from these tables, and has to fit."""
    estimate.check(scenario)
    for method in scenario.methods:
        for seed in scenario.seeds:
            yield Task(tables, folder, method, seed, key_of(scenario, method, seed))


def key_of(
    scenario: Scenario, method: str, seed: int, versions: Collection[str] | None = None
) -> str:
    """The same for the same run, in whatever campaign it is; another with other packages."""
    only = scenario.restrict([method], [seed])
    brought = sorted(map(str, plugins.used(only.canonical()).values()))
    whole = [only.fingerprint(), *(versions or _versions()), *brought]
    return f"{method}-{seed}-{hashlib.sha256(str(whole).encode()).hexdigest()[:16]}"


@cache
def _versions() -> list[str]:
    """Of what computes; to look them up takes longer than to hash a scenario."""
    return [version(name) for name in PACKAGES]


def claim(directory: Path, mine: Callable[[Path], bool]) -> Path:
    """Where a campaign goes; to a directory of its own it may go again, and finds what was run."""
    if directory.is_file():
        raise Mistake(f"--out {directory}: is a file; name a directory")
    known = (directory / "runs").is_dir() and mine(directory)
    if not known and directory.is_dir() and any(directory.iterdir()):
        raise Mistake(f"--out {directory}: holds something else; name another directory")
    try:
        (directory / "runs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(f"--out {directory}: cannot be written: {error.strerror}") from None
    return directory


def run(
    tasks: Collection[Task],
    directory: Path,
    kept: Kept,
    needed: Collection[str],
    runner: Runner,
    words: Words = lambda key, row: key,
    quiet: bool = True,
) -> dict[str, Row]:
    """The row of every task, by its key; what is not there, or lacks what is needed, is run."""
    found: dict[str, Row] = {}
    missing: dict[str, Task] = {}
    for task in tasks:
        row = _read(_file(directory, task.key), needed)
        if row is None:
            missing[task.key] = task
        else:
            found[task.key] = row
    with showing(len(found) + len(missing), done=len(found), quiet=quiet) as progress:

        def heard(name: str, item: tuple[str, Row]) -> None:
            key, row = item
            found[key] = row
            progress.ended(words(key, row), failed=row["end"] in ("failed", "stalled"))

        jobs = _jobs(missing, directory, kept, runner.jobs)
        for by, part in by_runner(jobs, runner, lambda job: job.tasks[0].tables):
            by.run(measure, part, heard)
    return found


def by_runner(
    works: Mapping[str, T], runner: Runner, tables: Callable[[T], dict[str, Any]]
) -> list[tuple[Runner, dict[str, T]]]:
    """Which runner does what.  What this program alone has registered is done in this process."""
    portable = {name: work for name, work in works.items() if plugins.is_portable(tables(work))}
    here = {name: work for name, work in works.items() if name not in portable}
    return [(runner, portable), (Local(1), here)]


def _jobs(missing: dict[str, Task], directory: Path, kept: Kept, at_once: int) -> dict[str, Job]:
    """Runs that share a schedule go together, cut so that nobody is without work at the end."""
    groups: dict[str, list[Task]] = {}
    for task in missing.values():
        groups.setdefault(schedule_key(Member(task.scenario())), []).append(task)
    most = min(TOGETHER, math.ceil(len(missing) / (2 * at_once)))
    parts = [
        tasks[at : at + most] for tasks in groups.values() for at in range(0, len(tasks), most)
    ]
    return {part[0].key: Job(part, directory, kept) for part in parts}


@plugins.blamed
def measure(name: str, job: Job, tell: Tell) -> None:
    """The runs of a job; each is a file as it ends, and told by its key."""
    members = [Member(task.scenario()) for task in job.tasks]

    def ended(at: int, run: Run) -> None:
        if run.end == "interrupted":
            raise KeyboardInterrupt
        key, row = job.tasks[at].key, job.kept(members[at].scenario, run)
        text = json.dumps(_finite(row))
        replace(_file(job.directory, key), lambda path: path.write_text(text + "\n"))
        tell((key, _number(json.loads(text))))

    run_together(members, ended)


def _file(directory: Path, key: str) -> Path:
    return directory / "runs" / f"{key}.json"


def _read(file: Path, needed: Collection[str]) -> Row | None:
    """A finished run; None if there is none, or its file is broken."""
    try:
        row = _number(from_json(file.read_bytes()))
    except (OSError, ValueError):
        return None
    return row if isinstance(row, dict) and row.keys() >= {*needed} else None


def _finite(value: Any) -> Any:
    """JSON knows numbers only, and here what is none is unknown."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Any) -> Any:
    """The reverse."""
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_number(item) for item in value]
    return math.nan if value is None else value
