"""What may a field of a speed hold?  The first entry that is wrong is named, with the remedy."""

from collections.abc import Sequence

import numpy as np

from simulator.cluster.durations import LONGEST_SECONDS
from simulator.cluster.law import Floats

FASTEST = 1e9
"""Speeds are relative, and 1 is ordinary; no sum of work overflows below this one."""
SPEED_REMEDY = f"must be a number from 0 to {FASTEST:g}; 1 is the law's own speed"
TIME_REMEDY = f"must be a number of seconds from 0 to {LONGEST_SECONDS:g}"
POSITIVE_REMEDY = f"must be a positive number of seconds, {LONGEST_SECONDS:g} at most"


def shown(number: float) -> str:
    """The number as short as it is exact.

    >>> shown(-1.0), shown(86400.25)
    ('-1', '86400.25')
    """
    short = f"{number:g}"
    return short if float(short) == number or number != number else repr(float(number))


def one_per_worker(name: str, value: float | Sequence[float], workers: int) -> Floats:
    """A number for everybody, or a list of one per worker, as an array."""
    if isinstance(value, int | float):
        return np.full(workers, float(value))
    if len(value) != workers:
        raise ValueError(
            f"{name} has {len(value)} entries for {workers} workers: "
            "give one per worker, or a single number"
        )
    return np.array(value, dtype=np.float64)


def entry(name: str, value: float | Sequence[float], at: int) -> str:
    """The field itself if it is a single number, else its entry."""
    return name if isinstance(value, int | float) else f"{name}[{at}]"


def check_speeds(name: str, speeds: float | Sequence[float]) -> None:
    array = np.atleast_1d(np.asarray(speeds, dtype=np.float64))
    good = (array >= 0) & (array <= FASTEST)
    if not good.all():
        at = int(np.argmin(good))
        raise ValueError(f"{entry(name, speeds, at)} = {shown(array[at])}: {SPEED_REMEDY}")


def check_times(times: Sequence[float], before: float = np.inf) -> None:
    """From 0 on, ever later, and all of them before the end."""
    if not len(times):
        raise ValueError("times = []: must begin with 0")
    if times[0] != 0:
        raise ValueError(f"times[0] = {shown(times[0])}: must be 0, the beginning")
    for at in range(1, len(times)):
        now, last = times[at], times[at - 1]
        if not 0 <= now <= LONGEST_SECONDS:
            raise ValueError(f"times[{at}] = {shown(now)}: {TIME_REMEDY}")
        if now <= last:
            wrong = f"times[{at}] = {shown(now)}: must be more than times[{at - 1}]"
            raise ValueError(f"{wrong} = {shown(last)}")
        if now >= before:
            wrong = f"times[{at}] = {shown(now)}: must be less than period"
            raise ValueError(f"{wrong} = {shown(before)}")


def check_one_per_time(name: str, speeds: Sequence[float], times: Sequence[float]) -> None:
    if len(speeds) != len(times):
        raise ValueError(
            f"{name} has {len(speeds)} entries for {len(times)} times: give one per time"
        )
    check_speeds(name, speeds)


def check_positive(name: str, seconds: float) -> None:
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"{name} = {shown(seconds)}: {POSITIVE_REMEDY}")
