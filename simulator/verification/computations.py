"""Are the tickets' names, intervals and durations possible?"""

import numpy as np

from simulator.verification.evidence import Evidence, before, rank
from simulator.verification.report import TICKETS, Findings

RARE = 0.05  # multiples of a law's seconds that are rarer are no work of an order


def check(run: Evidence, found: Findings, timed: bool = True) -> None:
    """``timed`` checks the durations, too, which are those of the law in a simulated run."""
    tickets = run.known()
    versions = ~tickets.later | (tickets.version >= before(tickets.version))
    message = "its worker had a newer version before"
    found.demand("name", TICKETS, versions, message, tickets.name)
    counted = rank(~tickets.first)
    found.demand(
        "name",
        TICKETS,
        ~versions | (tickets.index == counted),
        lambda at: f"is its worker's number {counted[at]} at this version",
        tickets.name,
    )
    found.demand(
        "overlap",
        TICKETS,
        ~tickets.later | (tickets.start >= before(tickets.finish)),
        lambda at: (
            f"starts at {tickets.start[at]:g} s, "
            f"when its worker still computes until {tickets.finish[at - 1]:g} s"
        ),
        tickets.name,
    )
    found.demand(
        "duration",
        TICKETS,
        ~tickets.where("unfinished") | (tickets.finish == run.end),
        lambda at: f"unfinished at {tickets.finish[at]:g} s, but the run ends at {run.end:g} s",
        tickets.name,
    )
    if timed and run.cluster.speed is None and not run.paused:
        _check_durations(run, found)


def _check_durations(run: Evidence, found: Findings) -> None:
    """A gradient takes its worker's seconds of that number, times the work of its order.

    No file records the work of orders, but it is one of few numbers.
    """
    tickets = run.known()
    drawn = run.cluster.computations(run.timing).each(tickets.worker, tickets.number)
    rows = np.flatnonzero(tickets.where("used", "dropped", "waiting"))
    lasted = tickets.finish - tickets.start
    work = np.round(lasted[rows] / (drawn * tickets.length)[rows], 6)
    values, counts = np.unique(work, return_counts=True)
    found.demand(
        "duration",
        TICKETS,
        np.isin(work, values[counts > RARE * counts.sum()]),
        lambda at: f"lasts {work[at]:g} times as long as its worker's law says",
        lambda at: tickets.name(int(rows[at])),
    )
