"""Did every gradient deserve what became of it?  Why it was used, stopped, lost or dropped."""

import numpy as np

from simulator.verification.evidence import TICKETS, Evidence, close
from simulator.verification.report import Findings
from simulator.verification.search import occurs
from simulator.verification.tickets import Flags

COLLECTING = ("rennala", "malenia")


def check(run: Evidence, found: Findings) -> None:
    """Each fate by its own reasons."""
    tickets = run.known()
    used = tickets.where("used")
    step = tickets.step
    in_time = (tickets.version < step) & (tickets.finish <= run.times[step])
    found.demand(
        "use",
        TICKETS,
        ~used | in_time,
        lambda at: (
            f"used in step {tickets.step[at]}, which closed at "
            f"{run.times[tickets.step[at]]:g} s, before it was done or its version was there"
        ),
        tickets.name,
    )
    _demand(run, found, "recalled", _recalled(run))
    _demand(run, found, "dropped", _dropped(run))
    _demand(run, found, "lost", _lost(run))
    _safe(run, found)


def _demand(run: Evidence, found: Findings, fate: str, deserved: Flags) -> None:
    tickets = run.known()
    found.demand(
        fate,
        TICKETS,
        ~tickets.where(fate) | deserved,
        lambda at: f"{fate} at {tickets.finish[at]:g} s for no reason",
        tickets.name,
    )


def _recalled(run: Evidence) -> Flags:
    """Whether each would rightly have been stopped when it ended."""
    tickets = run.known()
    if run.family == "mindflayer":
        return run.overlong & run.same(tickets.finish, run.broken_off)
    if run.settings.get("stops"):
        made = tickets.version + int(run.settings["threshold"])
        stopped = run.times[np.minimum(made, run.closed)]
        return np.asarray((made <= run.closed) & (tickets.finish == stopped))
    if not run.recalls:
        return np.zeros(len(tickets), bool)
    if run.family in COLLECTING:
        return run.same(tickets.finish, run.full[tickets.version])
    if run.family == "ringleader":
        if run.cluster.network.uplink is not None:
            return tickets.finish >= run.times[tickets.version]
        sent = run.sent
        return occurs(tickets.worker, tickets.finish, tickets.worker[sent], run.arrival[sent])
    return np.zeros(len(tickets), bool)


def _dropped(run: Evidence) -> Flags:
    """Whether each was done, but too late, too old, or not chosen."""
    tickets = run.known()
    if run.family == "ringmaster":
        come = np.where(np.isnan(run.arrival), np.inf, run.arrival)
        made = tickets.version + int(run.settings["threshold"])
        return (made <= run.closed) & (run.times[np.minimum(made, run.closed)] <= come)
    if run.family == "ringleader":
        come = np.where(np.isnan(run.arrival), np.inf, run.arrival)
        return tickets.version < np.searchsorted(run.times, come, "right") - 1
    if run.settings.get("count") == "earliest-started":
        return np.ones(len(tickets), bool)  # who is chosen is checked with the step
    if run.family in COLLECTING:
        return tickets.finish >= run.full[tickets.version]
    return np.zeros(len(tickets), bool)


def _lost(run: Evidence) -> Flags:
    """Whether its worker went away when it was computing, or held it, or sent it."""
    tickets = run.known()
    if not run.lossy:
        return np.zeros(len(tickets), bool)
    gone = run.presence.next_begin(tickets.worker, tickets.finish)
    until = _safe_from(run)
    kept = run.through & ((gone <= until) | np.isnan(until))
    return np.asarray((gone <= run.end) & (kept | (tickets.finish == gone)))


def _safe(run: Evidence, found: Findings) -> None:
    """Nobody went away between the end of a used gradient and the moment that made it safe."""
    tickets = run.known()
    if not run.lossy:
        return
    gone = run.presence.next_begin(tickets.worker, tickets.finish)
    used, until = tickets.where("used"), _safe_from(run)
    found.demand(
        "used though lost",
        TICKETS,
        ~used | np.isnan(until) | (gone >= until) | close(gone, until),
        lambda at: f"used, but its worker was lost with it at {gone[at]:g} s",
        tickets.name,
    )


def _safe_from(run: Evidence) -> np.ndarray:
    """When a gradient is out of its worker's hands; NaN where that is not known."""
    tickets = run.known()
    if run.one_by_one:
        return run.arrival
    full = run.full[tickets.version]
    # Of an open batch it is only known that nothing of it is safe yet.
    return np.where(tickets.version < run.closed, full, np.nan)
