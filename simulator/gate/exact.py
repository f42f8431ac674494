"""Is a schedule the one it was?  The first difference, named; equality, to the bit.

What comes first in a run is told first: a step's time, whose gradients it used, their weights; then
where the run ended, and what became of everybody's gradients.  Times alone may have a ``rounding``:
NumPy's logarithms and exponentials, of which random durations are made, differ between processors
in the last bit.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from simulator.gate import shorthand
from simulator.gate.findings import number, others
from simulator.gate.runs import COUNTS, Record

ROUNDING = 1e-12
"""What random times may be off, as a part of them, on another processor."""


def moved(now: Record, then: Record, rounding: float = 0.0) -> str:
    """What is different of a run; empty where nothing is."""
    steps = _steps(now["steps"], then["steps"], rounding)
    return "; ".join([*steps, *ends(now, then, rounding), *_workers(now, then)])


def same_time(now: float, then: float, rounding: float = ROUNDING) -> bool:
    return math.isclose(now, then, rel_tol=rounding)


def _steps(now: Sequence[Record], then: Sequence[Record], rounding: float) -> Iterator[str]:
    pairs = zip(now, then, strict=False)
    differing = [told for new, old in pairs if (told := ", ".join(_step(new, old, rounding)))]
    if differing:
        yield differing[0]
        if later := len(differing) - 1:
            yield f"{later} later step{'s' if later > 1 else ''} moved, too"
    if len(now) != len(then):
        yield f"closed {_many(now)}, baseline {_many(then)}"


def _step(new: Record, old: Record, rounding: float) -> Iterator[str]:
    """All that differs of one step."""
    where = f"step {old['step']}"
    time, before = new["seconds"], old["seconds"]
    if not same_time(time, before, rounding):
        told = f"{number(time)} s, baseline {number(before)} s"
        yield f"{where} closed at {told} ({time - before:+.4g} s)"
    if new["gradients"] != old["gradients"]:
        told = f"of workers {new['gradients']}, baseline {old['gradients']}"
        yield f"{where} used gradients {told}"
    if new["weights"] != old["weights"]:
        yield f"{where} weighed them {new['weights']}, baseline {old['weights']}"


def _many(steps: Sequence[Record]) -> str:
    if not steps:
        return "no step"
    return f"{len(steps)} steps, the last at {number(steps[-1]['seconds'])} s"


def ends(now: Record, then: Record, rounding: float) -> Iterator[str]:
    """Where and why a run ended, if it was elsewhere, or for another reason."""
    why = [(run["end"], run.get("message")) for run in (now, then)]
    if why[0] != why[1] or not same_time(now["seconds"], then["seconds"], rounding):
        yield f"ended {_end(now)}, baseline {_end(then)}"


def _end(run: Record) -> str:
    message = f": {run['message']}" if "message" in run else ""
    return f"at {number(run['seconds'])} s ({run['end']}{message})"


def _workers(now: Record, then: Record) -> Iterator[str]:
    """The first worker whose counts differ; the sums where some are too many to be named."""
    if now["workers"] == then["workers"]:
        return
    new, old = _by_worker(now["workers"]), _by_worker(then["workers"])
    if new is None or old is None:
        yield "the counts of some workers are others (their checksums differ)"
        return
    differing = sorted(w for w in new.keys() | old.keys() if new.get(w) != old.get(w))
    first = differing[0]
    told = ", ".join(_counts(new.get(first, {}), old.get(first, {})))
    yield f"worker {first}: {told}{others(len(differing) - 1, 'worker')}"


def _counts(new: Mapping[str, int], old: Mapping[str, int]) -> Iterator[str]:
    for name in COUNTS:
        if new.get(name) != old.get(name):
            yield f"{name} {new.get(name)}, baseline {old.get(name)}"


def _by_worker(rows: Sequence[Record]) -> dict[int, dict[str, int]] | None:
    """The counts of each worker; None where a row names too many of them."""
    found: dict[int, dict[str, int]] = {}
    for row in rows:
        who = shorthand.members(row["workers"])
        if who is None:
            return None
        counts = {name: row[name] for name in COUNTS}
        found |= dict.fromkeys(who, counts)
    return found
