"""How far is the target without noise?  The fewest steps of an ascent along the exact gradient.

Methods tune the length of their steps, so the ascent does, too: from 1/L_g upwards, until longer
steps need no fewer.  Nothing is trained.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from simulator.advice.probe import Start
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    from jax import Array

MOST_STEPS = 20_000
LONGER = 2**0.25
"""Each length of a step, as a multiple of the one before."""
MISSES = 6
"""Lengths in sequence that need no fewer steps, after which the search ends."""


class Path(NamedTuple):
    """The fewest steps to the target without noise, and a point there."""

    steps: int
    end: "Array"


Climb: TypeAlias = "Callable[[float, int], Path]"
"""The path with steps of one length; the target is missed if it has the most steps."""


def path(scenario: Scenario, start: Start, smoothness: float) -> Path | None:
    """The path of a scenario; None if steps of 1/L_g miss the target."""
    climb, length, misses = _climb(scenario, start), 1 / smoothness, 0
    found = climb(length, MOST_STEPS)
    if found.steps >= MOST_STEPS:
        return None
    while misses < MISSES and found.steps > 1:
        length *= LONGER
        other = climb(length, found.steps)
        fewer = other.steps < found.steps
        found, misses = (other, 0) if fewer else (found, misses + 1)
    return found._replace(steps=max(1, found.steps))


def _climb(scenario: Scenario, start: Start) -> Climb:
    import jax
    import jax.numpy as jnp

    metric, target, exact = scenario.metric, scenario.stop.target, start.exact
    sign = 1.0 if scenario.higher_is_better else -1.0
    assert target is not None

    @jax.jit
    def climb(length: float, most: int) -> "tuple[Array, Array]":
        def missing(state: "tuple[Array, Array]") -> "Array":
            steps, point = state
            reached = sign * (exact.measure(point[None])[metric][0] - target) >= 0
            return (steps < most) & ~reached & jnp.isfinite(point).all()

        def ascend(state: "tuple[Array, Array]") -> "tuple[Array, Array]":
            steps, point = state
            return steps + 1, point + length * exact.ascent(point[None])[0]

        steps, point = jax.lax.while_loop(missing, ascend, (jnp.zeros((), jnp.int32), start.point))
        return jnp.where(jnp.isfinite(point).all(), steps, most), point

    def path_of(length: float, most: int) -> Path:
        steps, point = climb(length, most)
        return Path(int(steps), point)

    return path_of
