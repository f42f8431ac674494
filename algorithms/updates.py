"""What does the server do with a gradient?

An update rule is a factory that returns four pure functions (the shape that optax gave the
idea).  All of them *maximise*; points and gradients are flat vectors.  JAX is imported inside
the factories: naming a method, checking a scenario and simulating a schedule never load it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

from annotated_types import Ge, Gt, Le, Predicate

if TYPE_CHECKING:
    from jax import Array

Length: TypeAlias = Annotated[float, Gt(0)]
"""The length of a step (alpha)."""
Weight: TypeAlias = Annotated[float, Gt(0), Le(1)]
"""The weight of the newest gradient in the momentum (eta); 1 means no momentum."""


class Rule(NamedTuple):
    """``state = init(point)``, then for ever ``state = update(state, gradient, dispatched)``.

    ``query(state)`` is the point at which gradients are taken, ``iterate(state)`` the one that
    is evaluated; ``dispatched`` is the version of the oldest gradient in the step.
    """

    init: Callable[["Array"], Any]
    query: Callable[[Any], "Array"]
    iterate: Callable[[Any], "Array"]
    update: Callable[[Any, "Array", "int | Array"], Any]


class Momentum(NamedTuple):
    """The state of the normalised rules: where we are, where we were, which way we go."""

    point: "Array"
    previous: "Array"
    direction: "Array"
    steps: "Array"


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


def sgd(step: Length) -> Rule:
    """Plain ascent: theta + step * g."""
    return Rule(
        init=lambda point: point,
        query=lambda point: point,
        iterate=lambda point: point,
        update=lambda point, gradient, dispatched: point + step * gradient,
    )


def nigt(step: Length, momentum: Weight) -> Rule:
    """Normalised ascent with momentum, its gradients taken at an extrapolated point.

    With alpha = ``step`` and eta = ``momentum`` (arXiv 2509.24305, section 4)::

        y_t         = theta_t + ((1 - eta)/eta) (theta_t - theta_{t-1})     the query
        d_t         = (1 - eta) d_{t-1} + eta g(y_t)                        d_0 = g(theta_0)
        theta_{t+1} = theta_t + alpha d_t / |d_t|

    Where d_t is exactly zero there is no direction to go: theta stays.
    """

    def query(state: Momentum) -> "Array":
        return _extrapolate(state, momentum)

    def update(state: Momentum, gradient: "Array", dispatched: "int | Array") -> Momentum:
        return _ascend(state, gradient, momentum, step)

    return Rule(_start, query, _current, update)


def afedpg(step: Length | Decay, momentum: Weight | WeightDecay) -> Rule:
    """NIGT for gradients that arrive late: the weight is the one of their *dispatch*.

    The step after k updates takes a gradient dispatched at version s = k - delay::

        y_k         = theta_k + ((1 - A(k))/A(k)) (theta_k - theta_{k-1})   sent, stamped k
        d           = (1 - A(s)) d + A(s) g                                 first: d = g
        theta_{k+1} = theta_k + E(k) d / |d|

    With constant A and E this is NIGT with batches of one.
    """
    weight, length = _schedule(momentum), _schedule(step)

    def query(state: Momentum) -> "Array":
        return _extrapolate(state, weight(state.steps))

    def update(state: Momentum, gradient: "Array", dispatched: "int | Array") -> Momentum:
        return _ascend(state, gradient, weight(dispatched), length(state.steps))

    return Rule(_start, query, _current, update)


def _schedule(value: float | Decay) -> Callable[[Any], Any]:
    return value if isinstance(value, Decay) else lambda k: value


def _start(point: "Array") -> Momentum:
    import jax.numpy as jnp

    return Momentum(point, point, jnp.zeros_like(point), jnp.zeros((), jnp.int32))


def _current(state: Momentum) -> "Array":
    return state.point


def _extrapolate(state: Momentum, weight: Any) -> "Array":
    import jax.numpy as jnp

    ahead = jnp.asarray((1 - weight) / weight, state.point.dtype)
    return state.point + ahead * (state.point - state.previous)


def _ascend(state: Momentum, gradient: "Array", weight: Any, length: Any) -> Momentum:
    import jax.numpy as jnp

    dtype = state.point.dtype
    weight, length = jnp.asarray(weight, dtype), jnp.asarray(length, dtype)
    mixed = (1 - weight) * state.direction + weight * gradient
    direction = jnp.where(state.steps == 0, gradient, mixed)
    norm = jnp.linalg.norm(direction)
    unit = direction / jnp.where(norm > 0, norm, 1)
    return Momentum(state.point + length * unit, state.point, direction, state.steps + 1)
