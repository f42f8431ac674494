"""When was a worker absent?  When it was silent much longer than its durations explain.

A silence counts only if half of the other workers started something meanwhile: a worker that waits
for the others is not absent.  Outages of many workers become a law of failures: both times of it
are exponential, and the shorter silences, which do not count, are added by that law.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from simulator.calibration.log import Sample
from simulator.cluster.law import Floats

EXPLAINED = 1.5
"""Times the longest duration a worker may be silent."""
WAITS = 3.0
"""And so many times its usual silence between two rows."""
ENOUGH = 8
"""Outages from which a law of failures can be estimated."""
CERTAIN = 7.0
"""A worker without failures, where this number is expected, does not fail."""


LEFT = 5.0
"""Mean times to repair after which a worker is not awaited any more."""


class Outage(NamedTuple):
    """A worker is absent from ``begin`` on, until ``end`` or for good."""

    worker: int
    begin: float
    end: float | None


class Failures(NamedTuple):
    """Random outages: mean times between failures and to repair, with their standard errors."""

    between: float
    between_error: float
    repair: float
    repair_error: float
    workers: list[int]
    """Those that fail; empty if all do."""
    silences: int
    p: float
    """Of the Kolmogorov-Smirnov test of exponential silences."""


def outages_of(sample: Sample) -> list[Outage]:
    """All outages in a log, by worker and time."""
    if sample.start is None:
        return []
    return [each for worker in range(sample.workers) for each in _outages(sample, worker)]


def _outages(sample: Sample, worker: int) -> Iterator[Outage]:
    assert sample.start is not None
    begins, ends = silences(sample, worker)
    long, last = explained(sample, worker), float((sample.start + sample.seconds).max())
    first, gone = float(sample.start[sample.of(worker)][0]), float(_ends(sample, worker)[-1])
    if first > long and _others_work(sample, worker, 0.0, long):
        yield Outage(worker, 0.0, first)
    for at in np.flatnonzero(ends - begins > long):
        if _others_work(sample, worker, float(begins[at]), float(ends[at])):
            yield Outage(worker, float(begins[at]), float(ends[at]))
    if last - gone > long and _others_work(sample, worker, last - long, last):
        yield Outage(worker, gone, None)


def silences(sample: Sample, worker: int) -> tuple[Floats, Floats]:
    """Begin and end of the times between the rows of a worker."""
    assert sample.start is not None
    return _ends(sample, worker)[:-1], sample.start[sample.of(worker)][1:]


def explained(sample: Sample, worker: int) -> float:
    """The longest silence of a worker that is no outage."""
    middle = float(np.median(sample.seconds[sample.of(worker)]))
    return EXPLAINED * middle * longest_of(sample) + WAITS * usual(sample, worker)


@lru_cache(maxsize=1)
def longest_of(sample: Sample) -> float:
    """The longest duration of any worker, in medians of that worker."""
    parts = [sample.seconds[sample.of(worker)] for worker in range(sample.workers)]
    return max(float(part.max() / np.median(part)) for part in parts)


def usual(sample: Sample, worker: int) -> float:
    """The median silence between two rows."""
    begin, end = silences(sample, worker)
    return max(float(np.median(end - begin)), 0.0)


def _ends(sample: Sample, worker: int) -> Floats:
    assert sample.start is not None
    rows = sample.of(worker)
    ends: Floats = sample.start[rows] + sample.seconds[rows]
    return ends


def _others_work(sample: Sample, worker: int, begin: float, end: float) -> bool:
    """Whether half of the other workers start something in this time."""
    assert sample.start is not None
    within = (sample.start >= begin) & (sample.start < end) & (sample.worker != worker)
    return 2 * len(np.unique(sample.worker[within])) >= sample.workers - 1


def failures_of(sample: Sample, outages: list[Outage]) -> Failures | None:
    """The law of failures that the outages with an end follow; None for few or other ones."""
    from scipy.stats import expon, kstest

    over = [each for each in outages if each.end is not None and each.begin > 0]
    if len(over) < ENOUGH:
        return None
    count = np.bincount([each.worker for each in over], minlength=sample.workers)
    failing = [int(worker) for worker in np.flatnonzero(count)]
    if len(failing) == sample.workers or len(over) / sample.workers < CERTAIN:
        failing = list(range(sample.workers))
    # What exceeds a bound of an exponential time is exponential again.
    excess = np.array([(e.end or 0.0) - e.begin - explained(sample, e.worker) for e in over])
    repair, size = float(excess.mean()), len(excess)
    p = float(kstest(excess, expon(scale=repair).cdf).pvalue)
    if p < 0.01:
        return None
    span = sum(_span(sample, worker) for worker in failing)
    between = span * _noticed(sample, failing, repair) / size - repair
    errors = [value / size**0.5 for value in (between, repair)]
    workers = [] if len(failing) == sample.workers else failing
    return Failures(between, errors[0], repair, errors[1], workers, size, p)


def _span(sample: Sample, worker: int) -> float:
    assert sample.start is not None
    return float(_ends(sample, worker)[-1] - sample.start[sample.of(worker)][0])


def _noticed(sample: Sample, workers: list[int], repair: float) -> float:
    """The part of all failures whose silence is long enough.

    A silence begins with the lost part of a computation, which failed at any of its moments.
    """
    noticed = busy = 0.0
    for worker in workers:
        seconds = sample.seconds[sample.of(worker)]
        beyond = (explained(sample, worker) - usual(sample, worker)) / repair
        lost = np.exp(seconds / repair - beyond) - np.exp(-beyond)
        noticed += float(repair * lost.sum())
        busy += float(seconds.sum())
    return min(noticed / busy, 1.0)


def unexplained(sample: Sample, outages: list[Outage], failures: Failures | None) -> list[Outage]:
    """The outages besides those of a law of failures: late joins, and workers that left."""
    if failures is None:
        return outages
    last = float((sample.start + sample.seconds).max()) if sample.start is not None else 0.0
    return [
        each
        for each in outages
        if each.begin == 0 or (each.end is None and last - each.begin > LEFT * failures.repair)
    ]
