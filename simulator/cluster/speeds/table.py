"""A table of speeds: who is how fast from when on."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, cast

import numpy as np
from annotated_types import MinLen

from simulator.cluster.speed import Pace
from simulator.cluster.speeds.entries import check_one_per_time, check_times
from simulator.cluster.speeds.pieces import Pieces


@dataclass(frozen=True)
class Table:
    """From ``times[k]`` on the speed is ``speeds[k]``, for all workers or in a row for each.

    The last speed stays for ever; a 0 pauses, and at the end it stops the worker for good.

    >>> Table(times=[0.0, 10.0], speeds=[1.0, 0.5]).pace(2, seed=0).finish(1, 8.0, 4.0)
    14.0
    """

    times: Annotated[list[float], MinLen(1)]
    speeds: list[float] | list[list[float]]
    random: ClassVar[bool] = False

    def pace(self, workers: int, seed: int) -> Pace:
        check_times(self.times)
        own = bool(self.speeds) and isinstance(self.speeds[0], list)
        rows = cast("list[list[float]]", self.speeds if own else [self.speeds])
        if own and len(rows) != workers:
            raise ValueError(
                f"speeds has {len(rows)} rows for {workers} workers: "
                "give one per worker, or a single list of numbers"
            )
        for at, speeds_of_one in enumerate(rows):
            name = f"speeds[{at}]" if own else "speeds"
            check_one_per_time(name, speeds_of_one, self.times)
        first = np.arange(len(rows) + 1) * len(self.times)
        times = np.tile(np.array(self.times, dtype=np.float64), len(rows))
        speeds = np.array(rows, dtype=np.float64).ravel()
        row = np.arange(workers) if own else np.zeros(workers, dtype=np.int64)
        return Pieces(first, times, speeds, row=row)
