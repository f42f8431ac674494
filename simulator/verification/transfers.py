"""When does an all-reduce end?  The network's formulas, for all batches of a run at once."""

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
    other &= tickets.finish <= run.full[tickets.version]
    other &= run.through | run.overlong
    mine = np.flatnonzero(other)[pairs[at[other]] == keys[other]] if len(pairs) else at[:0]
    np.maximum.at(ended, at[mine], tickets.finish[mine])
    return ended


def ends(run: Evidence, parts: Parts, full: Floats) -> tuple[Floats, Floats]:
    """The earliest and the latest end of each all-reduce; mostly they are one.

    ``full`` is when each batch was full, by its number; who holds nothing takes no time.
    """
    kind, begins = run.cluster.network.collective, full[parts.batch]
    ready = run.presence.back(parts.worker, begins) if run.paused else begins
    if kind == "parameter-server":
        return _served(run, parts, ready, full)
    if kind == "gather":
        end = _largest(parts.batch, parts.ended + parts.seconds, full)
    elif kind == "max":
        end = _largest(parts.batch, ready + parts.seconds, full)
    else:
        end = _largest(parts.batch, ready, full) + _in_rounds(kind == "ring", parts, len(full))
    return end, end


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


def _served(run: Evidence, parts: Parts, ready: Floats, full: Floats) -> tuple[Floats, Floats]:
    """Through the uplink of a parameter server: exactly by a queue of one channel, else bounds."""
    uplink = run.cluster.network.uplink
    assert uplink is not None
    alone = run.vector.bytes / uplink.bandwidth
    service = np.maximum(parts.transit, alone)
    come = ready + parts.latency
    some = np.bincount(parts.batch, minlength=len(full))
    work = np.bincount(parts.batch, service, len(full))
    first = -_largest(parts.batch, -come, np.full(len(full), -np.inf))
    first = np.where(some > 0, first, full)
    at_least = _largest(parts.batch, come + service, full)
    if uplink.contention == "share":
        crowded = come + np.maximum(parts.transit, some[parts.batch] * alone)
        return np.maximum(at_least, first + some * alone), _largest(parts.batch, crowded, full)
    if uplink.channels == 1:
        end = _largest(parts.batch, come + _behind(parts.batch, come, service), full)
        return end, end
    last = _largest(parts.batch, come, full)
    return np.maximum(at_least, first + work / uplink.channels), last + work


def _behind(batch: Integers, come: Floats, service: Floats) -> Floats:
    """First come, first served: a transfer's own service and that of all who come later."""
    order = np.lexsort((come, batch))[::-1]
    total = np.cumsum(service[order])
    begins = np.flatnonzero(np.diff(batch[order], prepend=-1))
    earlier = np.concatenate([[0.0], total])[begins]
    behind = np.empty(len(batch))
    behind[order] = total - np.repeat(earlier, np.diff(begins, append=len(batch)))
    return behind
