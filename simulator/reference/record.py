"""What has happened?  The server steps, every computation, and the accounts at any step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from simulator.cluster.law import Floats, Integers
from simulator.reference.accounts import COMPUTING, DOWN, TRANSFER, WASTED, Seconds, Spans, seconds
from simulator.reference.objects import Computation, Outage, Span
from simulator.schedule import Accounts, Outcome, Step

Codes: TypeAlias = NDArray[np.int8]
OUTCOMES: tuple[str, ...] = get_args(Outcome)
"""The word of each code in ``Computations.outcome``."""
FATES = {fate: code for code, fate in enumerate(OUTCOMES)}
RUNNING, OBSOLETE, EXPIRED = (len(OUTCOMES) + k for k in range(3))


@dataclass(frozen=True)
class Computations:
    """Every computation that was started, by worker, then version, then index.

    ``outcome`` is a place in `OUTCOMES`; ``step`` is 0 and ``weight`` NaN where no step used it.
    ``born`` and ``sealed`` count the steps that had closed when it was planned, and when its
    fate was decided.
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


@dataclass(frozen=True)
class Record:
    """A run up to ``time``.  ``stalled``: nothing could have happened any more."""

    workers: int
    time: float
    stalled: bool
    steps: list[Step]
    computations: Computations
    transfers: Spans
    outages: Spans

    def accounts(self, number: int | None = None) -> Accounts:
        """Every worker's account as the step of this number closed, or at the end.

        A computation that was planned after that step does not count, and neither does what
        became of one after it, although the clock may show the same time.
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
        return Accounts(
            time,
            self._count(started),
            self._count(used),
            self._count(recalled),
            self._count(dropped),
            self._count(lost),
            self._count(started & ~used & ~wasted),
            *self._seconds(wasted, time),
        )

    def _count(self, chosen: NDArray[np.bool_]) -> Integers:
        return np.bincount(self.computations.worker[chosen], minlength=self.workers)

    def _seconds(self, wasted: NDArray[np.bool_], time: float) -> Seconds:
        of = self.computations
        computing = Spans(of.worker, of.start, of.finish)
        kinds = {
            COMPUTING: computing,
            WASTED: computing.rows(wasted),
            TRANSFER: self.transfers,
            DOWN: self.outages,
        }
        return seconds(kinds, self.workers, time)


def record(
    workers: int,
    time: float,
    steps: list[Step],
    computations: Sequence[Computation],
    transfers: Sequence[Span],
    outages: Sequence[Outage],
    *,
    stalled: bool,
) -> Record:
    """All that is known of a run that ends at this time, as arrays."""
    downs = ((outage.worker.number, outage.begin, outage.end) for outage in outages)
    sent = ((span.worker, span.begin, span.end) for span in transfers)
    return Record(
        workers,
        time,
        stalled,
        steps,
        columns([each for each in computations if each.start <= time], time),
        Spans.of(sent),
        Spans.of(downs),
    )


def columns(computations: list[Computation], time: float) -> Computations:
    """The computations, sorted.  Each worker's are in the order of their versions already."""

    def integers(name: str) -> Integers:
        return np.fromiter((getattr(each, name) for each in computations), np.int64, count)

    def floats(name: str) -> Floats:
        return np.fromiter((getattr(each, name) for each in computations), np.float64, count)

    count = len(computations)
    worker = np.fromiter((each.worker.number for each in computations), np.int64, count)
    finish = floats("finish")
    outcome, ended = outcomes(computations, finish <= time)
    step = integers("step")
    found = {
        "version": integers("version"),
        "index": integers("index"),
        "start": floats("start"),
        "finish": np.where(ended, finish, time),
        "outcome": outcome,
        "step": step,
        "weight": np.where(step > 0, floats("weight"), np.nan),
        "born": integers("born"),
        "sealed": integers("sealed"),
    }
    order = np.argsort(worker, kind="stable")
    return Computations(worker[order], **{name: each[order] for name, each in found.items()})


def outcomes(
    computations: list[Computation], over: NDArray[np.bool_]
) -> tuple[Codes, NDArray[np.bool_]]:
    """What became of each, and whether it has ended; an obsolete one has when its time is over."""
    codes = FATES | {"running": RUNNING, "obsolete": OBSOLETE}
    fate = np.fromiter((codes[each.fate] for each in computations), np.int8, len(computations))
    obsolete = fate == OBSOLETE
    for at in np.flatnonzero(obsolete & over).tolist():
        fate[at] = FATES["recalled" if computations[at].expires else "dropped"]
    ended = fate < RUNNING
    fate[~ended] = FATES["unfinished"]
    return fate, ended
