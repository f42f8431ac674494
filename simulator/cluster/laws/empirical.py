"""The empirical law: durations that were measured, drawn again."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Gt, Le

from simulator.cluster.fields import LONGEST_SECONDS, TIME_REMEDY
from simulator.cluster.law import Bits, Chance, Floats, Integers
from simulator.cluster.measurements import Measured, Wrong, named, read
from simulator.cluster.random_words import uniforms


@dataclass(frozen=True)
class Empirical(Chance):
    """Seconds drawn from the rows of a file, all rows alike, times ``scale``.

    The ``column`` of a CSV or Parquet ``file`` holds seconds.  With a column ``worker`` of numbers
    from 0 on, each worker draws from its own rows.  A draw is the quantile of the rows at the
    ticket's random number.  A relative path starts from the working directory.
    """

    file: str
    column: str = "seconds"
    worker: str | None = None
    scale: Annotated[float, Gt(0), Le(1e9)] = 1.0

    def base(self, workers: int, bits: Bits) -> Floats:
        """For each worker its mean, the number of its sample, and the unit of both."""
        with named(self.file):
            self._check(workers)
        mine = np.zeros(workers, np.int64) if self.worker is None else np.arange(workers)
        units = np.full(workers, self.scale)
        return np.column_stack([self._samples.means[mine] * units, mine * units, units])

    def vary(self, base: Floats, bits: Bits) -> Floats:
        unit, samples = base[:, 2], self._samples
        mine = np.rint(base[:, 1] / unit).astype(np.int64)
        first, count = samples.first[mine], samples.first[mine + 1] - samples.first[mine]
        rank = np.minimum((uniforms(bits) * count).astype(np.int64), count - 1)
        seconds: Floats = samples.seconds[first + rank] * unit
        return seconds

    @cached_property
    def _measured(self) -> Measured:
        return read(self.file, self.worker, (self.column,))

    @cached_property
    def _samples(self) -> "Samples":
        columns = self._measured.columns
        seconds = columns[self.column]
        worker = np.zeros(len(seconds), np.int64) if self.worker is None else columns[self.worker]
        return Samples.of(worker, seconds)

    def _check(self, workers: int) -> None:
        measured = self._measured
        seconds = measured.columns[self.column]
        good = (seconds >= 0) & (seconds <= LONGEST_SECONDS)
        measured.check(self.column, good, TIME_REMEDY)
        if self.worker is not None:
            measured.check_workers(self.worker, workers)
            silent = np.setdiff1d(np.arange(workers), measured.columns[self.worker])
            if silent.size:
                remedy = f"each of the {workers} workers needs one; or leave out the key worker"
                raise Wrong(f"has no row of worker {silent[0]}: {remedy}")


class Samples(NamedTuple):
    """Sorted seconds, sample after sample; those of sample i begin at ``first[i]``."""

    seconds: Floats
    first: Integers
    means: Floats

    @classmethod
    def of(cls, worker: Integers, seconds: Floats) -> "Samples":
        order = np.lexsort([seconds, worker])
        seconds, worker = seconds[order], worker[order]
        first = np.searchsorted(worker, np.arange(worker[-1] + 2))
        means = np.add.reduceat(seconds, first[:-1]) / np.diff(first)
        return cls(seconds, first, means)
