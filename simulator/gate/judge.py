"""Does a benchmark hold?  Its runs against its baseline, and a claim by its numbers alone.

The baseline of another scenario is an error.  Its differences are listed all the same, and a claim
is judged and shown before and after.
"""

from pathlib import Path
from typing import Any, NamedTuple

from simulator.gate import baselines, claims, exact, headlines, tolerance
from simulator.gate.baselines import Baseline
from simulator.gate.claims import Verdict, verdict
from simulator.gate.findings import Finding, Outcome
from simulator.gate.runs import Record
from simulator.gate.suite_file import Benchmark, ClaimTable, ExactTable, ToleranceTable
from simulator.mistakes import Mistake

SAME = "its runs are the same"


class Known(NamedTuple):
    """The baseline of a benchmark, or its fault: both if it is of another scenario."""

    baseline: Baseline | None = None
    fault: Outcome | None = None
    error: str = ""


def known(benchmark: Benchmark, directory: Path, source: str, update: bool) -> Known:
    """The baseline as found; an ``update`` replaces a missing or broken one."""
    try:
        baseline = baselines.read(directory, benchmark.name)
    except Mistake as mistake:
        return Known() if update else Known(None, "broken", str(mistake))
    if baseline is None:
        if update or benchmark.table.kind == "claim":
            return Known()
        remedy = f"straggle check {source} --update writes it"
        return Known(None, "missing", f"has no baseline in {directory}; {remedy}")
    file = baselines.file_of(directory, benchmark.name)
    if not update and (error := baselines.stale(benchmark, baseline, file)):
        return Known(baseline, "stale", error)
    return Known(baseline)


def judge(
    benchmark: Benchmark,
    now: Baseline,
    then: Known,
    claimed: float | None,
    directory: Path,
    *,
    update: bool,
) -> Finding:
    """The finding of a benchmark; an update writes what moved, but never a claim that fails."""
    try:
        moved = _moved(benchmark, now, then.baseline) if then.baseline else []
    except Mistake as mistake:
        moved = []  # an update writes a broken record anew
        then = Known() if update else Known(None, "broken", str(mistake))
    judged = None if claimed is None else verdict(benchmark, now.runs, claimed)
    redefined = baselines.changes(now, then.baseline) if then.baseline and update else ""
    outcome = _outcome(then, judged, update, bool(moved or redefined))
    if outcome in ("new", "updated"):
        baselines.write(directory, benchmark.name, now)
    top = [line for line in (then.error, redefined) if line]
    if judged is not None:
        before = _before(benchmark, now, then.baseline, judged) if moved or top else None
        headline, lines = headlines.of_claim(judged, before), _claim_lines(judged, before)
    elif moved and then.baseline:
        headline, lines = headlines.of(benchmark, now.runs, then.baseline.runs), moved
    else:
        headline, lines = "", [SAME] if top and then.baseline else []
    return Finding(
        benchmark.name,
        benchmark.table.kind,
        outcome,
        headline,
        [*top, *lines],
        benchmark.table.why,
        _since(baselines.file_of(directory, benchmark.name), then.baseline),
        then.error,
    )


def _outcome(then: Known, judged: Verdict | None, update: bool, differs: bool) -> Outcome:
    if judged is not None and not judged.holds:
        return "fails"
    if then.fault is not None:
        return then.fault
    if update:
        return "new" if then.baseline is None else "updated" if differs else "kept"
    return "moved" if differs and judged is None else "holds"


def _before(
    benchmark: Benchmark, now: Baseline, then: Baseline | None, judged: Verdict
) -> Verdict | None:
    """The verdict on the runs of the baseline, if it holds the same numbers."""
    if then is None or now.asked != then.asked:
        return None
    try:
        return verdict(benchmark, then.runs, judged.claimed)
    except baselines.UNREADABLE:
        return None


def _claim_lines(judged: Verdict, before: Verdict | None) -> list[str]:
    if before is None:
        return [str(judged)]
    return [str(judged), f"baseline: {before.middle:.4g} times, at least {before.bound:.4g}"]


def _since(file: Path, baseline: Baseline | None) -> str:
    if baseline is None:
        return ""
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    return f"{shown} ({baseline.written_by})"


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
        except baselines.UNREADABLE:
            problem = f"its record of {name} is not one; restore it, or --update writes it anew"
            raise Mistake(f"is no baseline: {problem}") from None
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
