"""Did each round close when its method says, with the right gradients and weights?

For the methods that reduce a batch: Rennala, Malenia, synchronous, local rounds and MindFlayer.
"""

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.verification import batches, missing, transfers
from simulator.verification.batches import STEP, Counts, count, sizes_of, would_close
from simulator.verification.evidence import RELATIVE, STEPS, TICKETS, Evidence
from simulator.verification.report import Findings

# From the steps alone


def sizes(run: Evidence, found: Findings) -> None:
    """How many gradients a step has, and that none of them is old."""
    many, numbers = run.steps["tickets"][1:], np.arange(1, run.closed + 1)
    least, most = _bounds(run, numbers)
    asked = "batch is" if "batch" in run.settings else "it needs"
    found.demand(
        "batch",
        STEPS,
        (many >= least) & (many <= most),
        lambda at: f"closed with {many[at]} tickets, {asked} {_range(least[at], most[at])}",
        lambda at: f"step {at + 1}",
    )
    found.demand(
        "delay",
        STEPS,
        run.steps["max_delay"] == 0,
        lambda at: f"max_delay = {run.steps['max_delay'][at]}, but all are at the newest point",
        STEP,
    )
    if run.family != "mindflayer":
        gradients_grow_by_tickets(run, found)


def gradients_grow_by_tickets(run: Evidence, found: Findings) -> None:
    """Where no ticket is used twice, or weighs nothing."""
    new, many = np.diff(run.steps["gradients"]), run.steps["tickets"][1:]
    found.demand(
        "gradients",
        STEPS,
        new == many,
        lambda at: f"gradients grow by {new[at]}, with {many[at]} tickets",
        lambda at: STEP(at + 1),
    )


def _range(least: float, most: float) -> str:
    if least == most:
        return f"{least:.0f}"
    return f"{least:.0f} or more" if np.isinf(most) else f"{least:.0f} to {most:.0f}"


def _bounds(run: Evidence, steps: Integers) -> tuple[Floats, Floats]:
    """The least and the most tickets of each step."""
    if run.family == "mindflayer":
        attempts = np.broadcast_to(np.asarray(run.settings["attempts"], float), run.many).sum()
        return np.zeros(len(steps)), np.full(len(steps), attempts)
    if run.family == "synchronous":
        return np.full(len(steps), run.many), np.full(len(steps), run.many)
    batch = sizes_of(run, steps)
    if run.family == "malenia":
        return np.maximum(batch, run.many), np.full(len(steps), np.inf)
    return batch, batch


# From the tickets


def check(run: Evidence, found: Findings) -> None:
    """Versions, weights, stopping rules, and the time of the all-reduce."""
    tickets = run.known()
    used = tickets.where("used")
    found.demand(
        "batch",
        TICKETS,
        ~used | (tickets.version == tickets.step - 1),
        lambda at: (
            f"used in step {tickets.step[at]}, whose point is version {tickets.step[at] - 1}"
        ),
        tickets.name,
    )
    late = (tickets.version < run.closed) & (tickets.start > run.full[tickets.version])
    found.demand(
        "batch",
        TICKETS,
        ~late,
        lambda at: f"starts at {tickets.start[at]:g} s, when its batch was full already",
        tickets.name,
    )
    counts = count(run, used, np.where(used, tickets.step, 0))
    _weights(run, found, counts)
    batches.check(run, found, counts)
    _nobody_passed_over(run, found)
    _reduced(run, found)
    _open(run, found)
    until = batches.order_ends(run)
    missing.in_rounds(run, found, until)
    if run.family in ("rennala", "malenia"):
        missing.going_on(run, found, until)


def _weights(run: Evidence, found: Findings, counts: Counts) -> None:
    tickets = run.known()
    used = tickets.where("used")
    if run.family == "mindflayer":
        chances, attempts = (
            np.broadcast_to(np.asarray(run.settings[name], float), run.many)
            for name in ("probability", "attempts")
        )
        right = np.full(len(tickets), 1 / (chances * attempts).sum())
    elif run.family == "malenia":
        mine = np.ones(len(tickets), np.int64)
        keys = counts.batch * run.many + counts.worker
        mine[used] = counts.many[
            np.searchsorted(keys, tickets.step[used] * run.many + tickets.worker[used])
        ]
        right = 1 / (run.many * mine)
    elif run.family == "rennala":
        right = 1 / sizes_of(run, tickets.step)
    else:
        right = np.full(len(tickets), 1 / run.many)
    weigh(run, found, right)


def weigh(run: Evidence, found: Findings, right: Floats) -> None:
    """Used tickets have these weights."""
    tickets = run.known()
    found.demand(
        "weight",
        TICKETS,
        ~tickets.where("used") | (np.abs(tickets.weight - right) <= 1e-12 * right),
        lambda at: f"weight = {tickets.weight[at]:.12g}, by the method's rule {right[at]:.12g}",
        tickets.name,
    )


def _nobody_passed_over(run: Evidence, found: Findings) -> None:
    """Whatever was done before the batch was full is in it; at that instant, by worker number."""
    if run.settings.get("count") == "earliest-started" or run.family == "mindflayer":
        return
    tickets = run.known()
    closed = tickets.version < run.closed
    done = tickets.where("dropped", "waiting") & closed
    found.demand(
        "batch",
        TICKETS,
        ~(done & run.before_full),
        lambda at: f"done at {tickets.finish[at]:.12g} s, before its batch was full, and not used",
        tickets.name,
    )


def _reduced(run: Evidence, found: Findings) -> None:
    """A step closes when its all-reduce ends."""
    tickets = run.known()
    used = tickets.where("used")
    parts = transfers.participants(run, used, tickets.version)
    least, most = (each[: run.closed] for each in transfers.ends(run, parts, run.full))
    times = run.times[1:]
    sure = np.ones(run.closed, bool)
    if not run.sure_of_rounds:
        found.pass_over("when rounds ended", "a worker came back just when one began")
        sure[:] = False
    if run.cluster.network.collective == "parameter-server":
        good = (times >= least * (1 - RELATIVE)) & (times <= most * (1 + RELATIVE))
    else:
        good = run.same(times, least) | run.same(times, most)
    good = np.where(sure, good, times >= run.full[:-1])
    found.demand(
        "step time",
        STEPS,
        good,
        lambda at: (
            f"closed at {times[at]:.12g} s; its batch was full at {run.full[at]:.12g} s "
            f"and its all-reduce ends at {_span(least[at], most[at])} s"
        ),
        lambda at: STEP(at + 1),
    )


def _span(least: float, most: float) -> str:
    return f"{least:.12g}" if least == most else f"{least:g} to {most:g}"


def _open(run: Evidence, found: Findings) -> None:
    """What waits at the end does not make a step that should have closed."""
    tickets = run.known()
    waiting = tickets.where("waiting")
    newest = run.closed
    found.demand(
        "open batch",
        TICKETS,
        ~waiting | (tickets.version == newest),
        f"waits at the end, but the open batch is at version {newest}",
        tickets.name,
    )
    held = waiting & (tickets.version == newest)
    if not held.any() or not would_close(run, held):
        found.demand("open batch", TICKETS, True, "")
        return
    parts = transfers.participants(run, held | tickets.where("used"), tickets.version)
    end = transfers.ends(run, parts, run.full)[1][newest]
    found.demand(
        "open batch",
        TICKETS,
        end >= run.end,
        f"{held.sum()} tickets wait at the end, with which step {newest + 1} would have closed "
        f"at {end:.12g} s",
    )
