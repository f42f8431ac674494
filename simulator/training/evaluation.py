"""When are the metrics of the newest iterate measured, and with what consequence?"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.objective import Exact, Objective
from simulator.schedule import Step
from simulator.training.diagnostics import SignalToNoise
from simulator.training.executor import chunks, padded_size
from simulator.training.finite import fail
from simulator.training.lanes import Lane, Turn
from simulator.training.observer import Observer

if TYPE_CHECKING:
    from jax import Array

Metrics = Mapping[str, NDArray[Any]]
"""A value for each row of a lane."""
Reaches = Callable[[Mapping[str, float]], bool]
"""Whether these metrics reach the target."""


def never(metrics: Mapping[str, float]) -> bool:
    return False


class Evaluation(Observer):
    """Plays episodes at some steps, at the first and at the last."""

    def __init__(
        self,
        objective: Objective,
        episodes: int,
        when: Callable[[Step], bool],
        reaches: Reaches = never,
    ) -> None:
        self._objective, self._episodes = objective, episodes
        self._when, self._reaches = when, reaches

    def begin(self, lane: Lane) -> None:
        self._evaluate(lane, lane.place.iterate, None)

    def step(self, lane: Lane, turn: Turn) -> None:
        if self._when(turn.step):
            self._evaluate(lane, turn.iterate, turn)

    def end(self, lane: Lane) -> None:
        if any(not run.is_evaluated for run in lane.living):
            self._evaluate(lane, lane.place.iterate, None)

    def _evaluate(self, lane: Lane, iterates: "Array | NDArray[Any]", turn: Turn | None) -> None:
        if not lane.living:
            return
        points, number = cast("Array", iterates), lane.living[0].steps
        values = self._objective.evaluate(lane.roots, points, number, self._episodes, lane.going)
        metrics = {name: np.asarray(each) for name, each in values.items()}
        _record(lane, metrics, turn, self._reaches)


class ExactEvaluation(Observer):
    """Measures every step of an exact objective, where measuring is cheap."""

    def __init__(self, exact: Exact, reaches: Reaches = never) -> None:
        self._exact, self._reaches = exact, reaches
        self._measured: list[Metrics] = []

    def begin(self, lane: Lane) -> None:
        (measured,) = self._measure([lane.place.iterate])
        _record(lane, measured, None, self._reaches)

    def group(self, lane: Lane, turns: Sequence[Turn]) -> None:
        self._measured = self._measure([turn.iterate for turn in turns])[::-1]

    def step(self, lane: Lane, turn: Turn) -> None:
        _record(lane, self._measured.pop(), turn, self._reaches)

    def _measure(self, places: "Sequence[Array | NDArray[Any]]") -> list[Metrics]:
        """The metrics at several places (R, d)."""
        points = np.stack([np.asarray(place) for place in places])
        rows = points.reshape(-1, points.shape[-1])
        parts: list[Mapping[str, Array]] = []
        for chunk in chunks(len(rows)):
            part = rows[chunk]
            spare = np.repeat(part[:1], padded_size(len(part)) - len(part), axis=0)
            parts.append(self._exact.measure(cast("Array", np.concatenate([part, spare]))))
        whole = {
            name: np.concatenate([np.asarray(each[name]) for each in parts])[: len(rows)]
            for name in parts[0]
        }
        split = {name: values.reshape(points.shape[:2]) for name, values in whole.items()}
        return [{name: values[at] for name, values in split.items()} for at in range(len(places))]


class Diagnostics(Observer):
    """Estimates now and then how much of a step's gradient is signal."""

    def __init__(self, ratio: SignalToNoise, every_steps: int) -> None:
        self._ratio, self._every = ratio, every_steps

    def step(self, lane: Lane, turn: Turn) -> None:
        if turn.step.number % self._every:
            return
        for run in lane.living:
            row = lane.row(run)
            points = {v: lane.points[v][row] for v in turn.step.versions}
            ratio = self._ratio.of(lane.root(run), points, turn.step)
            run.record("signal_to_noise", ratio)


def _record(lane: Lane, measured: Metrics, turn: Turn | None, reaches: Reaches) -> None:
    """Record the metrics of the newest step; some runs may end there."""
    for run in lane.living:
        row = lane.row(run)
        metrics = {name: float(values[row]) for name, values in measured.items()}
        run.record_metrics(metrics)
        wrong = next((name for name in metrics if not math.isfinite(metrics[name])), None)
        if wrong is not None:
            fail(lane, run, turn, f"{wrong} = {metrics[wrong]} after server step {run.steps}")
        elif reaches(metrics):
            run.reached = run.time
            lane.end(run, "target")
