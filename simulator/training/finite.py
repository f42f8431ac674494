"""Which gradient made a run go wrong?  The first one that is not finite by itself."""

from collections.abc import Sequence

import numpy as np

from simulator.objectives.objective import Broken
from simulator.schedule import Step
from simulator.training.failure import Failure, failure_at
from simulator.training.lanes import Lane, Turn
from simulator.training.observer import Observer
from simulator.training.record import Run

FAR = 1e6
"""A point with such a number has gone too far, and what is wrong there is no gradient's fault."""


class Finite(Observer):
    """Fails every run whose point is no longer finite."""

    def __init__(self) -> None:
        self._suspected = False

    def group(self, lane: Lane, turns: Sequence[Turn]) -> None:
        # A point that is not finite stays so: the last one tells of all.
        self._suspected = not all(turns[-1].is_finite(lane.row(run)) for run in lane.living)

    def step(self, lane: Lane, turn: Turn) -> None:
        if not self._suspected:
            return
        for run in lane.living:
            if not turn.is_finite(lane.row(run)):
                told = f"its point is not finite after {run.steps} steps"
                fail(lane, run, turn, told)


def fail(lane: Lane, run: Run, turn: Turn | None, message: str) -> None:
    """End a run that went wrong at this step: by a gradient, by the rule, or as the message says.

    No ``turn``: it went wrong at its initial point.
    """
    row = lane.row(run)
    if turn is not None and not (turn.is_finite(row) and np.isfinite(turn.gradient[row]).all()):
        run.failure = _culprit(lane, row, turn.step)
        what = "the rule made a point" if run.failure.ticket is None else "a gradient"
        message = f"{what} that is not finite{run.failure.told}"
    point = run.failure.point if run.failure else run.point
    near = point is not None and np.abs(point).max() < FAR  # which no infinity is, and no NaN
    if near and run.failure is None:
        message += ", though its point is finite: an episode of the evaluation went wrong"
    lane.end(run, "failed", message if near else f"{message}; a smaller step may help")


def fail_broken(lanes: Sequence[Lane], broken: Broken) -> None:
    """An environment failed, and with it every run that it played for."""
    for lane in lanes:
        for run in lane.living:
            if broken.ticket is not None:
                steps = (step.number for step in lane.group if broken.ticket in step.fresh)
                row = lane.row(run)
                run.failure = failure_at(next(steps, None), broken.ticket, lane.points, row)
            lane.end(run, "failed", f"{broken}{run.failure.told if run.failure else ''}")


def _culprit(lane: Lane, row: int, step: Step) -> Failure:
    """The first of a step's new gradients that is not finite by itself; maybe there is none."""
    fresh, runs = step.fresh, lane.abreast
    if fresh and {ticket.version for ticket in fresh} <= runs.points.keys():
        gradients = np.asarray(lane.executor.each(runs, fresh))[row]
        wrong = np.flatnonzero(~np.isfinite(gradients).all(axis=1))
        if len(wrong):
            return failure_at(step.number, fresh[wrong[0]], runs.points, row)
    return Failure(step.number)
