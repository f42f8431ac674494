"""The record of a replay: server steps, computations, and the accounts at any step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from simulator.cluster.law import Floats, Integers
from simulator.reference.objects import Computation, Span
from simulator.schedule import Accounts, Outcome, Step

Codes: TypeAlias = NDArray[np.int8]
Flags: TypeAlias = NDArray[np.bool_]
OUTCOMES: tuple[str, ...] = get_args(Outcome)  # the word of each code in ``Computations.outcome``
FATES = {fate: code for code, fate in enumerate((*OUTCOMES, "running", "obsolete"))}
COMPUTING, WASTED, TRANSFER, DOWN = range(4)  # kinds of spans; WASTED is part of COMPUTING


@dataclass(frozen=True)
class Computations:
    """Every started computation, by worker, then version, then index.

    ``outcome`` is an index of `OUTCOMES`; ``step`` is 0 and ``weight`` NaN where no step used it.
    ``born`` and ``sealed`` count the steps closed at its planning and at its end.
    """

    worker: Integers
    version: Integers
    index: Integers
    start: Floats
    finish: Floats
    outcome: Codes
    step: Integers
    weight: Floats
    born: Integers
    sealed: Integers

    def __len__(self) -> int:
        return len(self.worker)


class Spans(NamedTuple):
    worker: Integers
    begin: Floats
    end: Floats

    @classmethod
    def of(cls, spans: Iterable[Span]) -> "Spans":
        rows: Floats = np.array([(s.worker, s.begin, s.end) for s in spans], np.float64)
        worker, begin, end = rows.reshape(-1, 3).T
        return cls(worker.astype(np.int64), begin, end)


@dataclass(frozen=True)
class Record:
    """A run up to ``time``.  ``stalled``: no event was left."""

    workers: int
    time: float
    stalled: bool
    steps: list[Step]
    computations: Computations
    transfers: Spans
    outages: Spans

    def accounts(self, number: int | None = None) -> Accounts:
        """Every worker's account as the step of this number closed, or at the end.

        Plans and outcomes after that step do not count, even at the same time.
        """
        time = self.time if number is None else self.steps[number - 1].time
        number = len(self.steps) + 1 if number is None else number
        of = self.computations
        started = (of.born < number) & (of.start <= time)
        used = started & (of.step > 0) & (of.step <= number)
        decided = started & (of.sealed < number) & (of.finish <= time)
        recalled, dropped, lost = (
            decided & (of.outcome == FATES[name]) for name in ("recalled", "dropped", "lost")
        )
        wasted = recalled | dropped | lost
        chosen = (started, used, recalled, dropped, lost, started & ~used & ~wasted)
        counts = (np.bincount(of.worker[rows], minlength=self.workers) for rows in chosen)
        return Accounts._make([time, *counts, *self._seconds(wasted, time)])

    def _seconds(self, wasted: Flags, time: float) -> list[Floats]:
        """Busy, communicating, down, idle and wasted seconds up to this time.

        Down comes before all else, and computing before communicating.
        """
        of = self.computations
        kinds = {
            COMPUTING: Spans(of.worker, of.start, of.finish),
            WASTED: Spans(of.worker[wasted], of.start[wasted], of.finish[wasted]),
            TRANSFER: self.transfers,
            DOWN: self.outages,
        }
        worker, lasting, on = pieces(kinds, time)
        up = ~on[DOWN]
        chosen = (on[COMPUTING] & up, on[TRANSFER] & ~on[COMPUTING] & up, on[DOWN], on[WASTED] & up)
        weights = (np.where(rows, lasting, 0.0) for rows in chosen)
        busy, communicating, down, waste = (
            np.bincount(worker, each, self.workers).astype(np.float64) for each in weights
        )
        return [busy, communicating, down, time - busy - communicating - down, waste]


def pieces(kinds: dict[int, Spans], time: float) -> tuple[Integers, Floats, dict[int, Flags]]:
    """Pieces of each worker's time in which no span begins or ends.

    Returns the worker of each piece, its length, and whether spans of a kind cover it.
    """
    sizes = [len(spans.worker) for spans in kinds.values()]
    kind = np.tile(np.repeat(list(kinds), sizes), 2)
    worker = np.tile(np.concatenate([spans.worker for spans in kinds.values()]), 2)
    change = np.repeat([1, -1], sum(sizes))
    ends = [spans.begin for spans in kinds.values()] + [spans.end for spans in kinds.values()]
    moment = np.minimum(np.concatenate(ends), time)
    order = np.lexsort((moment, worker))
    kind, worker, change, moment = kind[order], worker[order], change[order], moment[order]
    lasting = np.diff(moment, append=0.0)  # no span covers the last piece of a worker
    on = {name: np.cumsum(np.where(kind == name, change, 0)) > 0 for name in kinds}
    return worker, lasting, on


def computations_of(computations: Sequence[Computation], time: float) -> Computations:
    """The computations started by this time, as arrays; each worker's are in order already."""
    rows = [each for each in computations if each.start <= time]
    worker = np.fromiter((each.worker.number for each in rows), np.int64, len(rows))
    order = np.argsort(worker, kind="stable")

    def integers(name: str) -> Integers:
        return np.fromiter((getattr(each, name) for each in rows), np.int64, len(rows))[order]

    def floats(name: str) -> Floats:
        return np.fromiter((getattr(each, name) for each in rows), np.float64, len(rows))[order]

    step, finish = integers("step"), floats("finish")
    outcome = outcomes(rows, time)[order]
    return Computations(
        worker[order],
        integers("version"),
        integers("index"),
        floats("start"),
        np.where(outcome == FATES["unfinished"], time, finish),
        outcome,
        step,
        np.where(step > 0, floats("weight"), np.nan),
        integers("born"),
        integers("sealed"),
    )


def outcomes(computations: list[Computation], time: float) -> Codes:
    """The outcome of each; an obsolete computation is dropped, or recalled at its limit."""
    fate = np.fromiter((FATES[each.fate] for each in computations), np.int8, len(computations))
    for at in np.flatnonzero(fate == FATES["obsolete"]).tolist():
        if computations[at].finish <= time:
            fate[at] = FATES["recalled" if computations[at].expires else "dropped"]
    fate[fate >= FATES["running"]] = FATES["unfinished"]
    return fate
