"""Which gradient made a point infinite or NaN?  The first one that is not finite by itself."""

from collections.abc import Sequence

import numpy as np

from simulator.objectives.objective import Broken
from simulator.schedule import Step
from simulator.training.failure import Failure, failure_at
from simulator.training.lanes import Lane, Turn
from simulator.training.observer import Observer
from simulator.training.record import Run

FAR = 1e6
"""A point with such a number has diverged, and no single gradient is at fault."""


class Finite(Observer):
    """Fails every run whose point is no longer finite."""

    def __init__(self) -> None:
        self._suspected = False

    def group(self, lane: Lane, turns: Sequence[Turn]) -> None:
        # A point that is not finite stays so: the last one suffices.
        self._suspected = not all(turns[-1].is_finite(lane.row(run)) for run in lane.living)

    def step(self, lane: Lane, turn: Turn) -> None:
        if not self._suspected:
            return
        for run in lane.living:
            if not turn.is_finite(lane.row(run)):
                fail(lane, run, turn, f"its point is not finite after {run.steps} steps")


def fail(lane: Lane, run: Run, turn: Turn | None, message: str) -> None:
    """End a run that failed at this step, or at its initial point without a ``turn``.

    The message is used where neither a gradient nor the rule is at fault.
    """
    row = lane.row(run)
    if turn is not None and not (turn.is_finite(row) and np.isfinite(turn.gradient[row]).all()):
        run.failure = _culprit(lane, row, turn.step)
        cause = "the rule made a point" if run.failure.ticket is None else "a gradient"
        message = f"{cause} that is not finite{run.failure.described}"
    point = run.failure.point if run.failure else run.point
    near = point is not None and np.abs(point).max() < FAR  # False for infinity and NaN
    if near and run.failure is None:
        message += ", though its point is finite: an episode of the evaluation went wrong"
    lane.end(run, "failed", message if near else f"{message}; a smaller step may help")


def fail_broken(lanes: Sequence[Lane], broken: Broken) -> None:
    """Fail every run whose environment has failed."""
    for lane in lanes:
        for run in lane.living:
            if broken.ticket is not None:
                steps = (step for step in lane.group if broken.ticket in step.fresh)
                row = lane.row(run)
                run.failure = failure_at(next(steps, None), broken.ticket, lane.points, row)
            lane.end(run, "failed", f"{broken}{run.failure.described if run.failure else ''}")


def _culprit(lane: Lane, row: int, step: Step) -> Failure:
    """The first of a step's new gradients that is not finite by itself, if there is one."""
    runs = lane.context
    if step.fresh and step.versions <= runs.points.keys():
        gradients = np.asarray(lane.executor.each(runs, step))[row]
        wrong = np.flatnonzero(~np.isfinite(gradients).all(axis=1))
        if len(wrong):
            return failure_at(step, step.fresh[wrong[0]], runs.points, row)
    return Failure(step.number)
