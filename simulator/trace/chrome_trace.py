"""What did everybody do, all the time?  A file in the Chrome trace event format, for Perfetto.

https://ui.perfetto.dev opens it: a process per run, a track for the server and one per worker.
The format (Google, "Trace Event Format") wants microseconds, asks for no order of the events,
but of those on a track that they nest; ours never overlap.  ``cname``, its colours by name,
means nothing to Perfetto, which colours by the name of the event: ours name kind and outcome.
"""

import json
import math
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

from simulator.engine import Sinks
from simulator.mistakes import Mistake, did_you_mean
from simulator.results.results import Results
from simulator.schedule import Computation, Step
from simulator.trace.spool import Spool
from simulator.trace.tracks import Record, Rerun, Slice, rerun

SERVER = -1
"""The server's number among the workers."""

MICROSECONDS = 1e6
PATIENCE = 2.0
"""Real seconds after which one hears how far it is, and again."""

NAMES = {"waiting": "not used yet"}
"""What an outcome is called where its own name would mislead: the worker did not wait."""

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Excerpt(NamedTuple):
    """What to write: some runs of one seed, some workers, from ``begin`` to ``until``."""

    results: Results
    methods: list[str]
    seed: int
    workers: Collection[int]
    begin: float = 0.0
    until: float = math.inf


class Written(NamedTuple):
    path: Path
    events: int
    size: int
    """In bytes."""


def excerpt(
    results: Results,
    methods: list[str] | None = None,
    seed: int | None = None,
    workers: list[range] | None = None,
    begin: float = 0.0,
    until: float = math.inf,
) -> Excerpt:
    """What a user asks for; all methods of the first seed, unless said otherwise."""
    runs = results.runs
    if runs.empty:
        raise Mistake(f"{results.directory}: holds no run")
    seeds = [int(each) for each in runs["seed"].unique()]
    if seed is None:
        seed = seeds[0]
    elif seed not in seeds:
        raise Mistake(f"--seed {seed}: no such seed here; known: {', '.join(map(str, seeds))}")
    mine = runs[runs["seed"] == seed].set_index("method")["simulated_seconds"]
    for method in methods or ():
        if method not in mine.index:
            hint = did_you_mean(method, mine.index)
            raise Mistake(f"--method {method}: no such method here, of seed {seed}; {hint}")
    chosen = list(dict.fromkeys(methods or mine.index))
    _check_window(begin, until, float(mine[chosen].max()))
    everybody = range(results.scenario.cluster.workers)
    return Excerpt(results, chosen, seed, _chosen(everybody, workers), begin, until)


def _chosen(everybody: range, some: list[range] | None) -> Collection[int]:
    if some is None:
        return everybody
    for each in some:
        if not each or each.stop > everybody.stop:
            wrong = f"{each.start}-{each.stop - 1}" if len(each) != 1 else f"{each.start}"
            raise Mistake(f"--workers {wrong}: no such workers; they are 0 to {everybody[-1]}")
    return frozenset(worker for each in some for worker in each)


def _check_window(begin: float, until: float, end: float) -> None:
    if not 0 <= begin < math.inf:
        raise Mistake(f"--from {begin:g}: must be simulated seconds, 0 or more")
    if not until > begin:
        raise Mistake(f"--until {until:g}: must be later than --from, which is {begin:g}")
    if begin >= end > 0:
        raise Mistake(f"--from {begin:g}: nothing is left to show, all is over at {end:g} s")


def write(wanted: Excerpt, path: Path, say: Callable[[str], None] = lambda text: None) -> Written:
    """Write the excerpt; ``say`` hears where it is, if that takes long."""
    try:
        with File(path) as file:
            patience = Patience(say)
            many = wanted.results.scenario.cluster.workers
            for at, method in enumerate(wanted.methods):
                again = rerun(wanted.results, method, wanted.seed, wanted.until)
                # Perfetto takes the thread with the number of its process for the main one, and
                # shows it first: the server.  Numbers of threads are unique over all processes.
                Process(file, wanted, again, 1 + at * (many + 1)).write(patience)
    except OSError as error:
        raise Mistake(f"--out {path}: cannot be written: {error.strerror or error}") from None
    return Written(path, file.events, path.stat().st_size)


