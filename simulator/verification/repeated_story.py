"""Does the story of a real run close its steps?  It runs again with the recorded events.

The times of a real run follow from no rule.  Its steps do: from the story, and from what the story
got, in that order.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.mistakes import Mistake
from simulator.reference import StoryEvent
from simulator.results import recorded
from simulator.results.directory import events_of
from simulator.results.results import Results
from simulator.schedule import Computation, Step
from simulator.verification.evidence import Evidence
from simulator.verification.report import STEPS, TICKETS, Findings


def check(run: Evidence, found: Findings, results: Results) -> None:
    file = events_of(run.label, run.seed)
    try:
        events = results.happenings(run.label, run.seed).events
        steps = recorded.steps(results, run.label, run.seed)
    except Mistake as mistake:
        found.demand("events", file, False, str(mistake))
        return
    computations = {c.ticket: c for c in recorded.computations(results, run.label, run.seed)}
    _check_events(events, computations, file, found)
    if _check_steps(run, steps, found):
        _check_tickets(steps, computations, found)


def _check_events(
    events: Sequence[StoryEvent],
    computations: dict[Ticket, Computation],
    file: str,
    found: Findings,
) -> None:
    """A gradient arrives once, after its computation; events come in order."""
    times = np.array([event.time for event in events])
    in_order = np.diff(times, prepend=0.0) >= 0
    found.demand("events", file, in_order, "comes before the event above it", "row {}".format)
    tickets = [(each.event, each.time) for each in events if isinstance(each.event, Ticket)]
    once = len({ticket for ticket, _ in tickets}) == len(tickets)
    found.demand("events", file, once, "has a gradient twice")

    def arrives(ticket: Ticket, time: float) -> bool:
        known = computations.get(ticket)
        return known is not None and known.finish <= time

    good = [arrives(*each) for each in tickets]
    message = "arrives before its computation has ended, or was never computed"
    found.demand("events", file, good, message, lambda at: str(tickets[at][0]))


def _check_steps(run: Evidence, steps: list[Step], found: Findings) -> bool:
    """As many steps, each with as many gradients, as old."""
    message = f"closed {run.closed} steps, its story makes {len(steps)} of the events"
    if not found.demand("repeated story", STEPS, len(steps) == run.closed, message):
        return False
    columns: dict[str, list[float]] = {
        "tickets": [len(step.tickets) for step in steps],
        "gradients": [step.used for step in steps],
        "max_delay": [step.version - step.dispatched for step in steps],
        "mean_delay": [step.mean_delay for step in steps],
    }
    for name, values in columns.items():
        own, other = run.steps[name][1:], np.array(values)
        _equal(found, name, own, other)
    return True


def _equal(found: Findings, name: str, own: NDArray[Any], other: NDArray[Any]) -> None:
    found.demand(
        "repeated story",
        STEPS,
        own == other,
        lambda at: f"{name} = {own[at]:.17g}, by its story {other[at]:.17g}",
        lambda at: f"step {at + 1}",
    )


def _check_tickets(
    steps: list[Step], computations: dict[Ticket, Computation], found: Findings
) -> None:
    """Each step has the recorded gradients, with these weights."""
    by_story = {
        ticket: (step.number, weight)
        for step in steps
        for ticket, weight in zip(step.tickets, step.weights, strict=True)
        if ticket not in step.again
    }
    used = {t: (c.step, c.weight) for t, c in computations.items() if c.outcome == "used"}
    every = sorted(by_story.keys() | used.keys())
    good = [by_story.get(ticket) == used.get(ticket) for ticket in every]
    message = "is not in the step, or not with the weight, that its story gives it"
    found.demand("repeated story", TICKETS, good, message, lambda at: str(every[at]))
