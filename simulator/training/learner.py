"""How does an update rule move the points of several runs, for several steps at once?

The rule's numbers (``step`` and ``momentum``) are arguments of the compiled code: runs that differ
in them move together, and new values compile nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.updates import Rule
from simulator.objectives.objective import run_by_run
from simulator.schedule import Step
from simulator.training.executor import Evaluated, padded_size

if TYPE_CHECKING:
    from jax import Array

Numbers: TypeAlias = Mapping[str, NDArray[np.float64]]
"""The settings in which runs may differ, by name, a value for each run."""


class Place(NamedTuple):
    """The points of each run after a step: that of the next gradients, and that to evaluate."""

    query: "Array"
    iterate: "Array"


class Learner:
    """A rule for all runs of a method; the caller holds their states.

    ``rule`` makes it of the numbers of one run.
    """

    def __init__(self, rule: Callable[[Mapping[str, Any]], Rule]) -> None:
        import jax

        self._rule = rule
        self._start = jax.jit(run_by_run(self._begin))
        self._step = jax.jit(run_by_run(self._move, shared=(3,)))
        self._scan = jax.jit(run_by_run(self._follow, shared=(3, 4)))

    def start(self, numbers: Numbers, points: "Array") -> tuple[Any, Place]:
        state, place = self._start(numbers, points)
        return state, place

    def advance(
        self, numbers: Numbers, state: Any, values: Sequence[Evaluated], group: Sequence[Step]
    ) -> tuple[Any, list[Place]]:
        """The states after the group, and the places after each of its steps.

        One compiled call takes several small steps, and costs about as much as one of them.
        """
        if len(group) == 1:
            state, place = self._step(numbers, state, values[0].gradient, group[0].dispatched)
            return state, [place]
        size = padded_size(len(group))
        runs, dimension = values[0].gradient.shape
        gradients = np.zeros((runs, size, dimension), values[0].gradient.dtype)
        for at, value in enumerate(values):
            gradients[:, at] = value.gradient
        dispatched, real = np.zeros(size, np.int32), np.arange(size) < len(group)
        dispatched[: len(group)] = [step.dispatched for step in group]
        state, places = self._scan(numbers, state, gradients, dispatched, real)
        # In NumPy: a JAX operation for each step would cost more than the step.
        rows = [cast("Array", np.asarray(where)) for where in places]
        return state, [Place(*(where[:, k] for where in rows)) for k in range(len(group))]

    def _begin(self, numbers: Any, point: Any) -> tuple[Any, Place]:
        rule = self._rule(numbers)
        state = rule.init(point)
        return state, Place(rule.query(state), rule.iterate(state))

    def _move(self, numbers: Any, state: Any, gradient: Any, dispatched: Any) -> tuple[Any, Place]:
        rule = self._rule(numbers)
        state = rule.update(state, gradient, dispatched)
        return state, Place(rule.query(state), rule.iterate(state))

    def _follow(
        self, numbers: Any, state: Any, gradients: Any, dispatched: Any, real: Any
    ) -> tuple[Any, Place]:
        import jax
        import jax.numpy as jnp

        rule = self._rule(numbers)

        def follow(state: Any, turn: tuple[Any, Any, Any]) -> tuple[Any, Place]:
            gradient, dispatched, real = turn
            new = rule.update(state, gradient, dispatched)
            state = jax.tree.map(lambda new, old: jnp.where(real, new, old), new, state)
            return state, Place(rule.query(state), rule.iterate(state))

        result: tuple[Any, Place] = jax.lax.scan(follow, state, (gradients, dispatched, real))
        return result
