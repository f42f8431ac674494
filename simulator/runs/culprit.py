"""Which gradient made a run go wrong?  The first one that is not finite by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.numerics.executor import Abreast, Evaluated, Executor
from simulator.numerics.learner import Place
from simulator.runs.failure import Failure
from simulator.schedule import Step

Turn = tuple[Step, Evaluated, Place]
"""A server step, its gradients, and where they led."""


def somewhere(place: Place) -> NDArray[np.bool_]:
    """Which rows' places are numbers."""
    finite = [np.isfinite(np.asarray(where)).all(axis=1) for where in place]
    both: NDArray[np.bool_] = finite[0] & finite[1]
    return both


def first_that_went_wrong(turns: Sequence[Turn], row: int) -> Step | None:
    """The first step that led to a point, or whose gradient is one, that is not finite."""
    for step, value, place in turns:
        for rows in (value.gradient, *place):
            if not np.isfinite(np.asarray(rows)[row]).all():
                return step
    return None


def culprit(runs: Abreast, row: int, step: Step, executor: Executor) -> Failure:
    """The first of a step's new gradients that is not finite by itself; maybe there is none."""
    versions = {ticket.version for ticket in step.fresh}
    if step.fresh and versions <= runs.points.keys():
        gradients = np.asarray(executor.each(runs, step.fresh))[row]
        wrong = np.flatnonzero(~np.isfinite(gradients).all(axis=1))
        if len(wrong):
            return failure_at(step.number, step.fresh[wrong[0]], runs.points, row)
    return Failure(step.number)


def failure_at(step: int | None, ticket: Ticket, points: Mapping[int, Any], row: int) -> Failure:
    """A failure of this gradient, with the point where it was taken, if that is still known."""
    there = points.get(ticket.version)
    return Failure(step, ticket, None if there is None else np.array(np.asarray(there)[row]))
