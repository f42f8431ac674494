"""How does the point move in real time?  By the rule of the method, one step at a time.

It is the same compiled code as in training, with a single run in the lane.
"""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from simulator.realtime.gradients import Vector
from simulator.schedule import Step
from simulator.training.executor import Evaluated
from simulator.training.learner import Learner

MOST_POINTS = 512
"""Iterates that are kept to be compared with the replay: with more, every second one is dropped."""


class Ascent:
    """The point of one run, and some of those before it."""

    def __init__(self, learner: Learner, numbers: Mapping[str, float], initial: Vector) -> None:
        self._learner, self._initial = learner, initial
        self._numbers = {name: np.array([value]) for name, value in numbers.items()}
        self._begin()
        # Compile the step now: later the workers would wait for it.
        self.advance(Step(0, 0.0, [], [], 0, None), np.zeros_like(initial))
        self._begin()

    def _begin(self) -> None:
        state, place = self._learner.start(self._numbers, cast(Any, self._initial[None]))
        self._state: Any = state
        self.point: Vector = np.asarray(place.query)[0]
        """Of the next gradients."""
        self.iterates: dict[int, Vector] = {}
        """Some iterates by the number of their step, always with the newest."""
        self._every = 1

    def advance(self, step: Step, gradient: Vector) -> Vector:
        """The point after this step, for the next gradients."""
        values = [Evaluated(gradient[None], np.zeros(1))]
        self._state, places = self._learner.advance(self._numbers, self._state, values, [step])
        self.point = np.asarray(places[-1].query)[0]
        if (step.number - 1) % self._every:
            self.iterates.pop(step.number - 1, None)
        self.iterates[step.number] = np.asarray(places[-1].iterate)[0]
        if len(self.iterates) > MOST_POINTS:
            self._every *= 2
            kept = {n: point for n, point in self.iterates.items() if n % self._every == 0}
            self.iterates = kept | {step.number: self.iterates[step.number]}
        return self.point
