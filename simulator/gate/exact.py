"""Does a schedule equal its baseline to the bit?  If not, name the first difference.

Differences are listed in the order of a run: a step's time, its gradients and their weights; then
the end of the run and the counts of each worker.  Only times may have a ``rounding``: NumPy's
logarithms and exponentials, which make random durations, differ between processors in the last bit.
"""

import math
from collections.abc import Iterator, Sequence

from simulator.gate import shorthand
from simulator.gate.findings import number, others
from simulator.gate.runs import COUNTS, Record

ROUNDING = 1e-12
"""Relative error of random times on another processor."""


def moved(now: Record, then: Record, rounding: float = 0.0) -> str:
    """The differences of a run; empty if there are none."""
    steps = _steps(now["steps"], then["steps"], rounding)
    return "; ".join([*steps, *ends(now, then, rounding), *_workers(now, then)])


def same_time(now: float, then: float, rounding: float = ROUNDING) -> bool:
    return math.isclose(now, then, rel_tol=rounding)


def _steps(now: Sequence[Record], then: Sequence[Record], rounding: float) -> Iterator[str]:
    pairs = zip(now, then, strict=False)
    differing = [text for new, old in pairs if (text := ", ".join(_step(new, old, rounding)))]
    if differing:
        yield differing[0]
        if later := len(differing) - 1:
            yield f"{later} later step{'s' if later > 1 else ''} moved, too"
    if len(now) != len(then):
        yield f"closed {_count(now)}, baseline {_count(then)}"


def _step(new: Record, old: Record, rounding: float) -> Iterator[str]:
    step = f"step {old['step']}"
    time, before = new["seconds"], old["seconds"]
    if not same_time(time, before, rounding):
        times = f"{number(time)} s, baseline {number(before)} s"
        yield f"{step} closed at {times} ({time - before:+.4g} s)"
    if new["gradients"] != old["gradients"]:
        yield f"{step} used gradients of workers {new['gradients']}, baseline {old['gradients']}"
    if new["weights"] != old["weights"]:
        yield f"{step} weighed them {new['weights']}, baseline {old['weights']}"


def _count(steps: Sequence[Record]) -> str:
    if not steps:
        return "no step"
    return f"{len(steps)} steps, the last at {number(steps[-1]['seconds'])} s"


def ends(now: Record, then: Record, rounding: float) -> Iterator[str]:
    """The end of a run, if its time or reason differs."""
    why = [(run["end"], run.get("message")) for run in (now, then)]
    if why[0] != why[1] or not same_time(now["seconds"], then["seconds"], rounding):
        yield f"ended {_end(now)}, baseline {_end(then)}"


def _end(run: Record) -> str:
    message = f": {run['message']}" if "message" in run else ""
    return f"at {number(run['seconds'])} s ({run['end']}{message})"


def _workers(now: Record, then: Record) -> Iterator[str]:
    """The first worker whose counts differ, if the baseline lists all workers."""
    if now["workers"] == then["workers"]:
        return
    new, old = _by_worker(now["workers"]), _by_worker(then["workers"])
    if new is None or old is None:
        yield "the counts of some workers are others (their checksums differ)"
        return
    differing = sorted(w for w in new.keys() | old.keys() if new.get(w) != old.get(w))
    first = differing[0]
    pairs = [(name, *(each.get(first, {}).get(name) for each in (new, old))) for name in COUNTS]
    texts = [f"{name} {now}, baseline {before}" for name, now, before in pairs if now != before]
    yield f"worker {first}: {', '.join(texts)}{others(len(differing) - 1, 'worker')}"


def _by_worker(rows: Sequence[Record]) -> dict[int, dict[str, int]] | None:
    """The counts of each worker; None if a row's list of workers was cut."""
    found: dict[int, dict[str, int]] = {}
    for row in rows:
        workers = shorthand.members(row["workers"])
        if workers is None:
            return None
        counts = {name: row[name] for name in COUNTS}
        found |= dict.fromkeys(workers, counts)
    return found
