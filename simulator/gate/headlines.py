"""How is a change said first?  In words and per cent: ``rennala-nigt 13% later, first at step 12``.

The exact numbers follow in the lines of a finding.
"""

import math
from collections.abc import Iterator, Sequence

from simulator.gate import exact, tolerance
from simulator.gate.claims import Verdict
from simulator.gate.findings import per_cent
from simulator.gate.runs import Record
from simulator.gate.suite_file import Benchmark, ExactTable, ToleranceTable
from simulator.statistics.samples import median

Pair = tuple[Record, Record]
"""A run and its baseline."""


def of(benchmark: Benchmark, now: Sequence[Record], then: Sequence[Record]) -> str:
    """The change of every method of a schedule or curve; empty if the runs are not the same."""
    names = [[(run["method"], run["seed"]) for run in runs] for runs in (now, then)]
    if names[0] != names[1]:
        return ""
    pairs: dict[str, list[Pair]] = {}
    for new, old in zip(now, then, strict=True):
        pairs.setdefault(new["method"], []).append((new, old))
    match benchmark.table:
        case ExactTable() as table:
            words = {method: _schedule(each, table.rounding) for method, each in pairs.items()}
        case ToleranceTable() as table:
            metric = table.metric or benchmark.scenario.metric
            words = {method: _curve(each, table, metric) for method, each in pairs.items()}
        case _:
            return ""
    return "; ".join(f"{method} {change}" for method, change in words.items() if change)


def of_claim(judged: Verdict, before: Verdict | None) -> str:
    """By how much a claim fails, or its ratio has changed; empty if neither."""
    ratio = f"{judged.table.over} needs {judged.bound:.3g} times that of {judged.table.of}"
    missing = f"{per_cent(1 - judged.bound / judged.claimed)} less than claimed"
    parts = [] if judged.holds else [missing]
    if before is not None and 0 < before.bound < math.inf:
        change = judged.bound / before.bound - 1
        more = "more than before" if change > 0 else "less than before"
        parts += ["as before" if abs(change) < exact.ROUNDING else f"{per_cent(change)} {more}"]
    return f"{ratio}: {', '.join(parts)}" if parts else ""


def _schedule(pairs: Sequence[Pair], rounding: float) -> str:
    """The change of a method's schedule, over its seeds."""
    changes = [_last_time(new["steps"], old["steps"]) for new, old in pairs]
    steps = [
        step for new, old in pairs for step in _differing(new["steps"], old["steps"], rounding)
    ]
    closed = [(len(new["steps"]), len(old["steps"])) for new, old in pairs]
    first = f", first at step {min(step for step, _ in steps)}" if steps else ""
    if any(abs(change) > rounding for change in changes):
        change = median(changes)
        return f"{per_cent(change)} {'later' if change > 0 else 'sooner'}{first}"
    if steps:
        return f"with other {min(steps)[1]}{first}"
    other = next(((new, old) for new, old in closed if new != old), None)
    if other:
        return f"closed {other[0]} steps instead of {other[1]}"
    same = all(exact.moved(new, old, rounding) == "" for new, old in pairs)
    return "" if same else "with another end or other counts"


def _last_time(new: Sequence[Record], old: Sequence[Record]) -> float:
    """The relative change of the time of the last step that both have."""
    last = min(len(new), len(old)) - 1
    if last < 0 or not old[last]["seconds"]:
        return 0.0
    return float(new[last]["seconds"] / old[last]["seconds"] - 1)


def _differing(
    new: Sequence[Record], old: Sequence[Record], rounding: float
) -> Iterator[tuple[int, str]]:
    """The number of every step that differs, and what differs."""
    for one, other in zip(new, old, strict=False):
        if not exact.same_time(one["seconds"], other["seconds"], rounding):
            yield other["step"], "times up to the same end"
        elif one["gradients"] != other["gradients"]:
            yield other["step"], "gradients at the same times"
        elif one["weights"] != other["weights"]:
            yield other["step"], "weights at the same times"


def _curve(pairs: Sequence[Pair], table: ToleranceTable, metric: str) -> str:
    """The largest change of a method's curve beyond its tolerance."""
    off = [
        (abs(point[metric] - was[metric]), point, was)
        for new, old in pairs
        for point, was in zip(new["points"], old["points"], strict=False)
        if not tolerance.near(point[metric], was[metric], table)
    ]
    if not off:
        same = all(tolerance.moved(new, old, table, metric) == "" for new, old in pairs)
        return "" if same else f"at other times or steps, with the same {metric}"
    first = min(was["step"] for _, _, was in off)
    _, point, was = max(off, key=lambda each: each[0])
    value, before = point[metric], was[metric]
    if not before:
        return f"has a {metric} of {value:.3g} instead of 0, first at step {first}"
    size = per_cent((value - before) / before)
    up = "higher" if value > before else "lower"
    return f"{metric} up to {size} {up}, first at step {first}"
