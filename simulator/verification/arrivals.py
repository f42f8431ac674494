"""Did each step close with the arrivals its method says, at their time and with their weights?

For the methods whose gradients are sent by themselves: greedy and delay-adaptive, Ringmaster,
FedBuff and Ringleader.
"""

import numpy as np

from simulator.cluster.law import Floats
from simulator.verification import missing
from simulator.verification.batches import STEP
from simulator.verification.evidence import STEPS, TICKETS, Evidence
from simulator.verification.report import Findings
from simulator.verification.rounds import gradients_grow_by_tickets, weigh
from simulator.verification.tickets import before

# From the steps alone


def sizes(run: Evidence, found: Findings) -> None:
    """How many gradients a step has, and how old the oldest may be."""
    many, oldest = run.steps["tickets"][1:], run.steps["max_delay"]
    buffer = int(run.settings.get("buffer", 1))
    if run.family == "ringleader":
        _tables(run, found)
    else:
        found.demand(
            "batch",
            STEPS,
            many == buffer,
            lambda at: f"closed with {many[at]} tickets, must be {buffer}",
            lambda at: f"step {at + 1}",
        )
        gradients_grow_by_tickets(run, found)
    if buffer == 1 and run.family != "ringleader":
        mean = run.steps["mean_delay"]
        found.demand(
            "delay",
            STEPS,
            mean == oldest,
            lambda at: f"mean_delay = {mean[at]:g} of one gradient, max_delay = {oldest[at]}",
            STEP,
        )
    limit = run.settings.get("threshold")
    if run.family == "ringleader":
        limit = 2 * run.many - 1
    if limit is not None:
        found.demand(
            "delay",
            STEPS,
            oldest < limit,
            lambda at: f"max_delay = {oldest[at]}, must be less than {limit}",
            STEP,
        )


def _tables(run: Evidence, found: Findings) -> None:
    """Ringleader: a round begins with somebody of everyone, and then grows by one at a time."""
    many, new = run.steps["tickets"][1:], np.diff(run.steps["gradients"])
    begins = np.arange(run.closed) % run.many == 0
    grown = many == np.concatenate([many[:1], many[:-1]]) + 1
    good = np.where(begins, (many >= run.many) & (new == many), grown & (new == 1))
    found.demand(
        "batch",
        STEPS,
        good,
        lambda at: (
            f"closed with {many[at]} tickets, {new[at]} of them new: a table "
            + (f"begins with all of {run.many} workers" if begins[at] else "grows by one")
        ),
        lambda at: f"step {at + 1}",
    )


# From the tickets


def check(run: Evidence, found: Findings) -> None:
    """Weights, ages, the time of each step, and the order of what came together."""
    _weights(run, found)
    _times(run, found)
    _ages(run, found)
    _newest(run, found)
    if run.family == "ringleader":
        _served(run, found)
    else:
        missing.answered(run, found)
    _open(run, found)


def _weights(run: Evidence, found: Findings) -> None:
    tickets = run.known()
    delay = np.maximum(tickets.step - 1 - tickets.version, 0).astype(float)
    right = np.ones(len(tickets))
    if run.family == "delay-adaptive":
        right = run.many / np.maximum(run.many, delay)
    elif run.family == "fedbuff":
        right = 1 / (int(run.settings["buffer"]) * np.sqrt(1 + delay))
    elif run.family == "ringleader":
        right = 1 / (run.many * np.maximum(_in_table(run), 1))
    weigh(run, found, right)


def _in_table(run: Evidence) -> Floats:
    """How many of its worker are in the table when a gradient is used first."""
    tickets = run.known()
    used = np.flatnonzero(tickets.where("used"))
    circle = (tickets.step[used] - 1) // run.many
    keys = circle * run.many + tickets.worker[used]
    order = np.lexsort((tickets.step[used], keys))
    ranked = keys[order] * (run.closed + 1) + tickets.step[used][order]
    # Those of the same round and worker that were used first in this step or before it.
    last = np.searchsorted(ranked, ranked, "right")
    begin = np.searchsorted(keys[order], keys[order], "left")
    many = np.zeros(len(tickets))
    many[used[order]] = last - begin
    return many


def _times(run: Evidence, found: Findings) -> None:
    """A step closes when the last of its new gradients arrives."""
    tickets = run.known()
    used = tickets.where("used")
    come = run.arrival
    if run.cluster.network.uplink is not None:
        found.pass_over("when each gradient arrived", "uploads share an uplink")
        latency, transit = run.uploads.each(tickets.worker, tickets.rank_among(run.sent))
        come = tickets.finish + latency + np.maximum(transit, run.alone)
    last = np.full(run.closed + 1, -np.inf)
    np.maximum.at(last, tickets.step[used], come[used])
    least, times = last[1:], run.times[1:]
    good = run.same(times, least)
    if run.cluster.network.uplink is not None:
        good = times >= least * (1 - 1e-9)
    found.demand(
        "step time",
        STEPS,
        good,
        lambda at: f"closed at {times[at]:.12g} s; its last gradient came at {least[at]:.12g} s",
        lambda at: STEP(at + 1),
    )