class Patience:
    """Speaks up when something takes long, and then now and again."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._spoke = say, time.monotonic()

    def __call__(self, where: Callable[[], str]) -> None:
        if time.monotonic() - self._spoke > PATIENCE:
            self._spoke = time.monotonic()
            self._say(where())


class File:
    """Events, written one by one, under another name until the last one is there."""

    def __init__(self, path: Path) -> None:
        self._path, self._partial = path, path.with_name(path.name + ".partial")
        self.events = 0

    @property
    def folder(self) -> Path:
        return self._path.parent

    def __enter__(self) -> "File":
        self._file = self._partial.open("w", encoding="utf-8")
        self._file.write('{"displayTimeUnit":"ms","traceEvents":[')
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._file.write("\n]}\n")
        self._file.close()
        if kind is None:
            os.replace(self._partial, self._path)
        else:
            self._partial.unlink()

    def add(self, event: dict[str, Any]) -> None:
        self._file.write((",\n" if self.events else "\n") + _encode(event))
        self.events += 1


class Process:
    """One run, numbered like its server; its workers' numbers follow."""

    def __init__(self, file: File, wanted: Excerpt, again: Rerun, number: int) -> None:
        self._file, self._wanted, self._again, self._number = file, wanted, again, number
        self._name = f"{again.run.method}, seed {again.run.seed}"

    def write(self, patience: Patience) -> None:
        again, name = self._again, self._name
        self._name_tracks()
        with Spool(self._file.folder, self._wanted.results.scenario.cluster.workers) as spool:
            keep = self._keeper(spool)
            for step in again.steps(Sinks(keep, keep)):
                self._add_step(step)
                now = step.time
                patience(lambda: f"{name}: {now:,.4g} of {again.end:,.4g} s")  # noqa: B023
            for worker, told in spool.read():
                if worker in self._wanted.workers:
                    for each in again.track(told, self._wanted.begin):
                        self._add_slice(worker, each)
                        patience(lambda: f"{name}: writes worker {worker:,}")  # noqa: B023

    def _name_tracks(self) -> None:
        workers = sorted(self._wanted.workers)
        self._tell(SERVER, "process_name", name=self._name)
        self._tell(SERVER, "process_sort_index", sort_index=self._number)
        # With leading zeros, for viewers that sort by name.
        width = len(str(workers[-1]))
        names = {SERVER: "server"} | {each: f"worker {each:0{width}}" for each in workers}
        for worker, name in names.items():
            self._tell(worker, "thread_name", name=name)
            self._tell(worker, "thread_sort_index", sort_index=worker + 1)

    def _tell(self, worker: int, name: str, /, **about: Any) -> None:
        self._add(worker, {"name": name, "ph": "M", "args": about})

    def _keeper(self, spool: Spool) -> Callable[[Any], None]:
        """Where records go: the server's to the file, workers' to the spool or nowhere."""
        wanted, begin, end = self._wanted.workers, self._wanted.begin, self._again.end

        def keep(record: Record) -> None:
            if isinstance(record, Computation):
                if record.ticket.worker in wanted and record.finish > begin:
                    spool.add(record.ticket.worker, record)
            elif record.worker == SERVER:
                start, finish = max(record.start, begin), min(record.finish, end)
                if start < finish:
                    self._add_slice(SERVER, Slice(start, finish, record))
            # An outage that is over may have broken off an upload that would go on.
            elif record.worker in wanted and (record.finish > begin or record.kind == "down"):
                spool.add(record.worker, record)

        return keep

    def _add_step(self, step: Step) -> None:
        if step.time < self._wanted.begin:
            return
        about = {
            "step": step.number,
            "gradients": len(step.tickets),
            "used": step.used,
            "delay": step.version - step.dispatched,
        }
        event = {"name": "step", "cat": "step", "ph": "i", "s": "t", "ts": step.time * MICROSECONDS}
        self._add(SERVER, event | {"args": about})

    def _add_slice(self, worker: int, each: Slice) -> None:
        ts, dur = _microseconds(each.start, each.finish)
        name, about = _described(each)
        event = {"name": name, "cat": each.kind, "ph": "X", "ts": ts, "dur": dur}
        self._add(worker, event | {"args": about})

    def _add(self, worker: int, event: dict[str, Any]) -> None:
        self._file.add(event | {"pid": self._number, "tid": self._number + 1 + worker})


def _described(each: Slice) -> tuple[str, dict[str, Any]]:
    """The name of a slice, and what there is to know about it."""
    match each.record:
        case None:
            return each.kind, {}
        case Computation(ticket, _, _, outcome, step, weight):
            about = {"version": ticket.version, "ticket": ticket._asdict(), "outcome": outcome}
            name = f"computing, {NAMES.get(outcome, outcome)}"
            return name, about | ({} if step is None else {"step": step, "weight": weight})
        case stretch:
            return each.kind, {"version": stretch.version}


def _microseconds(start: float, finish: float) -> tuple[float, float]:
    """When a slice begins and how long it is.

    Perfetto counts whole nanoseconds, cut off, of both; a slice that so ends later than the next
    one begins it throws away.  Rounding may bring that about: then the length is set to the
    middle of the nanosecond in which it has to end.
    """
    ts, end = start * MICROSECONDS, finish * MICROSECONDS
    dur, longest = end - ts, int(end * 1e3) - int(ts * 1e3)
    return ts, dur if int(dur * 1e3) <= longest else (longest + 0.5) / 1e3
