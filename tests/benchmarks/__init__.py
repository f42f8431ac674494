"""How fast is straggle here, beside the least that could do the same work?

Every figure is made in one run, the product and what it is compared with in turns, and each
contestant asserts that it did exactly the work it was asked for.  Nothing decides whether anything
passes: a machine's seconds are no promise.
"""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from browser import NAMES

from benchmarks.row import Row
from benchmarks.stopwatch import Stopwatch
from simulator.mistakes import Mistake, did_you_mean
from simulator.system.install import install_command

__all__ = ["BENCHMARKS", "EVERYTHING", "QUICK", "USUAL", "Row", "Stopwatch", "chosen", "measured"]

QUICK, USUAL, EVERYTHING = 0.1, 0.25, 1.0
"""How much work is measured, as a part of that of the published figures."""


class Benchmark(NamedTuple):
    """The module that has it, which loads when it runs; and whether it is among the usual."""

    module: str
    usual: bool = True


BENCHMARKS = {
    "throughput": Benchmark("schedules"),
    "million": Benchmark("schedules"),
    "recall": Benchmark("schedules"),
    "queue": Benchmark("schedules"),
    "memory": Benchmark("memory", usual=False),
    "curve": Benchmark("curve", usual=False),
    "quadratic": Benchmark("gradients"),
    "cartpole": Benchmark("gradients"),
    "waste": Benchmark("waste"),
    "robots": Benchmark("robots"),
    "vectors": Benchmark("vectors", usual=False),
    "envpool": Benchmark("vectors", usual=False),
    "together": Benchmark("together", usual=False),
    "command": Benchmark("commands"),
    "reports": Benchmark("reports", usual=False),
}


def chosen(names: Sequence[str], everything: bool = False) -> list[str]:
    """Those that were named, or the usual ones; in the order of the documents."""
    for name in names:
        if name not in BENCHMARKS:
            raise Mistake(f"{name}: no such benchmark; {did_you_mean(name, BENCHMARKS)}")
    return [
        name
        for name, benchmark in BENCHMARKS.items()
        if (name in names if names else everything or benchmark.usual)
    ]


def missing(name: str) -> str | None:
    """Why it cannot run here."""
    if name in ("robots", "vectors", "envpool") and find_spec("mujoco") is None:
        return f"MuJoCo is not installed; {install_command('mujoco')} installs it"
    if name == "envpool" and find_spec("envpool") is None:
        return "EnvPool is not installed; pip install envpool installs it"
    if name == "reports" and not any(map(shutil.which, NAMES)):
        return "there is no browser; apt-get install chromium installs one"
    if name == "memory" and sys.platform != "linux":
        return "reads what only Linux tells of a process"
    return None


def measured(name: str, watch: Stopwatch) -> Iterator[Row]:
    """Its rows, as they come."""
    module = import_module(f"benchmarks.{BENCHMARKS[name].module}")
    benchmark: Callable[[Stopwatch], Iterator[Row]] = getattr(module, name)
    return benchmark(watch)
