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
    _agree(run, found, "down", mine["down"], run.presence.down(run.many, run.end))
    parts = np.array([mine[name] for name in ("busy", "communicating", "down", "idle", "wasted")])
    _hold(found, (parts >= -run.end * RELATIVE).all(axis=0), "some seconds are negative")
    _hold(found, mine["wasted"] <= mine["busy"] + run.end * RELATIVE, "wasted more than it worked")
    # In a ring or a tree everybody waits for a participant that is paused.
    if run.free and not run.paused:
        _hold(found, mine["communicating"] == 0, "communicates, but all messages are free")
    vain = mine["recalled"] + mine["dropped"] + mine["lost"]
    _hold(found, (vain > 0) | (mine["wasted"] == 0), "nothing came to nothing, but seconds did")


def _hold(found: Findings, good: ArrayLike, told: Callable[[int], str] | str) -> None:
    found.demand("accounts", WORKERS, good, told, "worker {}".format)


def _agree(run: Evidence, found: Findings, name: str, mine: Floats, theirs: Floats) -> None:
    """Seconds that two ways of counting must have in common."""
    _hold(
        found,
        np.abs(mine - theirs) <= RELATIVE * max(run.end, 1.0),
        lambda at: f"{name} = {mine[at]:.12g} s, must be {theirs[at]:.12g}",
    )


def tickets_agree(run: Evidence, found: Findings) -> None:
    """Every ticket is in the accounts of its worker, with its fate and its seconds."""
    tickets = run.known()
    outcomes = {fate: (fate,) for fate in FATES} | {"unfinished": ("unfinished", "waiting")}
    everything = {"started": np.ones(len(tickets), bool)}
    everything |= {fate: tickets.where(*names) for fate, names in outcomes.items()}
    for fate, chosen in everything.items():
        counted = np.bincount(tickets.worker[chosen], minlength=run.many)
        _counted(run, found, fate, counted)
    seconds = _worked(run)
    vain = tickets.where("recalled", "dropped", "lost")
    _agree(run, found, "busy", run.workers["busy"], _by_worker(run, seconds))
    _agree(run, found, "wasted", run.workers["wasted"], _by_worker(run, np.where(vain, seconds, 0)))


def _counted(run: Evidence, found: Findings, fate: str, counted: Integers) -> None:
    mine = run.workers[fate]
    _hold(found, mine == counted, lambda at: f"{fate} {mine[at]}, but {TICKETS} has {counted[at]}")


def _worked(run: Evidence) -> Floats:
    """Seconds of each computation, without those in which its worker was paused."""
    tickets = run.known()
    seconds = tickets.finish - tickets.start
    if run.paused:
        seconds -= run.presence.within(tickets.worker, tickets.start, tickets.finish)
    return seconds


def _by_worker(run: Evidence, seconds: Floats) -> Floats:
    return np.asarray(np.bincount(run.known().worker, seconds, run.many), float)


def steps_agree(run: Evidence, found: Findings) -> None:
    """Every step has the tickets that were used in it, and their delays."""
    tickets, steps = run.known(), run.steps
    used = tickets.where("used")
    step, version = tickets.step[used], tickets.version[used]
    new = np.bincount(step, minlength=run.closed + 1)
    gradients = np.cumsum(new)
    _same(found, "gradients", steps["gradients"], gradients)
    begin = _table_begins(run)
    # A table keeps what the steps before it in its round have used.
    many = gradients - np.where(begin > 0, gradients[begin - 1], 0)
    _same(found, "tickets", steps["tickets"], many)
    sums = np.cumsum(np.bincount(step, version, run.closed + 1))
    total = sums - np.where(begin > 0, sums[begin - 1], 0)
    numbers = np.arange(run.closed + 1) - 1
    mean = np.where(many > 0, numbers - total / np.maximum(many, 1), 0.0)
    found.demand(
        "delay",
        STEPS,
        np.abs(steps["mean_delay"] - mean) <= RELATIVE * np.maximum(1, mean),
        lambda at: f"mean_delay = {steps['mean_delay'][at]:g}, its tickets say {mean[at]:g}",
        "step {}".format,
    )
    oldest = np.full(run.closed + 1, run.closed)
    np.minimum.at(oldest, step, version)
    oldest = _running_minimum(oldest, begin)
    _same(found, "max_delay", steps["max_delay"], np.where(many > 0, numbers - oldest, 0))


def _same(found: Findings, name: str, mine: Integers, theirs: Integers) -> None:
    found.demand(
        "delay" if name == "max_delay" else "steps and tickets",
        STEPS,
        mine == theirs,
        lambda at: f"{name} = {mine[at]}, its tickets say {theirs[at]}",
        "step {}".format,
    )


def _table_begins(run: Evidence) -> Integers:
    """The first of the steps whose gradients each step has, itself but under Ringleader."""
    steps = np.arange(run.closed + 1)
    if run.family != "ringleader":
        return steps
    return np.where(steps > 0, (steps - 1) // run.many * run.many + 1, 0)


def _running_minimum(values: Integers, begin: Integers) -> Integers:
    """Of each entry and those before it from ``begin`` on."""
    least = values.copy()
    for at in np.flatnonzero(begin < np.arange(len(values))):
        least[at] = min(least[at], least[at - 1])
    return least
