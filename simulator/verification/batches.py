"""When is a batch full?  The stopping rules of those that reduce one."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.verification.evidence import TICKETS, Evidence, close
from simulator.verification.report import Findings
from simulator.verification.tickets import Flags

STEP = "step {}".format


class Counts(NamedTuple):
    """How many gradients each worker has in each batch, a row per pair that has any."""

    batch: Integers
    worker: Integers
    many: Integers


def count(run: Evidence, chosen: Flags, batch: Integers) -> Counts:
    keys, many = np.unique(
        batch[chosen] * run.many + run.known().worker[chosen], return_counts=True
    )
    return Counts(keys // run.many, keys % run.many, many)


def sizes_of(run: Evidence, steps: Integers) -> Floats:
    """M of each step."""
    batch = run.settings["batch"]
    initial = run.settings.get("initial_batch") or batch
    return np.where(steps == 1, float(initial), float(batch))


def check(run: Evidence, found: Findings, counts: Counts) -> None:
    """Whether each batch is what its method waits for, and was not so before."""
    if run.family == "mindflayer":
        _attempts(run, found)
    elif run.family == "synchronous":
        found.demand(
            "batch",
            TICKETS,
            counts.many == 1,
            lambda at: f"has {counts.many[at]} tickets of worker {counts.worker[at]}, must be one",
            lambda at: STEP(counts.batch[at]),
        )
    elif run.family == "malenia":
        _balanced(run, found, counts)
    elif run.settings.get("count") == "earliest-started":
        _earliest(run, found)


def _balanced(run: Evidence, found: Findings, counts: Counts) -> None:
    """Malenia: the harmonic mean of the counts is large enough, and was not before the last."""
    tickets = run.known()
    used = np.flatnonzero(tickets.where("used"))
    last = np.full(run.closed + 1, -1)
    order = np.lexsort((tickets.worker[used], tickets.finish[used]))
    last[tickets.step[used][order]] = tickets.worker[used][order]
    closer = last[counts.batch] == counts.worker
    for when, less in (("closes", 0), ("closed before", 1)):
        held = counts.many - less * closer
        met = balance_met(run, counts.batch, held, run.closed + 1)[1:]
        found.demand(
            "batch",
            TICKETS,
            met if not less else ~met,
            f"{when} the harmonic mean of its counts reaches batch / workers"
            if not less
            else "its counts met the rule before its last gradient came",
            lambda at: STEP(at + 1),
        )


def balance_met(run: Evidence, batch: Integers, held: Integers, many: int) -> Flags:
    """Whether all counts are 1 or more, and n / (sum of their inverses) is at least M / n."""
    some = held > 0
    everybody = np.bincount(batch[some], minlength=many) == run.many
    inverse = np.asarray(np.bincount(batch[some], 1 / held[some], many), float)
    batch_sizes = sizes_of(run, np.arange(many))
    wanted = run.many**2 / batch_sizes
    met = inverse <= wanted
    for tie in np.flatnonzero(everybody & close(inverse, wanted)):
        mine = held[some & (batch == tie)]
        exact = sum(Fraction(1, int(each)) for each in mine)
        met[tie] = exact <= Fraction(run.many**2, int(batch_sizes[tie]))
    return np.asarray(everybody & met)


def _attempts(run: Evidence, found: Findings) -> None:
    """MindFlayer: everybody who is there the whole round has made all of its attempts."""
    tickets = run.known()
    attempts = np.broadcast_to(np.asarray(run.settings["attempts"], np.int64), run.many)
    closed = tickets.version < run.closed
    made = count(run, np.ones(len(tickets), bool), tickets.version)
    found.demand(
        "attempts",
        TICKETS,
        (made.many <= attempts[made.worker]) | run.lossy,
        lambda at: (
            f"{made.many[at]} attempts of worker {made.worker[at]}, at most "
            f"{attempts[made.worker[at]]}"
        ),
        lambda at: f"version {made.batch[at]}",
    )
    if run.lossy:
        found.pass_over("that everybody made all attempts", "workers are lost")
        return
    ended = count(run, closed & tickets.where("used", "recalled"), tickets.version)
    every = np.bincount(ended.batch, ended.many, run.closed + 1)[: run.closed]
    found.demand(
        "attempts",
        TICKETS,
        every == attempts.sum(),
        lambda at: f"closes after {every[at]:.0f} attempts, there are {attempts.sum()}",
        lambda at: STEP(at + 1),
    )


def _earliest(run: Evidence, found: Findings) -> None:
    """Rennala, the earliest-started: used are the first of everybody and the next of the first."""
    tickets = run.known()
    if run.presence:
        found.pass_over("which gradients were started first", "workers go and come back")
        return
    batch = sizes_of(run, tickets.version + 1)
    first_to_come = _place(run) < batch - run.many
    early = count(run, first_to_come & run.through, tickets.version)
    keys = early.batch * run.many + early.worker
    wanted = tickets.version * run.many + tickets.worker
    at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    more = np.where(keys[at] == wanted, early.many[at], 0) if len(keys) else 0
    chosen = np.where(batch >= run.many, tickets.index <= more, tickets.worker < batch)
    chosen &= (batch >= run.many) | (tickets.index == 0)
    closed = tickets.version < run.closed
    found.demand(
        "batch",
        TICKETS,
        ~closed | (chosen == tickets.where("used")),
        lambda at: (
            "was among the earliest-started, and is not used"
            if chosen[at]
            else "used, but was not among the earliest-started"
        ),
        tickets.name,
    )


def _place(run: Evidence) -> Integers:
    """The place of each gradient among those of its version, by the time they were done."""
    tickets = run.known()
    order = np.lexsort((tickets.worker, tickets.finish, ~run.through, tickets.version))
    begins = np.flatnonzero(np.diff(tickets.version[order], prepend=-1))
    place = np.empty(len(tickets), np.int64)
    at = np.arange(len(tickets))
    place[order] = at - np.repeat(begins, np.diff(begins, append=len(tickets)))
    return place


# At the end of the run


def order_ends(run: Evidence) -> Floats:
    """When the order of each version ended: the newest one's with the run, or when it was full."""
    full = bool(under_way(run).any())
    return np.append(run.full[:-1], run.full[-1] if full else run.end)


def under_way(run: Evidence) -> Flags:
    """Gradients of an all-reduce that has not ended."""
    tickets = run.known()
    held = tickets.where("waiting") & (tickets.version == run.closed)
    return held if held.any() and would_close(run, held) else np.zeros(len(tickets), bool)


def would_close(run: Evidence, held: Flags) -> bool:
    """Whether these are all that the next step needs."""
    tickets, many = run.known(), int(held.sum())
    if run.family == "mindflayer":
        if run.lossy:
            return run.sure_of_rounds and bool(run.full[-1] <= run.end)
        ended = held | (tickets.where("recalled") & (tickets.version == run.closed))
        attempts = np.broadcast_to(np.asarray(run.settings["attempts"], np.int64), run.many)
        return bool(ended.sum() == attempts.sum())
    if run.family == "synchronous":
        return many == run.many
    if run.family == "malenia":
        counts = count(run, held, tickets.version + 1)
        return bool(balance_met(run, counts.batch, counts.many, run.closed + 2)[-1])
    return many >= int(sizes_of(run, np.array([run.closed + 1]))[0])
