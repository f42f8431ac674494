"""Is one method so many times better than another?  Ratios seed by seed, and how sure they are.

Methods share their random numbers, so ratios are taken within a seed: what the method ``over``
needs, over what the method ``of`` needs.  One that never got there needs for ever: as ``of`` its
ratio is 0; as ``over`` it counts as if it had got there when it was last seen, which makes no ratio
too large.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from simulator.gate.exact import same_time
from simulator.gate.runs import Record
from simulator.gate.suite_file import Benchmark, ClaimTable
from simulator.statistics.bounds import Test, lower_bound
from simulator.statistics.samples import median


class Verdict(NamedTuple):
    """The ratio of the middle seed, what is at least so by the test, and what was asked."""

    middle: float
    bound: float
    asked: float
    table: ClaimTable
    never: list[str]
    """Methods that did not get there, with their seeds."""

    @property
    def holds(self) -> bool:
        return self.bound >= self.asked * (1 - self.table.margin)

    def __str__(self) -> str:
        table = self.table
        margin = f", less {table.margin:.3g} of it" if table.margin else ""
        predicted = " (predicted)" if table.at_least == "predicted" else ""
        what = table.measure if table.count is None else f"{table.measure} ({table.count:,})"
        return (
            f"{table.of} over {table.over}, {what}: {self.middle:.4g} times less; "
            f"{told_of(table.test, table.confidence)} {self.bound:.4g}; "
            f"claimed {self.asked:.4g}{predicted}{margin}"
            + "".join(f"; never there: {each}" for each in self.never)
        )


def told_of(test: Test, confidence: float) -> str:
    """What the bound of a test is, in words."""
    names = {
        "sign": f"median by the sign test at {confidence:g}, at least",
        "paired-t": f"geometric mean by the paired t-test at {confidence:g}, at least",
    }
    return names.get(test, "smallest of the seeds")


def verdict(benchmark: Benchmark, runs: Sequence[Record], asked: float) -> Verdict:
    """What the runs of both methods say."""
    table = benchmark.table
    assert isinstance(table, ClaimTable)
    found = ratios(runs, table.of, table.over)
    bound = lower_bound(found, table.test, table.confidence)
    return Verdict(median(found), bound, asked, table, _never(runs))


def moved(now: Record, then: Record) -> str:
    """What a run needs now, if it is not what it needed; empty otherwise."""
    alike = now["reached"] == then["reached"] and same_time(now["measured"], then["measured"])
    return "" if alike else f"{now['measured']:.6g}, baseline {then['measured']:.6g}"


def _never(runs: Sequence[Record]) -> list[str]:
    seeds: dict[str, list[str]] = {}
    for run in runs:
        if not run["reached"]:
            seeds.setdefault(run["method"], []).append(str(run["seed"]))
    return [f"{method} (seed {', '.join(each)})" for method, each in seeds.items()]


def ratios(runs: Sequence[Record], of: str, over: str) -> list[float]:
    """One per seed, in their order."""
    mine, theirs = ([run for run in runs if run["method"] == label] for label in (of, over))
    return [_ratio(here, there) for here, there in zip(mine, theirs, strict=True)]


def _ratio(mine: Record, theirs: Record) -> float:
    if not mine["reached"]:
        return 0.0
    needed, watched = float(mine["measured"]), float(theirs["measured"])
    if not needed:  # at the target from the start
        return math.inf if watched else 1.0
    return watched / needed
