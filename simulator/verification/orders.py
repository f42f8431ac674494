"""When was each order of a round sent, and until when did its worker wait for it?"""

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.verification import batches
from simulator.verification.evidence import Evidence
from simulator.verification.search import position
from simulator.verification.spans import Spans


def receiving(run: Evidence) -> Spans:
    """From each order until its worker begins on it, or until it is void.

    That is when its batch is full, or its worker lost.
    """
    worker, version, sent = _sent(run)
    until = np.minimum(_begun(run, worker, version, sent), batches.order_ends(run)[version])
    if run.lossy:
        until = np.minimum(until, run.presence.next_begin(worker, sent))
    return Spans(worker, sent, until)


def _begun(run: Evidence, worker: Integers, version: Integers, sent: Floats) -> Floats:
    """When each worker next begins something at this version."""
    tickets, versions = run.known(), run.closed + 1
    mine = tickets.worker * versions + tickets.version
    asked = worker * versions + version
    at = position(asked, sent, mine, tickets.start, "left")
    there = np.append(mine, -1)[at] == asked
    return np.where(there, np.append(tickets.start, np.inf)[at], np.inf)


def _sent(run: Evidence) -> tuple[Integers, Integers, Floats]:
    """Worker, version and moment of every order: broadcasts, and answers to who is back."""
    worker, version = np.divmod(np.arange(run.many * (run.closed + 1)), run.closed + 1)
    sent = run.times[version]
    if not run.lossy:
        return worker, version, sent
    if run.family == "mindflayer":
        takes_part = run.attempts.sent[version, worker]
        worker, version = worker[takes_part], version[takes_part]
        return worker, version, run.attempts.begin[version]
    there = ~run.presence.covers(worker, sent)
    returns = run.presence.end <= run.end
    who, back = run.presence.worker[returns], run.presence.end[returns]
    newest = np.searchsorted(run.times, back, "right") - 1
    return (
        np.concatenate([worker[there], who]),
        np.concatenate([version[there], newest]),
        np.concatenate([sent[there], back]),
    )
