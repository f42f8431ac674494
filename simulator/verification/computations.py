"""How long did each computation take, and did anybody compute two at once?"""

import numpy as np

from simulator.verification.evidence import TICKETS, Evidence
from simulator.verification.report import Findings
from simulator.verification.tickets import before, rank

RARE = 0.05  # a smaller part of all computations is no work that orders ask for


def check(run: Evidence, found: Findings) -> None:
    """Names, overlap and durations of all computations."""
    _names(run, found)
    _overlap(run, found)
    _durations(run, found)


def _names(run: Evidence, found: Findings) -> None:
    """A worker's versions never go back, and its gradients of one are counted from 0."""
    tickets = run.known()
    versions = ~tickets.later | (tickets.version >= before(tickets.version))
    found.demand(
        "name",
        TICKETS,
        versions,
        "its worker had a newer version before",
        tickets.name,
    )
    counted = rank(~tickets.first)
    found.demand(
        "name",
        TICKETS,
        ~versions | (tickets.index == counted),
        lambda at: f"is its worker's number {counted[at]} at this version",
        tickets.name,
    )


def _overlap(run: Evidence, found: Findings) -> None:
    tickets = run.known()
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


def _durations(run: Evidence, found: Findings) -> None:
    """A gradient takes its worker's seconds of that number, times the work of its order.

    How much work orders ask for is the story's secret, but not that it is one of few numbers.
    """
    tickets = run.known()
    drawn = run.cluster.computations(run.timing).each(tickets.worker, tickets.number)
    done = tickets.where("used", "dropped", "waiting")
    if run.cluster.speed is None and not run.paused and done.any():
        lasted = tickets.finish - tickets.start
        work = np.round(lasted[done] / (drawn * tickets.length)[done], 6)
        values, many = np.unique(work, return_counts=True)
        usual = np.isin(work, values[many > RARE * many.sum()])
        where = np.flatnonzero(done)
        found.demand(
            "duration",
            TICKETS,
            usual,
            lambda at: f"lasts {work[at]:g} times as long as its worker's law says",
            lambda at: tickets.name(where[at]),
        )
    open_ended = tickets.where("unfinished")
    found.demand(
        "duration",
        TICKETS,
        ~open_ended | (tickets.finish == run.end),
        lambda at: f"unfinished at {tickets.finish[at]:g} s, but the run ends at {run.end:g} s",
        tickets.name,
    )
