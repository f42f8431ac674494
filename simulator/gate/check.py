"""Does a suite hold?  From its file to its findings, or to new baselines."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from simulator import plugins
from simulator.campaign import campaign
from simulator.campaign.campaign import TOGETHER, Plan
from simulator.campaign.rows import Rows
from simulator.campaign.runner import Jobs
from simulator.estimate import estimate
from simulator.gate import baselines
from simulator.gate.baselines import Baseline
from simulator.gate.findings import Finding
from simulator.gate.judge import judge, known
from simulator.gate.predicted import predicted
from simulator.gate.runs import Record, keep, recorded, tasks_of
from simulator.gate.suite_file import Benchmark, ClaimTable, Source, Suite, read
from simulator.mistakes import Mistake, did_you_mean


class Checked(NamedTuple):
    suite: Suite
    directory: Path
    findings: list[Finding]
    notes: list[str]

    @property
    def good(self) -> bool:
        return all(finding.good for finding in self.findings)

    @property
    def code(self) -> int:
        """The exit code: 2 for the fault of a baseline, 1 for a regression, 0 if all hold."""
        return 2 if any(finding.error for finding in self.findings) else int(not self.good)


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
    or that of another scenario, is the error of its benchmark: the rest of the suite is compared.
    """
    suite = read(source)
    name_of_suite = str(source) if isinstance(source, str | Path) else suite.name
    chosen = chosen_of(suite, only)
    directory = directory_of(suite, baseline)
    then = {name: known(b, directory, name_of_suite, update) for name, b in chosen.items()}
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
        findings.append(judge(benchmark, now, then[name], ratio, directory, update=update))
    orphans = [] if only else _orphans(suite, directory, update)
    versions = _other_versions(chosen, {name: each.baseline for name, each in then.items()})
    return Checked(suite, directory, findings, [*versions, *orphans])


def directory_of(suite: Suite, baseline: Path | None) -> Path:
    """The directory of its baselines."""
    return baseline or suite.path.parent / "baselines" / suite.name


def chosen_of(suite: Suite, only: Sequence[str] | None) -> dict[str, Benchmark]:
    """All benchmarks of a suite, or ``only`` these."""
    for name in only or ():
        if name not in suite.benchmarks:
            hint = did_you_mean(name, suite.benchmarks)
            raise Mistake(f"--only {name}: not in this suite; {hint}")
    return {name: b for name, b in suite.benchmarks.items() if only is None or name in only}


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
