"""A trace: the speeds that somebody measured."""

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt

from simulator.cluster.law import Floats, Integers
from simulator.cluster.speed import Pace
from simulator.cluster.speeds.csv_trace import read_csv
from simulator.cluster.speeds.entries import check_positive
from simulator.cluster.speeds.parquet_trace import read_parquet
from simulator.cluster.speeds.pieces import Pieces
from simulator.cluster.speeds.readings import Readings, wrong

READERS = {".csv": read_csv, ".parquet": read_parquet}


@dataclass(frozen=True)
class Trace:
    """Speeds from a CSV or Parquet ``file`` with the columns worker, time and speed.

    From its time on, a row's speed holds until the same worker's next row; the last one's for
    ever, or, with a ``period``, until the trace repeats.  Before its first row a worker has the
    speed of that row; a worker without rows has speed 1.  Workers count from 0.  Their rows may
    be mixed, as a log writes them, but each worker's go on in time.  A relative path starts from
    the directory in which the program runs.
    """

    file: str
    period: Annotated[float, Gt(0)] | None = None
    random: ClassVar[bool] = False

    def pace(self, workers: int, seed: int) -> Pace:
        if self.period is not None:
            check_positive("period", self.period)
        period = inf if self.period is None else self.period
        readings = self._read()
        readings.check(workers, before=period)
        return Pieces(*_rows(readings, workers), period=period)

    def _read(self) -> Readings:
        read = READERS.get(Path(self.file).suffix.lower())
        if read is None:
            raise wrong(self.file, f"must end in {' or '.join(READERS)}")
        try:
            open(self.file, "rb").close()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            remedy = "must be the path of a CSV or Parquet file"
            raise wrong(self.file, f"cannot be read: {reason}: {remedy}") from None
        return read(self.file)


def _rows(readings: Readings, workers: int) -> tuple[Integers, Floats, Floats]:
    """The rows sorted by worker, with one for everybody who has none."""
    silent = np.setdiff1d(np.arange(workers), readings.worker)
    worker = np.concatenate([readings.worker, silent])
    order = np.argsort(worker, kind="stable")
    times = np.concatenate([readings.time, np.zeros(len(silent))])[order]
    speeds = np.concatenate([readings.speed, np.ones(len(silent))])[order]
    first = np.searchsorted(worker[order], np.arange(workers + 1))
    times[first[:-1]] = 0.0
    return first, times, speeds
