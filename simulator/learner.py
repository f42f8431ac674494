"""How does the point move?  An update rule, compiled, and applied to a group of steps at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from algorithms.updates import Rule
from simulator.executor import Evaluated, padded_size
from simulator.schedule import Step

if TYPE_CHECKING:
    from jax import Array


class Place(NamedTuple):
    """Where a step led: the point at which gradients are taken next, and the one to evaluate."""

    query: "Array"
    iterate: "Array"


class Learner:
    """A rule for all runs of a method; the state of each is the caller's."""

    def __init__(self, rule: Rule) -> None:
        import jax

        self._rule = rule
        self._start = jax.jit(rule.init)
        self._place = jax.jit(lambda state: Place(rule.query(state), rule.iterate(state)))
        self._update = jax.jit(rule.update)
        self._scan = jax.jit(self._follow)

    def start(self, point: "Array") -> tuple[Any, Place]:
        """The state at the initial point."""
        state = self._start(point)
        return state, self._place(state)

    def advance(
        self, state: Any, values: Sequence[Evaluated], group: Sequence[Step]
    ) -> tuple[Any, list[Place]]:
        """The state after the group, and the place after each of its steps.

        Several small steps go in one compiled call, which costs about as much as one of them.
        """
        if len(group) == 1:
            state = self._update(state, values[0].gradient, group[0].dispatched)
            return state, [self._place(state)]
        size = padded_size(len(group))
        gradients = np.zeros((size, *values[0].gradient.shape), values[0].gradient.dtype)
        gradients[: len(group)] = [value.gradient for value in values]
        dispatched, real = np.zeros(size, np.int32), np.arange(size) < len(group)
        dispatched[: len(group)] = [step.dispatched for step in group]
        state, places = self._scan(state, gradients, dispatched, real)
        queries, iterates = np.asarray(places.query), np.asarray(places.iterate)
        return state, [Place(queries[k], iterates[k]) for k in range(len(group))]

    def _follow(self, state: Any, gradients: Any, dispatched: Any, real: Any) -> tuple[Any, Place]:
        import jax
        import jax.numpy as jnp

        def follow(state: Any, turn: tuple[Any, Any, Any]) -> tuple[Any, Place]:
            gradient, dispatched, real = turn
            new = self._rule.update(state, gradient, dispatched)
            state = jax.tree.map(lambda new, old: jnp.where(real, new, old), new, state)
            return state, Place(self._rule.query(state), self._rule.iterate(state))

        result: tuple[Any, Place] = jax.lax.scan(follow, state, (gradients, dispatched, real))
        return result
