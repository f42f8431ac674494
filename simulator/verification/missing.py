"""Is a computation missing?  Whoever is there and has an order computes.

A ticket that was taken out of every file leaves its worker idle where it must not be.  Workers
that were ever away are left out: what they were sent, the files do not tell.
"""

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.verification.evidence import TICKETS, Evidence
from simulator.verification.report import Findings
from simulator.verification.tickets import Flags


def in_rounds(run: Evidence, found: Findings, until: Floats) -> None:
    """Everybody whose order came before ``until`` (of each version) has started on it."""
    tickets, versions = run.known(), run.closed + 1
    worker, version = np.divmod(np.arange(run.many * versions), versions)
    latency, transit = run.downloads.each(worker, version)
    come = run.times[version] + (latency + transit)
    keys = tickets.worker * versions + tickets.version
    wanted = np.arange(run.many * versions)
    at = np.searchsorted(keys, wanted)
    there = np.searchsorted(keys, wanted, "right") > at
    if not run.recalls:
        come = np.maximum(come, _old_work_until(run, worker, at))
    found.demand(
        "missing",
        TICKETS,
        there | (come >= until[version]) | ~_always_there(run)[worker],
        lambda at: (
            f"worker {worker[at]} starts nothing at version {version[at]}, "
            f"though its order came at {come[at]:g} s"
        ),
    )


def _old_work_until(run: Evidence, worker: Integers, at: Integers) -> Floats:
    """When the computation before was done, if it was this worker's."""
    tickets = run.known()
    if not len(tickets):
        return np.zeros(len(worker))
    previous = np.maximum(at - 1, 0)
    mine = (at > 0) & (tickets.worker[previous] == worker)
    return np.where(mine, tickets.finish[previous], 0.0)


def going_on(run: Evidence, found: Findings, until: Floats) -> None:
    """Without a quota, who is done before ``until`` (of its version) begins another."""
    tickets = run.known()
    done = tickets.where("used", "dropped", "waiting")
    early = done & (tickets.finish < until[tickets.version])
    _nothing_follows(run, found, early & _always_there(run)[tickets.worker])


def _nothing_follows(run: Evidence, found: Findings, must_go_on: Flags) -> None:
    tickets = run.known()
    followed = np.append((tickets.later & ~tickets.first)[1:], False)
    found.demand(
        "missing",
        TICKETS,
        followed | ~must_go_on,
        "its worker does nothing after it, though its order goes on",
        tickets.name,
    )


def answered(run: Evidence, found: Findings) -> None:
    """Where each gradient is answered by an order: the last of a worker is under way at the end."""
    tickets = run.known()
    last = np.append(~tickets.later[1:], True)[: len(tickets)]
    latency, transit = run.downloads.each(tickets.worker, tickets.number + 1)
    come = run.arrival + (latency + transit)
    free = ~_always_there(run)[tickets.worker] | np.isnan(come) | (come >= run.end)
    # An order that is replaced while it comes down has used up a download.
    free |= run.downloads.varies & bool(run.settings.get("stops"))
    found.demand(
        "missing",
        TICKETS,
        ~last | free,
        lambda at: f"its worker does nothing after it, though an order came at {come[at]:g} s",
        tickets.name,
    )
    idle = np.setdiff1d(np.flatnonzero(_always_there(run)), tickets.worker)
    latency, transit = run.downloads.each(idle, np.zeros(len(idle), np.int64))
    found.demand(
        "missing",
        TICKETS,
        latency + transit >= run.end,
        lambda at: f"worker {idle[at]} never computes",
    )


def _always_there(run: Evidence) -> Flags:
    there = np.ones(run.many, bool)
    there[run.presence.worker] = False
    return there
