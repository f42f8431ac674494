"""When does an all-reduce end?  The network's formulas, for all batches of a run at once."""

from heapq import heapreplace
from typing import NamedTuple

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.verification.evidence import Evidence
from simulator.verification.tickets import Flags


class Parts(NamedTuple):
    """A row per batch and participant, by batch and then by worker."""

    batch: Integers
    worker: Integers
    ended: Floats
    """When its last computation at the point had ended by then, whatever became of it."""
    latency: Floats
    transit: Floats

    @property
    def seconds(self) -> Floats:
        return self.latency + self.transit


def participants(run: Evidence, held: Flags, batch: Integers) -> Parts:
    """The workers that hold gradients of each batch; its k-th upload is that of its k-th batch."""
    tickets = run.known()
    keys = batch[held] * run.many + tickets.worker[held]
    pairs, whose = np.unique(keys, return_inverse=True)
    done = np.full(len(pairs), -np.inf)
    np.maximum.at(done, whose, tickets.finish[held])
    ended = _last_ended(run, pairs, done)
    number, worker = pairs // run.many, pairs % run.many
    order = np.lexsort((number, worker))
    k = np.empty(len(pairs), np.int64)
    begins = np.flatnonzero(np.diff(worker[order], prepend=-1))
    at = np.arange(len(pairs))
    k[order] = at - np.repeat(begins, np.diff(begins, append=len(pairs)))
    latency, transit = run.uploads.each(worker, k)
    return Parts(number, worker, ended, latency, transit)


def _last_ended(run: Evidence, pairs: Integers, done: Floats) -> Floats:
    """The same of all that a participant computed at the point, if it ended before the rest."""
    tickets = run.known()
    keys = tickets.version * run.many + tickets.worker
    at = np.minimum(np.searchsorted(pairs, keys), max(len(pairs) - 1, 0))
    ended = done.copy()
    other = tickets.where("dropped", "recalled")
    other &= run.before_full
    other &= run.through | run.overlong
    mine = np.flatnonzero(other)[pairs[at[other]] == keys[other]] if len(pairs) else at[:0]
    np.maximum.at(ended, at[mine], tickets.finish[mine])
    return ended


class Sending(NamedTuple):
    """A row per participant: when it begins to send, and the earliest and latest end of that."""

    begin: Floats
    least: Floats
    most: Floats


def sending(run: Evidence, parts: Parts, full: Floats) -> Sending:
    """Everybody's part in the all-reduces; ``full`` is when each batch was full, by its number."""
    kind, begins = run.cluster.network.collective, full[parts.batch]
    ready = run.presence.back(parts.worker, begins) if run.paused else begins
    if kind == "parameter-server":
        return _served(run, parts, ready, len(full))
    if kind == "gather":
        begin, end = parts.ended, parts.ended + parts.seconds
    elif kind == "max":
        begin, end = ready, ready + parts.seconds
    else:
        together = _largest(parts.batch, ready, full)
        together = together + _in_rounds(kind == "ring", parts, len(full))
        begin, end = ready, together[parts.batch]
    return Sending(begin, end, end)


def ends(run: Evidence, parts: Parts, full: Floats) -> tuple[Floats, Floats]:
    """The earliest and the latest end of each all-reduce; mostly they are one.

    Who holds nothing takes no time.
    """
    sent = sending(run, parts, full)
    least, most = (_largest(parts.batch, each, full) for each in (sent.least, sent.most))
    if run.shared:
        some = np.bincount(parts.batch, minlength=len(full))
        first = -_largest(parts.batch, -(sent.begin + parts.latency), np.full(len(full), -np.inf))
        least = np.maximum(least, np.where(some > 0, first + some * run.alone, full))
    return least, most


def _largest(batch: Integers, values: Floats, least: Floats) -> Floats:
    """Of each batch."""
    largest = least.copy()
    np.maximum.at(largest, batch, values)
    return largest


def _in_rounds(ring: bool, parts: Parts, batches: int) -> Floats:
    """Seconds of as many rounds as a ring or a tree takes, each as long as its slowest link."""
    some = np.maximum(np.bincount(parts.batch, minlength=batches), 1)
    nothing = np.zeros(batches)
    latency = _largest(parts.batch, parts.latency, nothing)
    transit = _largest(parts.batch, parts.transit, nothing)
    if ring:
        return 2 * (some - 1) * (latency + transit / some)
    return 2 * np.ceil(np.log2(some)) * (latency + transit)


def _served(run: Evidence, parts: Parts, ready: Floats, batches: int) -> Sending:
    """Through the uplink of a parameter server: exactly by a queue, else bounds."""
    come = ready + parts.latency
    if not run.shared:
        end = _queued(run, parts, come)
        return Sending(ready, end, end)
    some = np.bincount(parts.batch, minlength=batches)
    crowded = np.maximum(parts.transit, some[parts.batch] * run.alone)
    return Sending(ready, come + np.maximum(parts.transit, run.alone), come + crowded)


def _queued(run: Evidence, parts: Parts, come: Floats) -> Floats:
    """First come, first served, by whichever channel is free first."""
    uplink = run.cluster.network.uplink
    assert uplink is not None
    service = np.maximum(parts.transit, run.alone)
    end, batch, free = np.empty(len(come)), -1, [0.0]
    order = np.lexsort((parts.worker, come, parts.batch))
    rows = zip(order, parts.batch[order], come[order], service[order], strict=True)
    for at, mine, comes, lasting in rows:
        if mine != batch:
            # The all-reduce before has ended.
            batch, free = mine, [0.0] * min(uplink.channels, run.many)
        end[at] = max(comes, free[0]) + lasting
        heapreplace(free, end[at])
    return end
