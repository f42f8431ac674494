"""Checks of the fields of laws: an error names the first wrong entry, and the remedy."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulator.cluster.law import Floats

LONGEST_SECONDS = 1e18  # beyond it, a clock in floats cannot add a second
FASTEST = 1e9  # relative to speed 1; below it no sum of work overflows
SPEED_REMEDY = f"must be a number from 0 to {FASTEST:g}; 1 is the law's own speed"
TIME_REMEDY = f"must be a number of seconds from 0 to {LONGEST_SECONDS:g}"
POSITIVE_REMEDY = f"must be a positive number of seconds, {LONGEST_SECONDS:g} at most"


def shown(number: float) -> str:
    """The shortest exact text of a number.

    >>> shown(-1.0), shown(86400.25)
    ('-1', '86400.25')
    """
    short = f"{number:g}"
    return short if float(short) == number or number != number else repr(float(number))


def one_per_worker(name: str, value: float | Sequence[float], workers: int) -> Floats:
    """An array from a number for all workers, or from a list of one per worker."""
    if isinstance(value, int | float):
        return np.full(workers, float(value))
    if len(value) != workers:
        raise ValueError(
            f"{name} has {len(value)} entries for {workers} workers: "
            "give one per worker, or a single number"
        )
    return np.array(value, dtype=np.float64)


def check(name: str, value: float | Sequence[float] | Floats, good: Any, remedy: str) -> None:
    """Refuse a number that is not ``good``, or the first such entry of a list.

    >>> check("end", [1.0, -1.0], np.array([True, False]), "must be 0 or more")
    Traceback (most recent call last):
    ValueError: end[1] = -1: must be 0 or more
    """
    if not np.all(good):
        at = int(np.argmin(good))
        if not isinstance(value, int | float):
            name, value = f"{name}[{at}]", value[at]
        raise ValueError(f"{name} = {shown(value)}: {remedy}")


def check_speeds(name: str, speeds: float | Sequence[float]) -> None:
    array = np.asarray(speeds, dtype=np.float64)
    check(name, speeds, (array >= 0) & (array <= FASTEST), SPEED_REMEDY)


def check_one_per_time(name: str, speeds: Sequence[float], times: Sequence[float]) -> None:
    if len(speeds) != len(times):
        raise ValueError(
            f"{name} has {len(speeds)} entries for {len(times)} times: give one per time"
        )
    check_speeds(name, speeds)


def check_times(times: Sequence[float], before: float = np.inf) -> None:
    """Demand times that start with 0, increase, and end before ``before``."""
    if not len(times):
        raise ValueError("times = []: must begin with 0")
    if times[0] != 0:
        raise ValueError(f"times[0] = {shown(times[0])}: must be 0, the beginning")
    for at in range(1, len(times)):
        now, last = times[at], times[at - 1]
        if not 0 <= now <= LONGEST_SECONDS:
            remedy = TIME_REMEDY
        elif now <= last:
            remedy = f"must be more than times[{at - 1}] = {shown(last)}"
        elif now >= before:
            remedy = f"must be less than period = {shown(before)}"
        else:
            continue
        raise ValueError(f"times[{at}] = {shown(now)}: {remedy}")


def check_positive(name: str, seconds: float) -> None:
    check(name, seconds, 0 < seconds <= LONGEST_SECONDS, POSITIVE_REMEDY)
