"""Is this the schedule of its method?  A replay on the reference, compared ticket by ticket.

The story is the method's own.  The reference shares the cluster's description with the engine, and
no other code.  So every start, outcome, weight, step and account must be the same.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.cluster import InvalidDuration
from simulator.reference import BrokenStory, Computations, Lengths, Record, replay
from simulator.verification.evidence import COUNTS, OUTCOMES, SECONDS, Evidence, Flags, Tickets
from simulator.verification.report import STEPS, TICKETS, WORKERS, Findings, Message

TOO_LONG = "takes longer than the check of a run may; straggle verify does it"
Columns: TypeAlias = dict[str, NDArray[Any]]


def check(run: Evidence, found: Findings, most: float = math.inf) -> None:
    """Compare with a replay; of a run with more than ``most`` computations, the first steps."""
    whole = run.row["started"] <= most
    steps = run.closed if whole else int(run.closed * most / run.row["started"])
    if not whole and (steps < run.closed or not run.closed):
        what = f"steps {steps + 1} to {run.closed} by replay" if run.closed else "replay"
        found.skip(what, TOO_LONG)
    if run.scenario.cluster.per == "environment-step" and run.tickets is None:
        found.skip("replay", "the lengths of episodes are in tickets.parquet, not recorded")
        return
    if not steps and (run.counted or not whole):
        return  # without a step or a second at which a replay could end
    try:
        record = _replay(run, steps, whole)
    except BrokenStory as broken:
        found.demand("replay", STEPS, False, f"the story of its method is broken: {broken}")
        return
    except InvalidDuration as wrong:
        found.demand("replay", STEPS, run.row["end"] == "failed", str(wrong))
        return
    if _compare_steps(run, record, steps, found) and whole:
        _compare_accounts(run, record, found)
    if run.tickets is not None:
        _compare_tickets(run.tickets, record, steps, whole, found)


def _replay(run: Evidence, steps: int, whole: bool) -> Record:
    """Up to the run's end, or up to one of its steps."""
    to_the_end = whole and not run.counted
    return replay(
        run.cluster,
        run.aggregation,
        seed=run.timing,
        vector=run.vector,
        steps=math.inf if to_the_end else steps,
        until=run.end if to_the_end else run.times[steps],
        lengths=_lengths(run) if run.scenario.cluster.per == "environment-step" else None,
    )


def _lengths(run: Evidence) -> Lengths:
    """The lengths of the episodes; one that was planned and never began is in no file."""
    of = run.known()
    names = zip(of.worker.tolist(), of.version.tolist(), of.index.tolist(), strict=True)
    lengths = dict(zip(map(Ticket._make, names), of.length.tolist(), strict=True))
    return lambda ticket: lengths.get(ticket, 1)


def _compare_steps(run: Evidence, record: Record, steps: int, found: Findings) -> bool:
    """Each step's time, and the number and delays of its gradients."""
    replayed = len(record.steps)
    message = f"closed {steps} steps, by replay {replayed}"
    if not found.demand("replay", STEPS, replayed == steps, message):
        steps = min(steps, replayed)
    closed = record.steps[:steps]
    columns: dict[str, Sequence[float]] = {
        "time": [step.time for step in closed],
        "tickets": [len(step.tickets) for step in closed],
        "gradients": [step.used for step in closed],
        "max_delay": [step.version - step.dispatched for step in closed],
        "mean_delay": [step.mean_delay for step in closed],
        "arrival_delay": [step.arrival_delay for step in closed],
        "training_seconds": [step.seconds for step in closed],
    }
    same = replayed == run.closed
    for name, values in columns.items():
        own, other = run.steps[name][: steps + 1], np.array([0, *values])
        same &= _equal(found, STEPS, name, own, other, own == other)
    return same


def _compare_accounts(run: Evidence, record: Record, found: Findings) -> None:
    accounts = record.accounts(run.closed if run.counted else None)._asdict()
    for name in (*COUNTS, *SECONDS):
        own, other = run.workers[name], np.asarray(accounts[name])
        _equal(
            found,
            WORKERS,
            name,
            own,
            other,
            own == other if name in COUNTS else run.close(own, other),
        )


def _compare_tickets(
    tickets: Tickets, record: Record, steps: int, whole: bool, found: Findings
) -> None:
    """Every computation; of a part of a run, the gradients that its steps used."""
    own, other = _sorted(tickets), _sorted(record.computations)
    if not whole:
        own, other = (
            _chosen(columns, (columns["step"] > 0) & (columns["step"] <= steps))
            for columns in (own, other)
        )
    known, wanted = _in_common(own, other)
    row = own["row"]
    message = "is not in the replay"
    found.demand("replay", TICKETS, known, message, lambda at: tickets.name(int(row[at])))
    found.demand("replay", TICKETS, wanted, "is missing", lambda at: _name(other, at))
    own, other = _chosen(own, known), _chosen(other, wanted)
    for name in ("start", "finish", "outcome", "step", "weight"):
        a, b = own[name], other[name]
        good = (a == b) | ((a != a) & (b != b))
        _equal(found, TICKETS, name, a, b, good, lambda at: tickets.name(int(own["row"][at])))


def _equal(
    found: Findings,
    file: str,
    name: str,
    own: NDArray[Any],
    other: NDArray[Any],
    good: Flags,
    place: Message | None = None,
) -> bool:

    def differ(at: int) -> str:
        if name == "outcome":
            return f"is {OUTCOMES[int(own[at])]}, by replay {OUTCOMES[int(other[at])]}"
        return f"{name} = {own[at]:.17g}, by replay {other[at]:.17g}"

    return found.demand("replay", file, good, differ, place)


def _sorted(of: Computations | Tickets) -> Columns:
    names = ("worker", "version", "index", "start", "finish", "outcome", "step", "weight")
    order = np.lexsort((of.index, of.version, of.worker))
    return {name: getattr(of, name)[order] for name in names} | {"row": order}


def _chosen(columns: Columns, rows: Flags) -> Columns:
    return {name: values[rows] for name, values in columns.items()}


def _in_common(own: Columns, other: Columns) -> tuple[Flags, Flags]:
    """Which tickets of each are tickets of the other, too."""
    both = [np.concatenate([own[name], other[name]]) for name in ("worker", "version", "index")]
    _, numbers = np.unique(np.column_stack(both), axis=0, return_inverse=True)
    a, b = np.split(numbers.ravel(), [len(own["row"])])
    return np.isin(a, b), np.isin(b, a)


def _name(columns: Columns, at: int) -> str:
    worker, version, index = (columns[name][at] for name in ("worker", "version", "index"))
    return f"worker {worker}, version {version}, index {index}"
