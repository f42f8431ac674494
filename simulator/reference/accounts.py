"""What has every worker done by then?  Counts and seconds, read off the recorded intervals."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from simulator.cluster.law import Floats, Integers
from simulator.schedule import Accounts, Outcome

if TYPE_CHECKING:
    from simulator.reference.record import Record

OUTCOMES = get_args(Outcome)
CAME_TO_NOTHING = ("recalled", "dropped", "lost")


class Spans(NamedTuple):
    """Intervals of workers."""

    worker: Integers
    begin: Floats
    end: Floats

    @classmethod
    def of(cls, spans: Iterable[tuple[int, float, float]], count: int) -> "Spans":
        rows: Floats = np.array(list(spans), np.float64).reshape(count, 3)
        return cls(rows[:, 0].astype(np.int64), rows[:, 1], rows[:, 2])


def accounts(record: "Record", number: int, time: float) -> Accounts:
    """The accounts at this time, at which ``number`` steps had closed.

    A computation that was planned after the last of them does not count, and neither does what
    became of one after it, although the clock may show the same time.
    """
    of, workers = record.computations, record.workers
    started = (of.born < number) & (of.start <= time)
    used = started & (of.step > 0) & (of.step <= number)
    decided = started & (of.sealed < number) & (of.finish <= time)
    ends = {name: decided & (of.outcome == OUTCOMES.index(name)) for name in CAME_TO_NOTHING}
    came_to_nothing = ends["recalled"] | ends["dropped"] | ends["lost"]

    def count(chosen: NDArray[np.bool_]) -> Integers:
        return np.bincount(of.worker[chosen], minlength=workers)

    return Accounts(
        time,
        started=count(started),
        used=count(used),
        recalled=count(ends["recalled"]),
        dropped=count(ends["dropped"]),
        lost=count(ends["lost"]),
        unfinished=count(started & ~used & ~came_to_nothing),
        **seconds(record, time, came_to_nothing)._asdict(),
    )


COMPUTING, WASTED, TRANSFER, DOWN = range(4)


class Seconds(NamedTuple):
    """Those columns of the accounts."""

    busy: Floats
    communicating: Floats
    down: Floats
    idle: Floats
    wasted: Floats


def seconds(record: "Record", time: float, wasted: NDArray[np.bool_]) -> Seconds:
    """Where every worker's seconds went: each moment is of one kind.

    A worker that is down does nothing else, and one that computes is not said to communicate.
    """
    of = record.computations
    computing = Spans(of.worker, of.start, of.finish)
    in_vain = Spans(of.worker[wasted], of.start[wasted], of.finish[wasted])
    kinds = {
        COMPUTING: computing,
        WASTED: in_vain,
        TRANSFER: record.transfers,
        DOWN: record.outages,
    }
    worker, lasting, on = sweep(kinds, time)

    def total(chosen: NDArray[np.bool_]) -> Floats:
        weights = np.where(chosen, lasting, 0.0)
        return np.bincount(worker, weights, record.workers).astype(np.float64)

    up = ~on[DOWN]
    busy, down = total(on[COMPUTING] & up), total(on[DOWN])
    communicating = total(on[TRANSFER] & ~on[COMPUTING] & up)
    idle = time - busy - communicating - down
    return Seconds(busy, communicating, down, idle, total(on[WASTED] & up))


def sweep(
    kinds: dict[int, Spans], time: float
) -> tuple[Integers, Floats, dict[int, NDArray[np.bool_]]]:
    """The pieces of each worker's time between which nothing begins or ends.

    Returns whose each piece is, how long it lasts, and whether spans of a kind cover it.
    """
    sizes = [len(spans.worker) for spans in kinds.values()]
    kind = np.tile(np.repeat(list(kinds), sizes), 2)
    worker = np.tile(np.concatenate([spans.worker for spans in kinds.values()]), 2)
    change = np.repeat([1, -1], sum(sizes))
    ends = [spans.begin for spans in kinds.values()] + [spans.end for spans in kinds.values()]
    moment = np.minimum(np.concatenate(ends), time)
    order = np.lexsort((moment, worker))
    kind, worker, change, moment = kind[order], worker[order], change[order], moment[order]
    lasting = np.diff(moment, append=0.0)  # between two workers nothing is on
    on = {name: np.cumsum(np.where(kind == name, change, 0)) > 0 for name in kinds}
    return worker, lasting, on
