"""Do the accounts of every worker add up, and do they agree with tickets and steps?"""

import numpy as np
from numpy.typing import ArrayLike

from simulator.cluster.law import Floats
from simulator.verification.evidence import RELATIVE, Evidence
from simulator.verification.report import STEPS, TICKETS, WORKERS, Findings, Message

OUTCOMES = ("used", "recalled", "dropped", "lost", "unfinished")
PARTS = ("busy", "communicating", "down", "idle")


def check(run: Evidence, found: Findings) -> None:
    """Gradients and seconds of every worker, without the tickets."""
    of = run.workers

    def hold(good: ArrayLike, message: Message) -> None:
        found.demand("accounts", WORKERS, good, message)

    sums = np.sum([of[outcome] for outcome in OUTCOMES], axis=0)
    hold(
        of["started"] == sums,
        lambda at: f"started {of['started'][at]} gradients, but {sums[at]} have a fate",
    )
    counts = np.array([of[name] for name in ("started", *OUTCOMES)])
    hold((counts >= 0).all(axis=0), "a count is negative")
    hold(
        of["seconds"] == run.end,
        lambda at: f"seconds = {of['seconds'][at]!r}, but the run has {run.end!r}",
    )
    seconds = np.sum([of[name] for name in PARTS], axis=0)
    _agree(run, found, "busy + communicating + down + idle", seconds, of["seconds"])
    parts = np.array([of[name] for name in (*PARTS, "wasted")])
    hold((parts >= -run.end * RELATIVE).all(axis=0), "some seconds are negative")
    hold(of["wasted"] <= of["busy"] + run.end * RELATIVE, "wasted more than it worked")
    vain = of["recalled"] + of["dropped"] + of["lost"]
    hold((vain > 0) | (of["wasted"] == 0), "wasted seconds, but no gradient came to nothing")


def _agree(run: Evidence, found: Findings, name: str, own: Floats, other: Floats) -> None:
    found.demand(
        "accounts",
        WORKERS,
        run.close(own, other),
        lambda at: f"{name} = {own[at]:.12g} s, must be {other[at]:.12g}",
    )


def tickets_agree(run: Evidence, found: Findings) -> None:
    """Every ticket is in the account of its worker, with its outcome and its seconds."""
    tickets, workers = run.known(), len(run.workers["busy"])
    outcomes = {name: (name,) for name in OUTCOMES} | {"unfinished": ("unfinished", "waiting")}
    rows = {"started": np.ones(len(tickets), bool)}
    rows |= {outcome: tickets.where(*names) for outcome, names in outcomes.items()}
    for name, chosen in rows.items():
        own, counted = run.workers[name], np.bincount(tickets.worker[chosen], minlength=workers)
        found.demand(
            "accounts",
            WORKERS,
            own == counted,
            lambda at: f"{name} {own[at]}, but {TICKETS} has {counted[at]}",  # noqa: B023
        )
    if run.paused:  # the seconds of a pause are no work
        return
    seconds = tickets.finish - tickets.start
    vain = tickets.where("recalled", "dropped", "lost")
    for name, lasted in {"busy": seconds, "wasted": np.where(vain, seconds, 0.0)}.items():
        sums: Floats = np.bincount(tickets.worker, lasted, workers).astype(np.float64)
        _agree(run, found, name, run.workers[name], sums)


def steps_agree(run: Evidence, found: Findings) -> None:
    """Every step has the tickets that were first used in it."""
    tickets, steps = run.known(), run.steps
    new = np.bincount(tickets.step[tickets.where("used")], minlength=run.closed + 1)
    sums = np.cumsum(new)
    found.demand(
        "steps and tickets",
        STEPS,
        steps["gradients"] == sums,
        lambda at: f"gradients = {steps['gradients'][at]}, its tickets say {sums[at]}",
    )
    found.demand(
        "steps and tickets",
        STEPS,
        steps["tickets"] >= new,
        lambda at: f"tickets = {steps['tickets'][at]}, its tickets say {new[at]}",
    )
