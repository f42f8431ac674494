"""What does a worker do when?  A run's schedule, simulated once more and laid out as tracks.

The trace tells of computations, transfers and outages, each when its fate is known, and some of
them at the same time: a paused computation spans the pause, an upload hides behind the next
computation.  A track is one line: an outage covers all else, a computation the transfers, and
what nothing covers is waiting.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from simulator.cluster import InvalidDuration
from simulator.engine import Sinks, Stalled, Stop
from simulator.mistakes import Mistake
from simulator.results.results import Results
from simulator.schedule import Computation, Step, Stretch
from simulator.training.record import Run
from simulator.training.schedules import replay, stop_of

Record: TypeAlias = Computation | Stretch
LAYERS = ("down", "computing", "receiving", "sending")
"""What a worker does; each hides those that follow."""
Doings: TypeAlias = dict[str, Iterable[Record]]
"""All that one worker did: by layer, in the order of time."""


def layer_of(record: Record) -> str:
    """On which layer it lies."""
    return "computing" if isinstance(record, Computation) else record.kind


class Slice(NamedTuple):
    """What a worker did from ``start`` to ``finish``; where that is ``None``, it waited."""

    start: float
    finish: float
    record: Record | None

    @property
    def kind(self) -> str:
        """Computing, receiving, sending, down, or waiting."""
        return layer_of(self.record) if self.record else "waiting"


class Rerun(NamedTuple):
    """A run that has been, to be followed to its end or to an earlier moment."""

    results: Results
    run: Run
    stop: Stop
    stalled: bool
    lossy: bool  # whether a worker loses its work in an outage

    @property
    def end(self) -> float:
        return self.stop.seconds

    def steps(self, sinks: Sinks) -> Iterator[Step]:
        """Its server steps once more; all that the workers do goes to the sinks."""
        simulation = replay(self.results.scenario, self.run, self.results.vector, sinks)
        with suppress(Stalled, InvalidDuration):  # where the run itself ended so, its schedule does
            yield from simulation.steps(self.stop)
        simulation.close_trace()

    def track(self, did: Doings, begin: float = 0.0) -> Iterator[Slice]:
        """What a worker did from ``begin`` to the end, as ``track`` below."""
        return track(did, begin, self.end, lossy=self.lossy)


def rerun(results: Results, method: str, seed: int, until: float = math.inf) -> Rerun:
    """A run of these results, up to its end or to ``until``, whichever comes first."""
    runs = results.manifest["runs"]
    row = next(run for run in runs if (run["method"], run["seed"]) == (method, seed))
    run = results.run(method, seed)
    if run.lengths is not None and row["started"] and not run.lengths:
        what = f"the tickets of {method}, seed {seed} are not written down"
        raise Mistake(f"{results.directory}: {what}, and its times depend on them")
    stop, seconds = stop_of(results.scenario), float(row["simulated_seconds"])
    if row["end"] not in ("stop", "stalled"):
        stop = stop._replace(steps=int(row["steps"]))
    stop = stop._replace(seconds=min(seconds, until))
    stalled = row["end"] == "stalled" and seconds <= until
    outages = results.scenario.cluster.build_outages()
    return Rerun(results, run, stop, stalled, bool(outages) and outages.work == "lost")


def doings(records: Iterable[Record]) -> Doings:
    """What one worker did, from its records in any order."""
    ordered = sorted(records, key=lambda record: (record.start, record.finish))
    return {layer: [each for each in ordered if layer_of(each) == layer] for layer in LAYERS}


def track(did: Doings, begin: float, end: float, *, lossy: bool) -> Iterator[Slice]:
    """Slices without gaps from ``begin`` to ``end``; what took no time is left out.

    ``lossy``: what an outage interrupts does not go on after it.

    >>> from algorithms.tickets import Ticket
    >>> did = doings([Computation(Ticket(0, 0, 0), 1.0, 4.0, "used"), Stretch("down", 0, 2, 3, 0)])
    >>> [(each.start, each.kind) for each in track(did, 0.0, 4.0, lossy=False)]
    [(0.0, 'waiting'), (1.0, 'computing'), (2, 'down'), (3, 'computing')]
    """
    slices: Iterator[Slice] = iter(())
    for layer in LAYERS:
        lower = (Slice(record.start, record.finish, record) for record in did[layer])
        slices = _beneath(slices, lower, lossy and layer in ("receiving", "sending"))
    for start, finish, record in _beneath(slices, [Slice(begin, end, None)]):
        if max(start, begin) < min(finish, end):
            yield Slice(max(start, begin), min(finish, end), record)


def _beneath(
    upper: Iterator[Slice], lower: Iterable[Slice], lossy: bool = False
) -> Iterator[Slice]:
    """The upper slices, and the lower ones where these leave room, first come first served."""
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
