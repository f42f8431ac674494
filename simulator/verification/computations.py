"""How long did each computation take, and did anybody compute two at once?"""

import numpy as np

from simulator.verification.evidence import TICKETS, Evidence
from simulator.verification.report import Findings
from simulator.verification.tickets import before, rank


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
    """Start and seconds make the finish, unless somebody stopped it before."""
    tickets, planned = run.known(), run.planned
    ended = tickets.where("used", "dropped", "waiting")
    exact = run.same(tickets.finish, planned)
    sooner = (tickets.finish >= tickets.start) & ((tickets.finish <= planned) | exact)
    found.demand(
        "duration",
        TICKETS,
        np.where(ended, exact & ~run.overlong, sooner),
        lambda at: (
            f"{_ending(ended[at])} at {tickets.finish[at]:.12g} s; "
            f"by its worker's law it takes until {planned[at]:.12g} s"
        ),
        tickets.name,
    )
    open_ended = tickets.where("unfinished")
    found.demand(
        "duration",
        TICKETS,
        ~open_ended | (tickets.finish == run.end),
        lambda at: f"unfinished at {tickets.finish[at]:g} s, but the run ends at {run.end:g} s",
        tickets.name,
    )


def _ending(done: bool) -> str:
    return "done" if done else "stopped"
