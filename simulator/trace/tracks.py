"""Tracks: a run's schedule, simulated once more, as one line per worker.

The records of a trace overlap: a paused computation spans the pause, an upload goes on behind the
next computation.  On a track an outage covers all else, a computation covers the transfers, and
waiting is the rest.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from simulator.cluster import InvalidDuration
from simulator.engine import Sinks, Stalled, Stop
from simulator.mistakes import Mistake
from simulator.results import recorded
from simulator.results.results import Results
from simulator.schedule import Computation, Step, Stretch, as_of
from simulator.training.record import Run
from simulator.training.schedules import replay, stop_of

Record: TypeAlias = Computation | Stretch
LAYERS = ("down", "computing", "receiving", "sending")  # each covers those that follow
Layers: TypeAlias = dict[str, Iterable[Record]]
"""The records of one worker, by layer, in the order of time."""


def layer_of(record: Record) -> str:
    return "computing" if isinstance(record, Computation) else record.kind


class Slice(NamedTuple):
    """A worker's record from ``start`` to ``finish``; ``None`` where it waited."""

    start: float
    finish: float
    record: Record | None

    @property
    def kind(self) -> str:
        return layer_of(self.record) if self.record else "waiting"


class Rerun(NamedTuple):
    """A finished run, to be simulated again up to ``stop``, or read if it happened in real time."""

    results: Results
    run: Run
    stop: Stop
    stalled: bool
    lossy: bool  # whether a worker loses its work in an outage

    @property
    def end(self) -> float:
        return self.stop.seconds

    def steps(self, sinks: Sinks) -> Iterator[Step]:
        if self.results.real:
            return self._recorded(sinks)
        return self._simulated(sinks)

    def _simulated(self, sinks: Sinks) -> Iterator[Step]:
        simulation = replay(self.results.scenario, self.run, self.results.vector, sinks)
        with suppress(Stalled, InvalidDuration):  # as the run itself did
            yield from simulation.steps(self.stop)
        simulation.close_trace()

    def _recorded(self, sinks: Sinks) -> Iterator[Step]:
        """Of a real run: the steps that its story makes of the recorded events."""
        own = self.run.method, self.run.seed
        steps = recorded.steps(self.results, *own)
        within = [step for step in steps if step.time <= self.end]
        yield from within
        for stretch in self.results.happenings(*own).stretches:
            if stretch.start < self.end:
                sinks.stretch(stretch._replace(finish=min(stretch.finish, self.end)))
        for computation in recorded.computations(self.results, *own):
            if known := as_of(computation, self.end, len(within)):
                sinks.computation(known)

    def track(self, layers: Layers, begin: float = 0.0) -> Iterator[Slice]:
        return track(layers, begin, self.end, lossy=self.lossy)


def rerun(results: Results, method: str, seed: int, until: float = math.inf) -> Rerun:
    """A run of these results, up to its end or to ``until``, whichever comes first."""
    runs = results.manifest["runs"]
    row = next(run for run in runs if (run["method"], run["seed"]) == (method, seed))
    run = results.run(method, seed)
    if run.lengths is not None and row["started"] and not run.lengths:
        missing = f"the tickets of {method}, seed {seed} are not written down"
        raise Mistake(f"{results.directory}: {missing}, and its times depend on them")
    stop, seconds = stop_of(results.scenario), float(row["simulated_seconds"])
    if row["end"] not in ("stop", "stalled"):
        stop = stop._replace(steps=int(row["steps"]))
    stop = stop._replace(seconds=min(seconds, until))
    stalled = row["end"] == "stalled" and seconds <= until
    outages = results.scenario.cluster.build_outages()
    return Rerun(results, run, stop, stalled, bool(outages) and outages.work == "lost")


def layers_of(records: Iterable[Record]) -> Layers:
    """One worker's records by layer; they may come in any order."""
    ordered = sorted(records, key=lambda record: (record.start, record.finish))
    return {layer: [each for each in ordered if layer_of(each) == layer] for layer in LAYERS}


def track(layers: Layers, begin: float, end: float, *, lossy: bool) -> Iterator[Slice]:
    """Slices without gaps from ``begin`` to ``end``; records that took no time are left out.

    ``lossy``: an outage ends a transfer.

    >>> from algorithms.tickets import Ticket
    >>> used = Computation(Ticket(0, 0, 0), 1.0, 4.0, "used")
    >>> layers = layers_of([used, Stretch("down", 0, 2, 3, 0)])
    >>> [(each.start, each.kind) for each in track(layers, 0.0, 4.0, lossy=False)]
    [(0.0, 'waiting'), (1.0, 'computing'), (2, 'down'), (3, 'computing')]
    """
    slices: Iterator[Slice] = iter(())
    for layer in LAYERS:
        lower = (Slice(record.start, record.finish, record) for record in layers[layer])
        slices = _beneath(slices, lower, lossy and layer in ("receiving", "sending"))
    for start, finish, record in _beneath(slices, [Slice(begin, end, None)]):
        if max(start, begin) < min(finish, end):
            yield Slice(max(start, begin), min(finish, end), record)


def _beneath(
    upper: Iterator[Slice], lower: Iterable[Slice], lossy: bool = False
) -> Iterator[Slice]:
    cover, reached = next(upper, None), -math.inf
    for start, finish, record in lower:
        reached = max(start, reached)
        while reached < finish:
            while cover and cover.finish <= reached:
                yield cover
                cover = next(upper, None)
            if cover is None or cover.start > reached:
                until = finish if cover is None else min(finish, cover.start)
                yield Slice(reached, until, record)
                reached = until
            elif cover:
                reached = cover.finish
                if lossy and cover.kind == "down":
                    break
    while cover:
        yield cover
        cover = next(upper, None)
