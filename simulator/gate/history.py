"""How have the numbers of a benchmark changed?  Over the commits that changed one of them.

The baselines are read from git.  Nothing is run.
"""

import math
import subprocess
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from simulator.gate import baselines
from simulator.gate.baselines import Baseline
from simulator.gate.check import chosen_of, directory_of
from simulator.gate.claims import verdict
from simulator.gate.findings import per_cent
from simulator.gate.suite_file import Benchmark, Source, read
from simulator.mistakes import Mistake, one_line
from simulator.statistics.samples import median
from simulator.text_table import Table

WIDEST = 20
"""Characters of the longest bar."""
UNCOMMITTED = "not committed"
ROUNDING = 1e-9
"""The largest relative difference of two numbers that count as equal."""


class Commit(NamedTuple):
    """A commit, and the baseline in it."""

    hash: str
    date: str
    subject: str
    baseline: Baseline


class Point(NamedTuple):
    """A number of a benchmark at a commit."""

    benchmark: str
    number: str
    """What it is: ``rennala-nigt: seconds of step 24``."""
    commit: str
    date: str
    subject: str
    value: float


def history(
    source: Source, *, baseline: Path | None = None, only: Sequence[str] | None = None
) -> tuple[list[Point], list[str]]:
    """The numbers of every benchmark of a suite, or ``only`` of some, the oldest first; and notes.

    A Mistake outside git.
    """
    suite = read(source)
    directory = directory_of(suite, baseline)
    if not directory.is_dir():
        raise Mistake(f"--history: {directory}: is no directory; --update writes baselines there")
    _git(directory, "rev-parse", "--git-dir")
    points = []
    for name, benchmark in chosen_of(suite, only).items():
        try:
            points += _points(benchmark, _commits(directory, name))
        except baselines.UNREADABLE as error:
            reason = f"a committed baseline cannot be read ({one_line(error)})"
            raise Mistake(f"benchmarks.{name}: {reason}; leave it out by --only") from None
    if not points:
        raise Mistake(f"--history: no commit has a baseline in {directory}; commit them first")
    shallow = _git(directory, "rev-parse", "--is-shallow-repository").strip() == b"true"
    note = "this clone is shallow: git fetch --unshallow shows older commits"
    return points, [note] if shallow else []


def _commits(directory: Path, benchmark: str) -> list[Commit]:
    """The commits that changed a baseline, the oldest first, and the file if it differs."""
    name = baselines.file_of(Path(), benchmark)
    log = _git(directory, "log", "--reverse", "--format=%h%x00%cs%x00%s", "--", f"./{name}")
    found = []
    for line in log.decode("utf-8", "replace").splitlines():
        commit, date, subject = line.split("\0")
        then = _at(directory, f"{commit}:./{name}")
        found += [Commit(commit, date, subject, then)] if then else []
    try:
        now = baselines.read(directory, benchmark)
    except Mistake:
        now = None
    if now is not None and (not found or found[-1].baseline != now):
        found.append(Commit("", "", UNCOMMITTED, now))
    return found


def _at(directory: Path, place: str) -> Baseline | None:
    """A baseline as committed; None if the commit removed or broke it."""
    try:
        return baselines.parsed(_git(directory, "show", place))
    except (Mistake, *baselines.UNREADABLE):
        return None


