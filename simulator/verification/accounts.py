"""Do the accounts of every worker add up, and do tickets and steps say the same?"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from simulator.cluster.law import Floats, Integers
from simulator.verification.evidence import RELATIVE, STEPS, TICKETS, WORKERS, Evidence
from simulator.verification.report import Findings

FATES = ("used", "recalled", "dropped", "lost", "unfinished")


def check(run: Evidence, found: Findings) -> None:
    """Gradients and seconds of every worker, without knowing the tickets."""
    mine = run.workers
    sums = np.sum([mine[fate] for fate in FATES], axis=0)
    _hold(found, mine["started"] == sums, lambda at: f"started {mine['started'][at]} gradients, "
          f"but {sums[at]} have a fate")  # fmt: skip
    counts = np.array([mine[fate] for fate in ("started", *FATES)])
    _hold(found, (counts >= 0).all(axis=0), "a count is negative")
    _hold(found, mine["seconds"] == run.end, lambda at: f"seconds = {mine['seconds'][at]!r}, "
          f"but the run has {run.end!r}")  # fmt: skip
    seconds = np.sum([mine[name] for name in ("busy", "communicating", "down", "idle")], axis=0)
    _agree(run, found, "busy + communicating + down + idle", seconds, mine["seconds"])
    parts = np.array([mine[name] for name in ("busy", "communicating", "down", "idle", "wasted")])
    _hold(found, (parts >= -run.end * RELATIVE).all(axis=0), "some seconds are negative")
    _hold(found, mine["wasted"] <= mine["busy"] + run.end * RELATIVE, "wasted more than it worked")
    vain = mine["recalled"] + mine["dropped"] + mine["lost"]
    _hold(found, (vain > 0) | (mine["wasted"] == 0), "nothing came to nothing, but seconds did")


def _hold(found: Findings, good: ArrayLike, told: Callable[[int], str] | str) -> None:
    found.demand("accounts", WORKERS, good, told, "worker {}".format)


def _agree(run: Evidence, found: Findings, name: str, mine: Floats, theirs: Floats) -> None:
    """Seconds that two ways of counting must have in common."""
    _hold(
        found,
        run.close(mine, theirs),
        lambda at: f"{name} = {mine[at]:.12g} s, must be {theirs[at]:.12g}",
    )


def tickets_agree(run: Evidence, found: Findings) -> None:
    """Every ticket is in the accounts of its worker, with its fate and its seconds."""
    tickets = run.known()
    outcomes = {fate: (fate,) for fate in FATES} | {"unfinished": ("unfinished", "waiting")}
    everything = {"started": np.ones(len(tickets), bool)}
    everything |= {fate: tickets.where(*names) for fate, names in outcomes.items()}
    for fate, chosen in everything.items():
        counted = np.bincount(tickets.worker[chosen], minlength=len(run.workers[fate]))
        _counted(run, found, fate, counted)
    if run.paused:  # the seconds of a pause are no work
        return
    seconds = tickets.finish - tickets.start
    vain = tickets.where("recalled", "dropped", "lost")
    workers = len(run.workers["busy"])
    for name, lasted in {"busy": seconds, "wasted": np.where(vain, seconds, 0.0)}.items():
        sums: Floats = np.bincount(tickets.worker, lasted, workers).astype(np.float64)
        _agree(run, found, name, run.workers[name], sums)


def _counted(run: Evidence, found: Findings, fate: str, counted: Integers) -> None:
    mine = run.workers[fate]
    _hold(found, mine == counted, lambda at: f"{fate} {mine[at]}, but {TICKETS} has {counted[at]}")


def steps_agree(run: Evidence, found: Findings) -> None:
    """Every step has the tickets that were used in it first."""
    tickets, steps = run.known(), run.steps
    step = tickets.step[tickets.where("used")]
    new = np.bincount(step, minlength=run.closed + 1)
    gradients = np.cumsum(new)
    found.demand(
        "steps and tickets",
        STEPS,
        steps["gradients"] == gradients,
        lambda at: f"gradients = {steps['gradients'][at]}, its tickets say {gradients[at]}",
        "step {}".format,
    )
    found.demand(
        "steps and tickets",
        STEPS,
        steps["tickets"] >= new,
        lambda at: f"tickets = {steps['tickets'][at]}, its tickets say {new[at]}",
        "step {}".format,
    )
