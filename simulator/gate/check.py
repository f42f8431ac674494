"""Does a suite hold?  From its file to its findings, or to new baselines."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator import plugins
from simulator.campaign import campaign
from simulator.campaign.campaign import TOGETHER, Plan
from simulator.campaign.rows import Rows
from simulator.campaign.runner import Jobs
from simulator.estimate import estimate
from simulator.gate import baselines, claims, exact, tolerance
from simulator.gate.baselines import Baseline
from simulator.gate.claims import verdict
from simulator.gate.findings import Finding, Outcome
from simulator.gate.predicted import predicted
from simulator.gate.runs import Record, keep, recorded, tasks_of
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


class Checked(NamedTuple):
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
    jobs: Jobs = None,
    quiet: bool = True,
) -> Checked:
    """Run a suite and compare it with its baselines, or ``update`` them.

    ``baseline`` is the directory of the baselines; ``only`` names benchmarks.  A missing baseline,
    or that of another scenario, is a Mistake before any run.
    """
    suite = read(source)
    name_of_suite = str(source) if isinstance(source, str | Path) else suite.name
    chosen = _chosen(suite, only)
    directory = baseline or suite.path.parent / "baselines" / suite.name
    then = {name: _read(directory, name, update) for name in chosen}
    if not update:
        for name, benchmark in chosen.items():
            _check(benchmark, then[name], directory, name_of_suite)
    for name, benchmark in chosen.items():
        try:
            estimate.check(benchmark.scenario, benchmark.schedule_only)
        except Mistake as mistake:
            raise Mistake(f"benchmarks.{name}: {mistake}") from None
    claimed = {name: _claimed(b) for name, b in chosen.items() if b.table.kind == "claim"}
    runs = _run(chosen.values(), jobs, quiet)
    findings = []
    for name, benchmark in chosen.items():
        command = ["straggle", "check", name_of_suite, "--update", "--only", name]
        command += plugins.options_for(benchmark.scenario.canonical())
        now = baselines.of(benchmark, recorded(benchmark, runs[name]), shlex.join(command))
        ratio = claimed.get(name)
        findings.append(_judge(benchmark, now, then[name], ratio, directory, update=update))
    orphans = [] if only else _orphans(suite, directory, update)
    return Checked(suite, directory, findings, [*_other_versions(chosen, then), *orphans])


def _chosen(suite: Suite, only: Sequence[str] | None) -> dict[str, Benchmark]:
    for name in only or ():
        if name not in suite.benchmarks:
            hint = did_you_mean(name, suite.benchmarks)
            raise Mistake(f"--only {name}: not in this suite; {hint}")
    return {name: b for name, b in suite.benchmarks.items() if only is None or name in only}


def _read(directory: Path, name: str, update: bool) -> Baseline | None:
    try:
        return baselines.read(directory, name)
    except Mistake:
        if update:  # replaces a broken file
            return None
        raise


def _check(benchmark: Benchmark, baseline: Baseline | None, directory: Path, source: str) -> None:
    """Refuse a missing baseline, except of a claim, and that of another definition."""
    if baseline is not None:
        baselines.check(benchmark, baseline, baselines.file_of(directory, benchmark.name))
    elif benchmark.table.kind != "claim":
        remedy = f"straggle check {source} --update writes it"
        raise Mistake(f"benchmarks.{benchmark.name}: has no baseline in {directory}; {remedy}")


def _claimed(benchmark: Benchmark) -> float:
    assert isinstance(benchmark.table, ClaimTable)
    ratio = benchmark.table.at_least
    return ratio if isinstance(ratio, float) else predicted(benchmark)


def _run(benchmarks: Iterable[Benchmark], jobs: Jobs, quiet: bool) -> dict[str, list[Record]]:
    """The runs of every benchmark; a run of several benchmarks is done once."""
    tasks = {benchmark.name: tasks_of(benchmark) for benchmark in benchmarks}
    every, store = [task for each in tasks.values() for task in each], Rows(None)
    plan = Plan(keep, lambda task, row: f"{task.method}, seed {task.seed}", together=TOGETHER)
    campaign.conduct(every, plan, store, jobs=jobs, quiet=quiet)
    return {name: [store.found[task.key] for task in each] for name, each in tasks.items()}


def _judge(
    benchmark: Benchmark,
    now: Baseline,
    then: Baseline | None,
    claimed: float | None,
    directory: Path,
    *,
    update: bool,
) -> Finding:
    """The finding of a benchmark; an update writes what moved, but never a claim that fails."""
    redefined = baselines.changes(now, then) if then else ""
    try:
        moved = _moved(benchmark, now, then) if then else []
    except Mistake:
        if not update:
            raise
        then, moved = None, []  # a broken record is written anew
    if redefined:
        moved = [redefined, *(moved or ["its runs are the same"])]
    judged = None if claimed is None else verdict(benchmark, now.runs, claimed)
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
        lines = [str(judged)]
        if then and moved and not redefined:
            before = verdict(benchmark, then.runs, judged.claimed)
            lines.append(f"baseline: {before.middle:.4g} times, at least {before.bound:.4g}")
    file, table = baselines.file_of(directory, benchmark.name), benchmark.table
    if file.is_relative_to(Path.cwd()):
        file = file.relative_to(Path.cwd())
    since = f"{file} ({then.written_by})" if then else ""
    return Finding(benchmark.name, table.kind, outcome, lines, table.why, since)


def _moved(benchmark: Benchmark, now: Baseline, then: Baseline) -> list[str]:
    """A line for every run that differs from its baseline."""
    if (now.kind, now.asked) != (then.kind, then.asked):
        return ["its baseline holds other numbers"]
    names, before = ([_name(run) for run in each.runs] for each in (now, then))
    if names != before:
        return [f"its baseline has other runs: {', '.join(before)}"]
    lines = []
    for name, new, old in zip(names, now.runs, then.runs, strict=True):
        try:
            difference = _difference(benchmark, new, old)
        except (LookupError, TypeError, ValueError, AttributeError):
            problem = f"its record of {name} is not one; restore it, or --update writes it anew"
            raise Mistake(f"benchmarks.{benchmark.name}: is no baseline: {problem}") from None
        if difference:
            lines.append(f"{name}: {difference}")
    return lines


def _name(run: Any) -> str:
    valid = isinstance(run, dict) and "method" in run and "seed" in run
    return f"{run['method']}, seed {run['seed']}" if valid else "something else"


def _difference(benchmark: Benchmark, new: Record, old: Record) -> str:
    match benchmark.table:
        case ToleranceTable() as table:
            return tolerance.moved(new, old, table, table.metric or benchmark.scenario.metric)
        case ClaimTable():
            return claims.moved(new, old)
        case ExactTable() as table:
            return exact.moved(new, old, table.rounding)


def _other_versions(
    chosen: Mapping[str, Benchmark], known: Mapping[str, Baseline | None]
) -> list[str]:
    """Notes about packages and plug-ins that have changed since the baselines."""
    changed: dict[str, list[str]] = {}
    for name, baseline in known.items():
        then = baseline.versions if baseline else {}
        now = baselines.versions_of(chosen[name]) if baseline else {}
        for package in sorted({*now, *then} - {"straggle"}):
            new, old = now.get(package, "none"), then.get(package, "none")
            if new != old:
                line = f"{package} {new} here, {old} in the baseline"
                changed.setdefault(line, []).append(name)
    return [f"{line} of {_names(names)}" for line, names in changed.items()]


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 2} others" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more


def _orphans(suite: Suite, directory: Path, update: bool) -> list[str]:
    """Notes about baselines whose benchmarks do not exist; an update removes the files."""
    lines = []
    for file in sorted(directory.glob("*.json")):
        if file.stem in suite.benchmarks:
            continue
        if update:
            file.unlink()
        what = "removed" if update else "--update removes it"
        lines.append(f"{file} belongs to no benchmark of the suite; {what}")
    return lines
