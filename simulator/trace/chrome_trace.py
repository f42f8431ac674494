"""A trace as a file in the Chrome trace event format, for Perfetto.

https://ui.perfetto.dev opens it: a process per run, a track for the server and one per worker.
The format (Google, "Trace Event Format") uses microseconds; events may have any order, but must
nest on a track; ours never overlap.  Perfetto colours events by name: kind and outcome.
"""

import json
import math
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from simulator.engine import Sinks
from simulator.mistakes import Mistake, did_you_mean
from simulator.results.results import Results
from simulator.schedule import Computation, Step
from simulator.system.files import replace
from simulator.trace.spool import Spool
from simulator.trace.tracks import Record, Rerun, Slice, rerun

SERVER = -1  # the server's number among the workers
MICROSECONDS = 1e6
PATIENCE = 2.0  # real seconds between two reports of progress
NAMES = {"waiting": "not used yet"}  # the worker did not wait

Event: TypeAlias = dict[str, Any]
Progress: TypeAlias = Callable[[Callable[[], str]], None]
"""Takes the progress, and reports it now and then."""

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Excerpt(NamedTuple):
    """A part of results: some runs of one seed, some workers, from ``begin`` to ``until``."""

    results: Results
    methods: list[str]
    seed: int
    workers: Collection[int]
    begin: float = 0.0
    until: float = math.inf


class Written(NamedTuple):
    path: Path
    events: int
    size: int  # in bytes


def excerpt(
    results: Results,
    methods: list[str] | None = None,
    seed: int | None = None,
    workers: list[range] | None = None,
    begin: float = 0.0,
    until: float = math.inf,
) -> Excerpt:
    runs = results.manifest["runs"]
    if not runs:
        raise Mistake(f"{results.directory}: holds no run")
    seeds = list(dict.fromkeys(run["seed"] for run in runs))
    seed = seeds[0] if seed is None else seed
    if seed not in seeds:
        raise Mistake(f"--seed {seed}: no such seed here; known: {', '.join(map(str, seeds))}")
    ends = {run["method"]: run["simulated_seconds"] for run in runs if run["seed"] == seed}
    for method in methods or ():
        if method not in ends:
            hint = did_you_mean(method, ends)
            raise Mistake(f"--method {method}: no such method here, of seed {seed}; {hint}")
    chosen = list(dict.fromkeys(methods or ends))
    _check_window(begin, until, max(ends[method] for method in chosen))
    known = range(results.scenario.cluster.workers)
    return Excerpt(results, chosen, seed, _chosen(known, workers), begin, until)


def _chosen(known: range, wanted: list[range] | None) -> Collection[int]:
    for each in wanted or ():
        if not each or each.stop > known.stop:
            wrong = f"{each.start}-{each.stop - 1}" if len(each) != 1 else f"{each.start}"
            raise Mistake(f"--workers {wrong}: no such workers; they are 0 to {known[-1]}")
    return known if wanted is None else frozenset(worker for each in wanted for worker in each)


def _check_window(begin: float, until: float, end: float) -> None:
    if not 0 <= begin < math.inf:
        raise Mistake(f"--from {begin:g}: must be simulated seconds, 0 or more")
    if not until > begin:
        raise Mistake(f"--until {until:g}: must be later than --from, which is {begin:g}")
    if begin >= end > 0:
        raise Mistake(f"--from {begin:g}: nothing is left to show, all is over at {end:g} s")


def write(wanted: Excerpt, path: Path, say: Callable[[str], None] = lambda text: None) -> Written:
    """Write the excerpt; ``say`` gets the progress of long work."""
    written = 0

    def fill(beside: Path) -> None:
        nonlocal written
        with beside.open("w", encoding="utf-8") as file:
            file.write('{"displayTimeUnit":"ms","traceEvents":[')
            for event in _events(wanted, path.parent, _progress(say)):
                file.write((",\n" if written else "\n") + _encode(event))
                written += 1
            file.write("\n]}\n")

    try:
        replace(path, fill)
    except OSError as error:
        raise Mistake(f"--out {path}: cannot be written: {error.strerror or error}") from None
    return Written(path, written, path.stat().st_size)


def _progress(say: Callable[[str], None]) -> Progress:
    reported = time.monotonic()

    def report(text: Callable[[], str]) -> None:
        nonlocal reported
        if time.monotonic() - reported > PATIENCE:
            reported = time.monotonic()
            say(text())

    return report


