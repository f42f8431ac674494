"""How is an environment described?

By the length of its observation, its actions and, if it is written in JAX, three pure functions.
Each of them takes the constants as a pytree, so unequal environments are one environment with
stacked parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias


@dataclass(frozen=True)
class Discrete:
    """One of ``n`` actions, which the environment numbers from ``start``."""

    n: int
    start: int = 0


@dataclass(frozen=True)
class Box:
    """A vector of numbers, each between its own finite bounds."""

    low: tuple[float, ...]
    high: tuple[float, ...]


Actions: TypeAlias = Discrete | Box


class Environment(NamedTuple):
    """An environment in JAX.  A state is a pytree; only ``reset`` is random, by its key."""

    observation_size: int
    actions: Actions
    parameters: Any
    reset: Callable[..., Any]
    """``reset(parameters, key, dtype) -> state``"""
    observe: Callable[..., Any]
    """``observe(parameters, state) -> (observation_size,)``"""
    step: Callable[..., Any]
    """``step(parameters, state, action) -> (state, reward, terminated)``"""
