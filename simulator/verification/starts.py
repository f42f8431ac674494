"""Why did each computation start when it did?  Every start has a cause.

It is the end of the worker's computation before, where one order asks for several gradients; or an
order that was sent, and downloaded.  Orders go out when a step closes, when a gradient arrives, and
when a worker is back.
"""

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.verification.evidence import TICKETS, Evidence, close
from simulator.verification.report import Findings
from simulator.verification.search import occurs
from simulator.verification.tickets import Flags, before


def check(run: Evidence, found: Findings) -> None:
    """Starts: when the worker is there, not before its version, and for a reason."""
    tickets = run.known()
    born = run.times[tickets.version]
    there = ~run.presence.covers(tickets.worker, tickets.start)
    found.demand(
        "presence",
        TICKETS,
        there,
        lambda at: f"starts at {tickets.start[at]:g} s, when its worker is away",
        tickets.name,
    )
    seconds, sure = _download(run)
    came = born + seconds if sure else born
    found.demand(
        "version",
        TICKETS,
        (tickets.start >= came) | run.same(tickets.start, came),
        lambda at: f"starts at {tickets.start[at]:g} s, before it has its version, {came[at]:g} s",
        tickets.name,
    )
    caused, known = _causes(run)
    if not known.all():
        found.pass_over(
            "the very start of some computations",
            "when their order arrived depends on what the files do not tell",
        )
    found.demand(
        "start",
        TICKETS,
        caused[known],
        lambda at: _told(run, int(np.flatnonzero(known)[at])),
        lambda at: tickets.name(int(np.flatnonzero(known)[at])),
    )


def _told(run: Evidence, at: int) -> str:
    tickets = run.known()
    return (
        f"starts at {tickets.start[at]:g} s for no reason: neither a computation nor a download "
        "of its worker ends then"
    )


def _causes(run: Evidence) -> tuple[Flags, Flags]:
    """Whether each start has a cause, and whether that can be known."""
    tickets = run.known()
    goes_on = _goes_on(run)
    previous = before(tickets.finish)
    resumed = run.presence.back(tickets.worker, np.nextafter(previous, np.inf))
    follows = (tickets.start == previous) | (run.paused & close(tickets.start, resumed))
    ordered, known = _ordered(run)
    return np.where(goes_on, follows, ordered), goes_on | known


def _goes_on(run: Evidence) -> Flags:
    """Those that follow another of the same order; a worker that was lost has no order."""
    tickets = run.known()
    several = not run.one_by_one or (run.family == "ringleader")
    goes_on = ~tickets.first & several
    if run.lossy:
        goes_on &= run.presence.next_begin(tickets.worker, before(tickets.finish)) >= tickets.start
    return goes_on


def _ordered(run: Evidence) -> tuple[Flags, Flags]:
    """Whether an order can have come at each start, and where all about it is known."""
    tickets = run.known()
    seconds, sure = _download(run)
    known = sure & np.ones(len(tickets), bool)
    born = run.times[tickets.version]
    if run.one_by_one:
        caused = _answers(run, seconds)
        if run.cluster.network.uplink is not None:
            known &= _is_answered(run)
    else:
        caused = _meets(run, born + seconds)
    if run.lossy:
        # A worker that is back is sent the newest point, and downloads it.
        who, back = run.presence.worker, run.presence.end
        caused |= occurs(tickets.worker, tickets.start, who, back + _steady(run, who))
    if run.paused:
        # Whether a download stands still while its worker is away, the files do not tell.
        since = np.where(tickets.later, np.minimum(born, before(tickets.finish)), 0.0)
        gone = run.presence.next_begin(tickets.worker, since)
        away = run.presence.covers(tickets.worker, since)
        known &= run.downloads.free | ((gone > tickets.start) & ~away)
    return caused, known


def _meets(run: Evidence, come: Floats) -> Flags:
    """Whether the start is when the order has come, or as soon after as old work is done."""
    tickets = run.known()
    come = _present(run, come)
    held_up = (not run.recalls) & tickets.later & (before(tickets.finish) >= come)
    awaited = np.where(held_up, before(tickets.finish), come)
    return run.same(tickets.start, awaited)


def _present(run: Evidence, moments: Floats) -> Floats:
    """The moment itself, or, for a worker that is paused then, when it is back."""
    return run.presence.back(run.known().worker, moments) if run.paused else moments


def _download(run: Evidence) -> tuple[Floats, bool]:
    """The seconds of each order's download, and whether they are known: whose number it is."""
    tickets = run.known()
    number = tickets.number if run.one_by_one else tickets.version
    latency, transit = run.downloads.each(tickets.worker, number)
    replaced = run.settings.get("stops") or (run.family == "ringleader")
    return latency + transit, not run.downloads.varies or not (run.lossy or replaced)


def _steady(run: Evidence, workers: Integers) -> Floats:
    """The seconds of a download of each, where they are always the same."""
    latency, transit = run.downloads.each(workers, np.zeros(len(workers), np.int64))
    return latency + transit


def _is_answered(run: Evidence) -> Flags:
    """Where uploads share a way: whether the arrival before this start is known from its step."""
    return np.asarray(~np.isnan(before(run.arrival)) | (run.known().number == 0))


def _answers(run: Evidence, seconds: Floats) -> Flags:
    """Orders that answer a gradient's arrival, or stop what has become too old."""
    tickets = run.known()
    come = np.where(tickets.later, before(run.arrival), 0.0) + seconds
    caused = run.same(tickets.start, _present(run, come))
    if run.settings.get("stops"):
        stopped = _present(run, run.times[tickets.version] + seconds)
        caused |= run.same(tickets.start, stopped)
    if run.family == "ringleader":
        caused = (tickets.version == 0) & run.same(tickets.start, _present(run, seconds))
        who, come = tickets.worker[run.sent], run.arrival[run.sent]
        come = come + _steady(run, who)
        if run.paused:
            come = run.presence.back(who, come)
        caused |= occurs(tickets.worker, tickets.start, who, come)
        caused |= (not run.recalls) & tickets.later & (tickets.start == before(tickets.finish))
    return caused
