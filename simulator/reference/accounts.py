"""Where did every worker's seconds go?  Read off the recorded intervals, all at once."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.cluster.law import Floats, Integers

COMPUTING, WASTED, TRANSFER, DOWN = range(4)
"""What a worker may be doing; ``WASTED`` is computing that came to nothing."""


class Spans(NamedTuple):
    """Intervals of workers."""

    worker: Integers
    begin: Floats
    end: Floats

    @classmethod
    def of(cls, spans: Iterable[tuple[int, float, float]]) -> "Spans":
        rows: Floats = np.array(list(spans), np.float64).reshape(-1, 3)
        return cls(rows[:, 0].astype(np.int64), rows[:, 1], rows[:, 2])

    def rows(self, chosen: NDArray[np.bool_]) -> "Spans":
        return Spans(self.worker[chosen], self.begin[chosen], self.end[chosen])


class Seconds(NamedTuple):
    """Those columns of the accounts."""

    busy: Floats
    communicating: Floats
    down: Floats
    idle: Floats
    wasted: Floats


def seconds(kinds: Mapping[int, Spans], workers: int, time: float) -> Seconds:
    """Every worker's seconds up to this time, by what it did.

    A worker that is down does nothing else, and one that computes is not said to communicate.
    """
    worker, lasting, on = pieces(kinds, time)

    def total(chosen: NDArray[np.bool_]) -> Floats:
        weights = np.where(chosen, lasting, 0.0)
        return np.bincount(worker, weights, workers).astype(np.float64)

    up = ~on[DOWN]
    busy, down = total(on[COMPUTING] & up), total(on[DOWN])
    communicating = total(on[TRANSFER] & ~on[COMPUTING] & up)
    idle = time - busy - communicating - down
    return Seconds(busy, communicating, down, idle, total(on[WASTED] & up))


def pieces(
    kinds: Mapping[int, Spans], time: float
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
    lasting = np.diff(moment, append=0.0)  # where the next worker follows, nothing is on
    on = {name: np.cumsum(np.where(kind == name, change, 0)) > 0 for name in kinds}
    return worker, lasting, on
