"""Is this the run that its method's story tells?  Replayed on the plain cluster, and compared.

The story is the method's own.  The reference shares the cluster's description with the engine, and
no other code.  So every start, fate, weight, step and account must be the same.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.cluster import InvalidDuration
from simulator.reference import BrokenStory, Computations, Lengths, Record, replay
from simulator.verification.evidence import COUNTS, SECONDS, STEPS, TICKETS, WORKERS, Evidence
from simulator.verification.report import Findings
from simulator.verification.tickets import OUTCOMES, Flags, Tickets

TOO_LONG = "takes longer than the check of a run may; straggle verify does it"
Columns: TypeAlias = dict[str, NDArray[Any]]


def check(run: Evidence, found: Findings, most: float = math.inf) -> None:
    """Compare with a replay, of the first steps only where more than ``most`` were computed."""
    steps = _steps_within(run, most)
    if steps < run.closed or (not run.closed and run.row["started"] > most):
        what = f"steps {steps + 1} to {run.closed} by replay" if run.closed else "replay"
        found.pass_over(what, TOO_LONG)
    if run.scenario.cluster.per == "environment-step" and run.tickets is None:
        found.pass_over("replay", "the lengths of episodes are in tickets.parquet, not recorded")
        return
    whole = steps == run.closed and run.row["started"] <= most
    if not steps and (run.counted or not whole):
        # A replay goes up to a step, or to the second where the run ended: there is neither.
        return
    try:
        record = _replay(run, steps, whole)
    except BrokenStory as broken:
        found.demand("replay", STEPS, False, f"the story of its method is broken: {broken}")
        return
    except InvalidDuration as wrong:
        found.demand("replay", STEPS, run.row["end"] == "failed", str(wrong))
        return
    if _steps(run, record, steps, found) and whole:
        _accounts(run, record, found)
    if run.tickets is not None:
        _tickets(run.tickets, record, steps, whole, found)


def _steps_within(run: Evidence, most: float) -> int:
    """How many steps can be replayed for so many computations."""
    if run.row["started"] <= most:
        return run.closed
    return int(run.closed * most / run.row["started"])


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
    """Those of the episodes; one that was planned and never begun is in no file."""
    assert run.tickets is not None
    of = run.tickets
    names = zip(of.worker.tolist(), of.version.tolist(), of.index.tolist(), strict=True)
    known = dict(zip(map(Ticket._make, names), of.length.tolist(), strict=True))
    return lambda ticket: known.get(ticket, 1)


def _steps(run: Evidence, record: Record, steps: int, found: Findings) -> bool:
    """Each step's time, and how many gradients it has, and how old they are."""
    there = len(record.steps)
    told = f"closed {steps} steps, by replay {there}"
    if not found.demand("replay", STEPS, there == steps, told):
        steps = min(steps, there)
    closed = record.steps[:steps]
    columns: dict[str, Sequence[float]] = {
        "time": [step.time for step in closed],
        "tickets": [len(step.tickets) for step in closed],
        "gradients": [step.used for step in closed],
        "max_delay": [step.version - step.dispatched for step in closed],
        "mean_delay": [step.mean_delay for step in closed],
    }
    same = there == run.closed
    for name, values in columns.items():
        mine, theirs = run.steps[name][: steps + 1], np.array([0, *values])
        same &= _equal(found, STEPS, name, mine, theirs, mine == theirs, "step {}".format)
    return same


def _accounts(run: Evidence, record: Record, found: Findings) -> None:
    """What every worker has done."""
    accounts = record.accounts(run.closed if run.counted else None)._asdict()
    for name in (*COUNTS, *SECONDS):
        mine, theirs = run.workers[name], np.asarray(accounts[name])
        good = mine == theirs if name in COUNTS else run.close(mine, theirs)
        _equal(found, WORKERS, name, mine, theirs, good, "worker {}".format)


def _tickets(tickets: Tickets, record: Record, steps: int, whole: bool, found: Findings) -> None:
    """Every computation; of a part of the run, those that its steps have used."""
    mine, theirs = _sorted(tickets), _sorted(record.computations)
    if not whole:
        mine, theirs = (_used_by(steps, columns) for columns in (mine, theirs))
    known, wanted = _in_common(mine, theirs)
    row = mine["row"]
    found.demand(
        "replay", TICKETS, known, "by replay nobody computes it", lambda at: tickets.name(row[at])
    )
    found.demand("replay", TICKETS, wanted, "is missing", lambda at: _name(theirs, at))
    mine, theirs = _chosen(mine, known), _chosen(theirs, wanted)
    for name in ("start", "finish", "outcome", "step", "weight"):
        a, b = mine[name], theirs[name]
        good = (a == b) | ((a != a) & (b != b))
        _equal(found, TICKETS, name, a, b, good, lambda at: tickets.name(mine["row"][at]))


def _equal(
    found: Findings,
    file: str,
    name: str,
    mine: NDArray[Any],
    theirs: NDArray[Any],
    good: Flags,
    place: Callable[[int], str],
) -> bool:
    """Demand that a column is the replay's."""
    return found.demand("replay", file, good, lambda at: _differ(name, mine[at], theirs[at]), place)


def _sorted(of: Computations | Tickets) -> Columns:
    """By worker, version and index."""
    names = ("worker", "version", "index", "start", "finish", "outcome", "step", "weight")
    order = np.lexsort((of.index, of.version, of.worker))
    return {name: getattr(of, name)[order] for name in names} | {"row": order}


def _used_by(steps: int, columns: Columns) -> Columns:
    return _chosen(columns, (columns["step"] > 0) & (columns["step"] <= steps))


def _chosen(columns: Columns, rows: Flags) -> Columns:
    return {name: values[rows] for name, values in columns.items()}


def _in_common(mine: Columns, theirs: Columns) -> tuple[Flags, Flags]:
    """Which tickets of each are tickets of the other, too."""
    both = [np.concatenate([mine[name], theirs[name]]) for name in ("worker", "version", "index")]
    _, whose = np.unique(np.column_stack(both), axis=0, return_inverse=True)
    a, b = np.split(whose.ravel(), [len(mine["row"])])
    return np.isin(a, b), np.isin(b, a)


def _name(columns: Columns, at: int) -> str:
    worker, version, index = (columns[name][at] for name in ("worker", "version", "index"))
    return f"worker {worker}, version {version}, index {index}"


def _differ(name: str, mine: float, theirs: float) -> str:
    if name == "outcome":
        return f"is {OUTCOMES[int(mine)]}, by replay {OUTCOMES[int(theirs)]}"
    return f"{name} = {mine:.17g}, by replay {theirs:.17g}"
