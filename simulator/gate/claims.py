"""Is one method so many times faster than another?  Ratios per seed, and a bound on them.

Methods share their random numbers, so a ratio compares runs of one seed: the need of the method
``over`` divided by that of the method ``of``.  If ``of`` misses its goal, the ratio is 0.  If
``over`` misses it, its need is counted up to the end of the run, which makes no ratio too large.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from simulator.gate.exact import same_time
from simulator.gate.runs import Record
from simulator.gate.suite_file import COUNTED, Benchmark, ClaimTable
from simulator.statistics.bounds import Test, lower_bound
from simulator.statistics.samples import median


class Verdict(NamedTuple):
    """The median ratio, its lower bound by the test, and the claimed ratio."""

    middle: float
    bound: float
    claimed: float
    table: ClaimTable
    never: list[str]
    """Methods that missed their goal, with their seeds."""

    @property
    def holds(self) -> bool:
        return self.bound >= self.claimed * (1 - self.table.margin)

    def __str__(self) -> str:
        table = self.table
        margin = f", with a margin of {table.margin:.3g}" if table.margin else ""
        theory = " by theory" if table.at_least == "predicted" else ""
        return (
            f"{quantity(table)}: {table.over} needs {self.middle:.4g} times that of {table.of} "
            f"(median); {bound_name(table.test, table.confidence)} {self.bound:.4g}; "
            f"claimed {self.claimed:.4g}{theory}{margin}"
            + "".join(f"; target missed by {each}" for each in self.never)
        )


def quantity(table: ClaimTable) -> str:
    """The compared quantity in words: ``time to the target``, ``time for 2,000 gradients``."""
    if table.count is None:
        return table.measure.replace("-to-target", " to the target")
    return f"time for {table.count:,} {COUNTED[table.measure]}"


def bound_name(test: Test, confidence: float) -> str:
    names = {
        "sign": f"by the sign test at {confidence:g} at least",
        "paired-t": f"geometric mean by the paired t-test at {confidence:g} at least",
    }
    return names.get(test, "on every seed at least")


def verdict(benchmark: Benchmark, runs: Sequence[Record], claimed: float) -> Verdict:
    table = benchmark.table
    assert isinstance(table, ClaimTable)
    found = ratios(runs, table.of, table.over)
    bound = lower_bound(found, table.test, table.confidence)
    return Verdict(median(found), bound, claimed, table, _never(runs))


def moved(now: Record, then: Record) -> str:
    """The difference between a run and its baseline; empty if there is none."""
    alike = now["reached"] == then["reached"] and same_time(now["measured"], then["measured"])
    return "" if alike else f"{now['measured']:.6g}, baseline {then['measured']:.6g}"


def _never(runs: Sequence[Record]) -> list[str]:
    seeds: dict[str, list[str]] = {}
    for run in runs:
        if not run["reached"]:
            seeds.setdefault(run["method"], []).append(str(run["seed"]))
    return [f"{method} (seed {', '.join(each)})" for method, each in seeds.items()]


def ratios(runs: Sequence[Record], of: str, over: str) -> list[float]:
    """The ratio of each seed."""
    pairs = zip(*([r for r in runs if r["method"] == label] for label in (of, over)), strict=True)
    return [_ratio(run, other) for run, other in pairs]


def _ratio(of: Record, over: Record) -> float:
    if not of["reached"]:
        return 0.0
    needed, other = float(of["measured"]), float(over["measured"])
    if not needed:  # at the target from the start
        return math.inf if other else 1.0
    return other / needed