def _events(wanted: Excerpt, folder: Path, progress: Progress) -> Iterator[Event]:
    for at, method in enumerate(wanted.methods):
        again = rerun(wanted.results, method, wanted.seed, wanted.until)
        # Perfetto shows the thread with the number of its process first: the server.  Numbers of
        # threads are unique over all processes.
        number = 1 + at * (wanted.results.scenario.cluster.workers + 1)
        for worker, event in _names(wanted, method, number):
            yield event | {"pid": number, "tid": number + 1 + worker}
        for worker, event in _of_run(wanted, again, folder, progress):
            yield event | {"pid": number, "tid": number + 1 + worker}


def _names(wanted: Excerpt, method: str, number: int) -> Iterator[tuple[int, Event]]:

    def metadata(worker: int, kind: str, **args: Any) -> tuple[int, Event]:
        return worker, {"name": kind, "ph": "M", "args": args}

    yield metadata(SERVER, "process_name", name=f"{method}, seed {wanted.seed}")
    yield metadata(SERVER, "process_sort_index", sort_index=number)
    workers = sorted(wanted.workers)
    # Leading zeros are for viewers that sort by name.
    width = len(str(workers[-1]))
    for worker in (SERVER, *workers):
        name = "server" if worker == SERVER else f"worker {worker:0{width}}"
        yield metadata(worker, "thread_name", name=name)
        yield metadata(worker, "thread_sort_index", sort_index=worker + 1)


def _of_run(
    wanted: Excerpt, again: Rerun, folder: Path, progress: Progress
) -> Iterator[tuple[int, Event]]:
    """The server's events as they happen; then each worker's, which wait in a spool."""
    name = f"{again.run.method}, seed {again.run.seed}"
    served: list[Slice] = []
    with Spool(folder, wanted.results.scenario.cluster.workers) as spool:
        keep = _keeper(wanted, again.end, spool, served)
        for step in again.steps(Sinks(keep, keep)):
            yield from _of_server(served)
            if step.time >= wanted.begin:
                yield SERVER, _step(step)
            now = step.time
            progress(lambda: f"{name}: {now:,.4g} of {again.end:,.4g} s")  # noqa: B023
        yield from _of_server(served)
        for worker, layers in spool.read():
            if worker in wanted.workers:
                for each in again.track(layers, wanted.begin):
                    yield worker, _slice(each)
                    progress(lambda: f"{name}: writes worker {worker:,}")  # noqa: B023


def _of_server(served: list[Slice]) -> Iterator[tuple[int, Event]]:
    """The server's new slices, which are then forgotten."""
    yield from ((SERVER, _slice(each)) for each in served)
    served.clear()


def _keeper(
    wanted: Excerpt, end: float, spool: Spool, served: list[Slice]
) -> Callable[[Record], None]:
    """A sink: the server's records go to a list, those of wanted workers to the spool."""
    workers, begin = wanted.workers, wanted.begin

    def keep(record: Record) -> None:
        if isinstance(record, Computation):
            if record.ticket.worker in workers and record.finish > begin:
                spool.add(record.ticket.worker, record)
        elif record.worker == SERVER:
            start, finish = max(record.start, begin), min(record.finish, end)
            if start < finish:
                served.append(Slice(start, finish, record))
        # A past outage may have broken off an upload, so it is kept.
        elif record.worker in workers and (record.finish > begin or record.kind == "down"):
            spool.add(record.worker, record)

    return keep


def _step(step: Step) -> Event:
    args = {
        "step": step.number,
        "gradients": len(step.tickets),
        "used": step.used,
        "delay": step.version - step.dispatched,
    }
    event = {"name": "step", "cat": "step", "ph": "i", "s": "t", "ts": step.time * MICROSECONDS}
    return event | {"args": args}


def _slice(each: Slice) -> Event:
    name, args = each.kind, {}
    if isinstance(each.record, Computation):
        ticket, _, _, outcome, step, weight = each.record
        name = f"computing, {NAMES.get(outcome, outcome)}"
        args = {"version": ticket.version, "ticket": ticket._asdict(), "outcome": outcome}
        args |= {} if step is None else {"step": step, "weight": weight}
    elif each.record:
        args = {"version": each.record.version}
    ts, dur = _microseconds(each.start, each.finish)
    return {"name": name, "cat": each.kind, "ph": "X", "ts": ts, "dur": dur, "args": args}


def _microseconds(start: float, finish: float) -> tuple[float, float]:
    """The start and the length of a slice.

    Perfetto truncates both to whole nanoseconds, and drops a slice that then overlaps the next one.
    Where rounding would cause that, the slice ends in the middle of its last nanosecond.
    """
    ts, end = start * MICROSECONDS, finish * MICROSECONDS
    dur, longest = end - ts, int(end * 1e3) - int(ts * 1e3)
    return ts, dur if int(dur * 1e3) <= longest else (longest + 0.5) / 1e3
