"""An update rule: a factory that returns pure functions, as in optax.

All rules *maximise*; points and gradients are flat vectors.  JAX is imported inside the functions,
so that naming a method, checking a scenario and simulating a schedule never load it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

from annotated_types import Ge, Gt, Le, Predicate

from algorithms.local import Work

if TYPE_CHECKING:
    from jax import Array

Length: TypeAlias = Annotated[float, Gt(0)]  # the length of a step (alpha)
Weight: TypeAlias = Annotated[float, Gt(0), Le(1)]
"""The weight of the newest gradient in the momentum (eta); 1 means no momentum."""


class Rule(NamedTuple):
    """``state = init(point)``, then for each step ``state = update(state, gradient, dispatched)``.

    Gradients are taken at the point ``query(state)``; the point ``iterate(state)`` is evaluated;
    ``dispatched`` is the version of the oldest gradient in the step.  Where workers do ``work`` of
    their own, ``query`` is its payload, and ``gradient`` the weighted sum of the results.
    """

    init: Callable[["Array"], Any]
    query: Callable[[Any], "Array"]
    iterate: Callable[[Any], "Array"]
    update: Callable[[Any, "Array", "int | Array"], Any]
    work: Work | None = None
    normalised: bool = False
    """Whether every step has a given length, however long the gradient is."""


def sgd(step: Length) -> Rule:
    """Plain ascent, the rule of all methods named ``-pg``: theta + step * g."""

    def point_of(state: "Array") -> "Array":
        return state

    def update(point: "Array", gradient: "Array", dispatched: "int | Array") -> "Array":
        import jax.numpy as jnp

        return point + jnp.asarray(step, point.dtype) * gradient

    return Rule(init=point_of, query=point_of, iterate=point_of, update=update)


@dataclass(frozen=True)
class Decay:
    """A weight or length that falls with the step number k: ``scale * (k + offset)^-exponent``.

    >>> round(Decay(scale=1.0, exponent=0.5)(2), 3)
    0.5
    """

    __pydantic_config__ = {"extra": "forbid", "strict": False, "allow_inf_nan": False}  # noqa: RUF012

    scale: Annotated[float, Gt(0)]
    exponent: Annotated[float, Ge(0)]
    offset: Annotated[float, Ge(1)] = 2.0

    def __call__(self, k: Any) -> Any:
        return self.scale * (k + self.offset) ** -self.exponent


def must_not_exceed_1_at_the_start(decay: Decay) -> bool:
    """A weight of the newest gradient above 1 would subtract the momentum."""
    return bool(decay(0) <= 1)


WeightDecay: TypeAlias = Annotated[Decay, Predicate(must_not_exceed_1_at_the_start)]
