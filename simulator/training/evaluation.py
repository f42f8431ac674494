"""How good is the policy by now?  Metrics of the newest iterate, at some steps or at all."""

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
"""Whether these metrics are as good as the target asks for."""


def never(metrics: Mapping[str, float]) -> bool:
    """Without a target."""
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
        self._look(lane, lane.place.iterate, None)

    def step(self, lane: Lane, turn: Turn) -> None:
        if self._when(turn.step):
            self._look(lane, turn.iterate, turn)

    def end(self, lane: Lane) -> None:
        if any(not run.looked for run in lane.living):
            self._look(lane, lane.place.iterate, None)

    def _look(self, lane: Lane, points: "Array | NDArray[Any]", turn: Turn | None) -> None:
        if not lane.living:
            return
        at, number = cast("Array", points), lane.living[0].steps
        found = self._objective.evaluate(lane.roots, at, number, self._episodes, lane.going)
        _see(lane, {name: np.asarray(each) for name, each in found.items()}, turn, self._reaches)


class ExactEvaluation(Observer):
    """Measures every step, where that is exact and cheap."""

    def __init__(self, exact: Exact, reaches: Reaches = never) -> None:
        self._exact, self._reaches = exact, reaches
        self._measured: list[Metrics] = []

    def begin(self, lane: Lane) -> None:
        (measured,) = self._measure([lane.place.iterate])
        _see(lane, measured, None, self._reaches)

    def group(self, lane: Lane, turns: Sequence[Turn]) -> None:
        self._measured = self._measure([turn.iterate for turn in turns])[::-1]

    def step(self, lane: Lane, turn: Turn) -> None:
        _see(lane, self._measured.pop(), turn, self._reaches)

    def _measure(self, places: "Sequence[Array | NDArray[Any]]") -> list[Metrics]:
        """The metrics at several places (R, d)."""
        points = np.stack([np.asarray(place) for place in places])
        rows = points.reshape(-1, points.shape[-1])
        found: list[Mapping[str, Array]] = []
        for chunk in chunks(len(rows)):
            part = rows[chunk]
            spare = np.repeat(part[:1], padded_size(len(part)) - len(part), axis=0)
            found.append(self._exact.measure(cast("Array", np.concatenate([part, spare]))))
        whole = {
            name: np.concatenate([np.asarray(each[name]) for each in found])[: len(rows)]
            for name in found[0]
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
            points = {t.version: lane.points[t.version][row] for t in turn.step.fresh}
            ratio = self._ratio.of(lane.root(run), points, turn.step)
            run.note("signal_to_noise", ratio)


def _see(lane: Lane, measured: Metrics, turn: Turn | None, reaches: Reaches) -> None:
    """Record what was measured at the newest step; some runs may end there."""
    for run in lane.living:
        row = lane.row(run)
        metrics = {name: float(values[row]) for name, values in measured.items()}
        run.look(metrics)
        wrong = next((name for name in metrics if not math.isfinite(metrics[name])), None)
        if wrong is not None:
            fail(lane, run, turn, f"{wrong} = {metrics[wrong]} after server step {run.steps}")
        elif reaches(metrics):
            run.reached = run.time
            lane.end(run, "target")
