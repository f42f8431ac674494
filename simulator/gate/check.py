"""Does everything hold?  A suite, from its file to its findings, or to new baselines."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from simulator.campaign import campaign
from simulator.campaign.campaign import TOGETHER, Plan
from simulator.campaign.rows import Rows
from simulator.campaign.runner import Runner
from simulator.estimate import estimate
from simulator.gate import baselines, claims, exact, tolerance
from simulator.gate.baselines import Baseline
from simulator.gate.claims import Verdict, verdict
from simulator.gate.findings import Finding, Outcome
from simulator.gate.predicted import predicted
from simulator.gate.runs import Record, keep, recorded, tasks
from simulator.gate.suite_file import (
    Benchmark,
    ClaimTable,
    ExactTable,
    Source,
    Suite,
    ToleranceTable,
    read,
)
from simulator.mistakes import Mistake, did_you_mean

Asked: TypeAlias = Mapping[str, float]
"""Of claims, how many times they claim."""


class Checked(NamedTuple):
    """What became of a suite."""

    suite: Suite
    directory: Path
    findings: list[Finding]
    notes: list[str]

    @property
    def good(self) -> bool:
        return all(finding.good for finding in self.findings)


def conduct(
    source: Source,
    *,
    baseline: Path | None = None,
    update: bool = False,
    only: Sequence[str] | None = None,
    jobs: int | None = None,
    runner: Runner | None = None,
    quiet: bool = True,
) -> Checked:
    """Run a suite and compare it with its baselines, or ``update`` them.

    ``baseline`` is the directory of the baselines; ``only`` names benchmarks.  A baseline that is
    missing, or of another scenario, is a Mistake before anything is run.
    """
    suite = read(source)
    named = str(source) if isinstance(source, str | Path) else suite.name
    chosen = _chosen(suite, only)
    directory = baseline or suite.path.parent / "baselines" / suite.name
    known = {name: _read(directory, name, update) for name in chosen}
    if not update:
        for name, benchmark in chosen.items():
            _check(benchmark, known[name], directory, named)
    for name, benchmark in chosen.items():
        _check_fits(name, benchmark)
    asked = {name: _asked(b) for name, b in chosen.items() if b.table.kind == "claim"}
    runs = _run(chosen.values(), runner, jobs, quiet)
    findings = []
    for name, benchmark in chosen.items():
        command = ["straggle", "check", named, "--update", "--only", name]
        now = baselines.of(benchmark, recorded(benchmark, runs[name]), shlex.join(command))
        found = _judge(benchmark, now, known[name], asked.get(name), directory, update=update)
        findings.append(found)
    orphans = [] if only else _orphans(suite, directory, update)
    return Checked(suite, directory, findings, [*_other_versions(chosen, known), *orphans])


def _chosen(suite: Suite, only: Sequence[str] | None) -> dict[str, Benchmark]:
    for name in only or ():
        if name not in suite.benchmarks:
            hint = did_you_mean(name, suite.benchmarks)
            raise Mistake(f"--only {name}: not in this suite; {hint}")
    return {name: b for name, b in suite.benchmarks.items() if only is None or name in only}


def _read(directory: Path, name: str, update: bool) -> Baseline | None:
    """What cannot be read is in the way of a comparison, but not of an update."""
    try:
        return baselines.read(directory, name)
    except Mistake:
        if update:
            return None
        raise


def _check(benchmark: Benchmark, baseline: Baseline | None, directory: Path, source: str) -> None:
    """Refuse to compare with nothing, or with something else; a claim can stand alone."""
    if baseline is not None:
        baselines.check(benchmark, baseline, baselines.file_of(directory, benchmark.name))
    elif benchmark.table.kind != "claim":
        remedy = f"straggle check {source} --update writes it"
        raise Mistake(f"benchmarks.{benchmark.name}: has no baseline in {directory}; {remedy}")


def _check_fits(name: str, benchmark: Benchmark) -> None:
    try:
        estimate.check(benchmark.scenario, benchmark.schedule_only)
    except Mistake as mistake:
        raise Mistake(f"benchmarks.{name}: {mistake}") from None


def _asked(benchmark: Benchmark) -> float:
    assert isinstance(benchmark.table, ClaimTable)
    said = benchmark.table.at_least
    return said if isinstance(said, float) else predicted(benchmark)


def _run(
    benchmarks: Iterable[Benchmark], runner: Runner | None, jobs: int | None, quiet: bool
) -> dict[str, list[Record]]:
    """The runs of every benchmark; those that several ask for are done once."""
    wanted = {benchmark.name: tasks(benchmark) for benchmark in benchmarks}
    every = {task.key: task for mine in wanted.values() for task in mine}
    store = Rows(None)
    plan = Plan(keep, lambda task, row: f"{task.method}, seed {task.seed}", together=TOGETHER)
    campaign.conduct(list(every.values()), plan, store, runner=runner, jobs=jobs, quiet=quiet)
    return {name: [store.found[task.key] for task in mine] for name, mine in wanted.items()}


# One benchmark


def _judge(
    benchmark: Benchmark,
    now: Baseline,
    then: Baseline | None,
    asked: float | None,
    directory: Path,
    *,
    update: bool,
) -> Finding:
    """What is to be said of it; an update writes what has moved, and no claim that fails."""
    asks_else = baselines.changes(now, then) if then else ""
    try:
        moved = _moved(benchmark, now, then) if then else []
    except Mistake:
        if not update:
            raise
        then, moved = None, []  # a broken record is written anew
    if asks_else:
        moved = [asks_else, *(moved or ["its runs are the same"])]
    judged = None if asked is None else verdict(benchmark, now.runs, asked)
    if judged is not None and not judged.holds:
        outcome: Outcome = "fails"
    elif update:
        outcome = "new" if then is None else "updated" if moved else "kept"
    else:
        outcome = "moved" if moved and judged is None else "holds"
    if outcome in ("new", "updated"):
        baselines.write(directory, benchmark.name, now)
    lines = moved
    if judged is not None:
        lines = [str(judged), *_earlier(benchmark, judged, now, None if asks_else else then)]
    file, table = baselines.file_of(directory, benchmark.name), benchmark.table
    since = f"{_shown(file)} ({then.written_by})" if then else ""
    return Finding(benchmark.name, table.kind, outcome, lines, table.why, since)


def _shown(file: Path) -> Path:
    """As one would write it here."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _moved(benchmark: Benchmark, now: Baseline, then: Baseline) -> list[str]:
    """A line for every run that is not what it was."""
    if (now.kind, now.asked) != (then.kind, then.asked):
        return ["its baseline holds other numbers"]
    whose, before = ([_name(run) for run in each.runs] for each in (now, then))
    if whose != before:
        return [f"its baseline has other runs: {', '.join(before)}"]
    told = []
    for new, old in zip(now.runs, then.runs, strict=True):
        try:
            what = _difference(benchmark, new, old)
        except (LookupError, TypeError, ValueError, AttributeError):
            run = f"{new['method']}, seed {new['seed']}"
            what = f"its record of {run} is not one; restore it, or --update writes it anew"
            raise Mistake(f"benchmarks.{benchmark.name}: is no baseline: {what}") from None
        if what:
            told.append(f"{new['method']}, seed {new['seed']}: {what}")
    return told


