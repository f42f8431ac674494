"""How does a run in real time become a schedule?  From its steps, computations and stretches.

Accounts are computed from the recorded intervals, as those of the reference are.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from simulator.reference.record import FATES, Computations, Record, Spans
from simulator.schedule import Accounts, Computation, Step, Stretch


class Recorded:
    """A recorded run as a schedule, which the training loop can follow up to its ``end``."""

    def __init__(
        self,
        workers: int,
        end: float,
        steps: Sequence[Step],
        computations: Sequence[Computation],
        stretches: Sequence[Stretch],
        account_when: Callable[[int, float], bool] = lambda number, time: False,
    ) -> None:
        self.version, self.workers = 0, workers
        transfers = _spans(stretches, "receiving", "sending")
        arrays, outages = _arrays(computations), _spans(stretches, "down")
        self._record = Record(workers, end, False, [*steps], arrays, transfers, outages)
        self._when = account_when
        self._last = {version: step.number for step in steps for version in step.versions}

    def steps(self, stop: object) -> Iterator[Step]:
        for step in self._record.steps:
            self.version = step.number
            wanted = self._when(step.number, step.time)
            yield step._replace(accounts=self._record.accounts(step.number) if wanted else None)

    def versions_in_use(self) -> set[int]:
        return {version for version, last in self._last.items() if last > self.version}

    def accounts(self) -> Accounts:
        return self._record.accounts()

    def accounts_at(self, steps: int) -> Accounts:
        return self._record.accounts(steps) if steps else _at_the_start(self.workers)


def _at_the_start(workers: int) -> Accounts:
    counts, seconds = np.zeros(workers, np.int64), np.zeros(workers)
    none: Any = [counts] * 6 + [seconds] * 5
    return Accounts(0.0, *none)


def _spans(stretches: Sequence[Stretch], *kinds: str) -> Spans:
    rows = [each[1:4] for each in stretches if each.kind in kinds]
    worker, begin, end = np.array(rows, np.float64).reshape(-1, 3).T
    return Spans(worker.astype(np.int64), begin, end)


def _arrays(rows: Sequence[Computation]) -> Computations:
    worker, version, index = np.array([each.ticket for each in rows], np.int64).reshape(-1, 3).T
    zeros = np.zeros(len(rows), np.int64)  # no two events of a real run are at one instant
    return Computations(
        worker,
        version,
        index,
        np.array([each.start for each in rows], np.float64),
        np.array([each.finish for each in rows], np.float64),
        np.array([FATES[each.outcome] for each in rows], np.int8),
        np.array([each.step or 0 for each in rows], np.int64),
        np.array([np.nan if each.weight is None else each.weight for each in rows], np.float64),
        zeros,
        zeros,
    )