def _ages(run: Evidence, found: Findings) -> None:
    """Nothing arrived before the step that is before its own closed: who comes is taken at once."""
    tickets = run.known()
    used = tickets.where("used") & ~np.isnan(run.arrival)
    if run.family == "ringleader":
        used &= (tickets.step - 1) % run.many > 0
    step = np.maximum(tickets.step, 1)
    found.demand(
        "arrival",
        TICKETS,
        ~used | (run.arrival >= run.times[step - 1]),
        lambda at: (
            f"came at {run.arrival[at]:.12g} s, and is used in step {step[at]}, although "
            f"the step before closed only at {run.times[step[at] - 1]:.12g} s"
        ),
        tickets.name,
    )
    threshold = run.settings.get("threshold")
    if threshold is not None:
        found.demand(
            "age",
            TICKETS,
            ~tickets.where("used") | (tickets.step - 1 - tickets.version < threshold),
            lambda at: f"used in step {tickets.step[at]}, too old for threshold = {threshold}",
            tickets.name,
        )


def _newest(run: Evidence, found: Findings) -> None:
    """Who delivers is sent the point that is the newest then."""
    tickets = run.known()
    if run.family == "ringleader":
        _sent_on(run, found)
    if run.family == "ringleader" or run.settings.get("stops"):
        return
    answered = tickets.later & ~before(tickets.where("lost"))
    asked = np.where(answered, before(run.arrival), np.nan)
    following = np.append(run.times, np.inf)[tickets.version + 1]
    newest = (run.times[tickets.version] <= asked) & (asked <= following)
    if run.family != "fedbuff":
        mine = before(np.where(tickets.where("used"), tickets.step, -1))
        newest &= (mine < 0) | (mine == tickets.version)
    if run.presence:
        newest |= tickets.version >= before(np.maximum(tickets.version, tickets.step))
    found.demand(
        "version",
        TICKETS,
        np.isnan(asked) | newest,
        lambda at: f"its worker delivered at {asked[at]:g} s, when this was not the newest version",
        tickets.name,
    )


def _sent_on(run: Evidence, found: Findings) -> None:
    """Ringleader: who has just been served goes on at that point, if sending takes no time."""
    tickets = run.known()
    served = tickets.where("used") & ((tickets.step - 1) % run.many > 0)
    at_once = tickets.later & (run.uploads.free and run.cluster.network.uplink is None)
    after = np.where(at_once, before(np.where(served, tickets.step, 0)), 0)
    found.demand(
        "version",
        TICKETS,
        tickets.version >= after,
        lambda at: f"its worker had been sent version {after[at]} before",
        tickets.name,
    )


def _served(run: Evidence, found: Findings) -> None:
    """Ringleader: everybody is in the first table of a round, and is served once in it."""
    tickets = run.known()
    used = tickets.where("used")
    place = (tickets.step - 1) % run.many
    first = used & (place == 0)
    everybody = np.unique(tickets.step[first] * run.many + tickets.worker[first])
    begun = np.arange(1, run.closed + 1, run.many)
    found.demand(
        "batch",
        TICKETS,
        np.bincount(everybody // run.many, minlength=run.closed + 1)[begun] == run.many,
        "begins a round without a gradient of everybody",
        lambda at: STEP(begun[at]),
    )
    keys = (tickets.step - 1) // run.many * run.many + tickets.worker
    single = np.flatnonzero(used & (place > 0))
    _, whose, many = np.unique(keys[single], return_inverse=True, return_counts=True)
    found.demand(
        "batch",
        TICKETS,
        many[whose] == 1,
        lambda at: "its worker is served twice in a round",
        lambda at: tickets.name(int(single[at])),
    )


def _open(run: Evidence, found: Findings) -> None:
    """What has arrived and waits at the end does not make a step that should have closed."""
    tickets = run.known()
    waiting = tickets.where("waiting") & ~np.isnan(run.arrival)
    came = waiting & (run.arrival < run.end)
    if run.family == "ringleader":
        _open_table(run, found, came)
        return
    buffer = int(run.settings.get("buffer", 1))
    found.demand(
        "open batch",
        TICKETS,
        came.sum() < buffer,
        f"{came.sum()} gradients have come by {run.end:.12g} s and wait, {buffer} make a step",
    )


def _open_table(run: Evidence, found: Findings, came: np.ndarray) -> None:
    tickets = run.known()
    round_begins = run.closed // run.many * run.many + 1
    here = np.unique(tickets.worker[came])
    if run.closed % run.many == 0:
        good = len(here) < run.many
        told = "everybody has delivered, and no step has closed"
    else:
        served = np.zeros(run.many, bool)
        mine = tickets.where("used") & (tickets.step >= round_begins)
        late = mine & (tickets.step > round_begins)
        served[tickets.worker[late]] = True
        opened = np.flatnonzero(mine & (tickets.step == round_begins))
        order = np.lexsort((tickets.worker[opened], run.arrival[opened]))
        served[tickets.worker[opened[order[-1:]]]] = True
        good, told = bool(served[here].all()), "one came from a worker not yet served, and waits"
    found.demand("open batch", TICKETS, good, told)