def _name(run: Any) -> str:
    """Of a run, or of what should be one."""
    named = isinstance(run, dict) and "method" in run and "seed" in run
    return f"{run['method']}, seed {run['seed']}" if named else "something else"


def _difference(benchmark: Benchmark, new: Record, old: Record) -> str:
    match benchmark.table:
        case ToleranceTable() as table:
            return tolerance.moved(new, old, table, table.metric or benchmark.scenario.metric)
        case ClaimTable():
            return claims.moved(new, old)
        case ExactTable() as table:
            return exact.moved(new, old, table.rounding)


def _earlier(
    benchmark: Benchmark, judged: Verdict, now: Baseline, then: Baseline | None
) -> list[str]:
    """How the numbers of a claim have moved since they were recorded, though it may hold."""
    if then is None:
        return []
    if not _moved(benchmark, now, then):
        return []
    before = verdict(benchmark, then.runs, judged.asked)
    return [f"recorded: {before.middle:.4g} times less, at least {before.bound:.4g}"]


# Remarks


def _other_versions(
    chosen: Mapping[str, Benchmark], known: Mapping[str, Baseline | None]
) -> list[str]:
    """Packages and plug-ins that have changed since the baselines: compared all the same."""
    found: dict[str, list[str]] = {}
    for name, baseline in known.items():
        then = baseline.versions if baseline else {}
        now = baselines.versions_of(chosen[name]) if baseline else {}
        for package in sorted({*now, *then} - {"straggle"}):
            here, there = now.get(package, "none"), then.get(package, "none")
            if here != there:
                told = f"{package} {here} here, {there} in the baseline"
                found.setdefault(told, []).append(name)
    return [f"{told} of {_names(names)}" for told, names in found.items()]


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 2} others" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


def _orphans(suite: Suite, directory: Path, update: bool) -> list[str]:
    """Baselines of benchmarks that are no more."""
    lines = []
    for file in sorted(directory.glob("*.json")):
        if file.stem in suite.benchmarks:
            continue
        if update:
            file.unlink()
        what = "removed" if update else "--update removes it"
        lines.append(f"{file} belongs to no benchmark of the suite; {what}")
    return lines
