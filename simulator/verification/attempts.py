"""Whom does a round of MindFlayer wait for, where workers are lost?  And when is it over?

Attempts are sent to those who are there when the step before closes; if nobody is, to the first who
comes back.  Each is through with its last attempt, or when it is lost: then it forfeits the round.
"""

from typing import NamedTuple

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.verification.presence import Presence
from simulator.verification.tickets import Flags, Tickets


class Attempts(NamedTuple):
    """The rounds of a run, one per version; ``sent`` has a row of workers for each."""

    begin: Floats
    sent: Flags
    over: Floats
    """When nobody has an attempt left; inf if somebody has at the end of the run."""
    sure: bool
    """Not if somebody came back at the very moment that decides whether it takes part."""


def attempts(tickets: Tickets, presence: Presence, times: Floats, each: Integers) -> Attempts:
    """``each`` worker may begin so many."""
    versions, workers = len(times), len(each)
    version, worker = np.divmod(np.arange(versions * workers), workers)
    # Who leaves at this moment is gone: often it is a loss that closed the round before.
    asked = np.nextafter(times[version], np.inf)
    back = presence.back(worker, asked).reshape(versions, workers)
    there = back == asked.reshape(versions, workers)
    nobody = ~there.any(axis=1)
    first = back.min(axis=1)
    sent = np.where(nobody[:, None], back == first[:, None], there)
    begin = np.where(nobody, first, times)
    over = _last_attempts(tickets, each, versions)
    lost = presence.next_begin(worker, begin[version]).reshape(versions, workers)
    over = np.where(sent, np.minimum(over, lost), -np.inf).max(axis=1)
    return Attempts(begin, sent, over, not _ties(presence, times, nobody, sent).any())


def _ties(presence: Presence, times: Floats, nobody: Flags, sent: Flags) -> Flags:
    """Who came or left at the moment of each round's beginning may have been part of it or not."""
    several = nobody & (sent.sum(axis=1) > 1)
    at_once = np.append(np.diff(times) == 0, False)
    left = nobody & at_once & np.isin(times, presence.begin)
    return np.asarray(np.isin(times, presence.end) | several | left)


def _last_attempts(tickets: Tickets, each: Integers, versions: int) -> Floats:
    """When each worker ended the last attempt that it had, by version."""
    last = (tickets.index == each[tickets.worker] - 1) & ~tickets.where("unfinished")
    ended = np.full((versions, len(each)), np.inf)
    ended[tickets.version[last], tickets.worker[last]] = tickets.finish[last]
    return ended
