"""How fast is it here?  ``make bench``: ``python -m benchmarks [NAME]…`` with tests on the path."""

import argparse
import sys
import time
from collections.abc import Sequence

import benchmarks
from benchmarks import report
from benchmarks.machine import machine
from benchmarks.published import Measured
from simulator.cli.app import complain, say, show
from simulator.mistakes import Mistake

PATIENCE, GROWTH = 2.0, 1.5
"""Seconds until the first line that tells how far it is; each next one takes so much longer."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure how fast straggle is on this machine; no figure changes the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these [the usual ones]")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="less work, rougher figures")
    size.add_argument("--all", action="store_true", help="all of them, with all the work")
    said = parser.parse_args(words)
    try:
        chosen = benchmarks.chosen(said.names, said.all)
    except Mistake as mistake:
        return complain(str(mistake), 2)
    effort = benchmarks.EVERYTHING if said.all else benchmarks.USUAL
    return measure(chosen, benchmarks.QUICK if said.quick else effort)


def measure(chosen: Sequence[str], effort: float) -> int:
    """Measure these, and show what was measured, even if it is interrupted."""
    left_out = {name: why for name in chosen if (why := benchmarks.missing(name))}
    progress = Progress(len(chosen) - len(left_out))
    here, code = Measured(machine(), {}), 0
    try:
        for name in (name for name in chosen if name not in left_out):
            progress.begin(name)
            here.benchmarks[name] = []  # shown as far as it goes, whatever happens next
            watch = benchmarks.Stopwatch(effort, progress)
            here.benchmarks[name].extend(benchmarks.measured(name, watch))
    except KeyboardInterrupt:
        code = complain("interrupted; not all was measured", 130)
    show(report.table(here))
    for name, why in left_out.items():
        say(f"{name} is left out: {why}")
    return code


class Progress:
    """A line now and then, between two measurements and never inside one."""

    def __init__(self, count: int) -> None:
        self._count, self._begun, self._name = count, 0, ""
        self._told, self._patience = time.monotonic(), PATIENCE

    def begin(self, name: str) -> None:
        self._begun, self._name = self._begun + 1, name
        self("begins")

    def __call__(self, doing: str) -> None:
        now = time.monotonic()
        if now - self._told > self._patience:
            self._told, self._patience = now, self._patience * GROWTH
            line = f"benchmarks: {self._begun} of {self._count}, {self._name}: {doing}"
            print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