def _git(directory: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", *words], cwd=directory, capture_output=True, check=False)
    except FileNotFoundError:
        raise Mistake("--history: reads baselines from git, which is not installed") from None
    if done.returncode:
        reason = (done.stderr.decode("utf-8", "replace").splitlines() or ["git failed"])[0]
        remedy = "--history needs the suite in a git repository"
        raise Mistake(f"{directory}: {reason.removeprefix('fatal: ')}; {remedy}")
    return done.stdout


# Numbers


def _points(benchmark: Benchmark, commits: Sequence[Commit]) -> list[Point]:
    """A point for each number and commit.  A baseline with other contents has none."""
    alike = [commit for commit in commits if commit.baseline.kind == benchmark.table.kind]
    shortest = _shortest(alike)
    changes: list[tuple[Commit, dict[str, float]]] = []
    for commit in alike:
        values = _numbers(benchmark, commit.baseline, shortest)
        if not changes or not _are_equal(values, changes[-1][1]):
            changes.append((commit, values))
    names = dict.fromkeys(name for _, values in changes for name in values)
    return [
        Point(benchmark.name, number, *commit[:3], values[number])
        for number in names
        for commit, values in changes
        if number in values
    ]


def _are_equal(new: Mapping[str, float], old: Mapping[str, float]) -> bool:
    return new.keys() == old.keys() and all(is_equal(new[name], old[name]) for name in new)


def is_equal(new: float, old: float) -> bool:
    return math.isclose(new, old, rel_tol=ROUNDING)


def _shortest(commits: Sequence[Commit]) -> dict[str, int]:
    """By method, the number of steps or points that all its recorded runs have."""
    found: dict[str, int] = {}
    for run in (run for commit in commits for run in commit.baseline.runs):
        count = len(run.get("steps") or run.get("points") or ())
        found[run["method"]] = min(found.get(run["method"], count), count)
    return found


def _numbers(benchmark: Benchmark, then: Baseline, shortest: Mapping[str, int]) -> dict[str, float]:
    """The numbers of a baseline by name, each a median over the seeds."""
    if then.kind == "claim":
        asked = {key: then.asked[key] for key in ("of", "over")}
        table = benchmark.table.model_copy(update=asked)
        ratio = verdict(benchmark._replace(table=table), then.runs, 1.0).middle
        return {f"{asked['over']} / {asked['of']}": ratio}
    metric = then.asked.get("metric", "seconds")
    values: dict[str, list[float]] = {}
    for run in then.runs:
        rows = run["steps" if then.kind == "exact" else "points"]
        if last := shortest[run["method"]]:
            row = rows[last - 1]
            name = f"{run['method']}: {metric} of step {row['step']}"
            values.setdefault(name, []).append(row[metric])
    return {name: median(each) for name, each in values.items()}


# How they are shown


def tables(points: Sequence[Point]) -> list[Table]:
    """A table per benchmark, with the changes of each number, and a bar for each of its values."""
    names = dict.fromkeys(point.benchmark for point in points)
    return [_table(name, [each for each in points if each.benchmark == name]) for name in names]


def _table(name: str, points: Sequence[Point]) -> Table:
    rows = []
    for number in dict.fromkeys(point.number for point in points):
        own = changes_of([point for point in points if point.number == number])
        most = max(abs(point.value) for point in own) if len(own) > 1 else 0.0
        for at, point in enumerate(own):
            before = own[at - 1].value if at else point.value
            bar = "█" * round(WIDEST * abs(point.value) / most) if most else ""
            cells = f"{point.value:.4g}", bar, change(point.value, before)
            where = point.date, point.commit or "–", point.subject  # noqa: RUF001
            rows.append(["" if at else number, *where, *cells])
    headings = ["number", "date", "commit", "subject", "value", "", "change"]
    if not any(row[-1] for row in rows):  # a bar compares nothing
        headings, rows = headings[:-2], [row[:-2] for row in rows]
    return Table(headings, rows, name, words=(0, 1, 2, 5), prose=(3,))


def changes_of(points: Sequence[Point]) -> list[Point]:
    """The first point of a number, and those that differ from the one before."""
    changed = [new for old, new in pairwise(points) if not is_equal(new.value, old.value)]
    return [*points[:1], *changed]


def change(value: float, before: float) -> str:
    """By how much a number has changed, as in ``+50%``."""
    if value == before:
        return ""
    return f"{'+' if value > before else '-'}{per_cent(value / before - 1)}" if before else "from 0"
