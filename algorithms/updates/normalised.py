"""Normalised ascent with momentum: steps of a given length along an average of gradients.

NIGT and AFedPG take their gradients at a point *ahead*, which cancels the lag of the momentum.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from algorithms.local import mixed_in, pack
from algorithms.updates.rule import Decay, Length, Rule, Weight, WeightDecay

if TYPE_CHECKING:
    from jax import Array


Source: TypeAlias = Literal["latest", "dispatch"]


class Momentum(NamedTuple):
    """The state of the normalised rules."""

    point: "Array"
    previous: "Array"
    direction: "Array"
    steps: "Array"


def nigt(step: Length, momentum: Weight) -> Rule:
    """Normalised ascent with momentum, its gradients taken at an extrapolated point.

    With alpha = ``step`` and eta = ``momentum`` (arXiv 2509.24305, section 4)::

        y_t         = theta_t + ((1 - eta)/eta) (theta_t - theta_{t-1})     the query
        d_t         = (1 - eta) d_{t-1} + eta g(y_t)                        d_0 = g(theta_0)
        theta_{t+1} = theta_t + alpha d_t / |d_t|

    Where d_t is exactly zero, theta stays.
    """

    def query(state: Momentum) -> "Array":
        return _extrapolate(state, momentum)

    def update(state: Momentum, gradient: "Array", dispatched: "int | Array") -> Momentum:
        return _ascend(state, gradient, momentum, step)

    return Rule(_start, query, _current, update, normalised=True)


def afedpg(
    step: Length | Decay, momentum: Weight | WeightDecay, direction: Source = "latest"
) -> Rule:
    """NIGT for gradients that arrive late: their weight is that of their *dispatch*.

    The step after k updates takes a gradient dispatched at version s = k - delay::

        y_k         = theta_k + ((1 - A(k))/A(k)) (theta_k - theta_{k-1})   sent, stamped k
        d           = (1 - A(s)) d + A(s) g                                 first: d = g
        theta_{k+1} = theta_k + E(k) d / |d|

    With constant A and E this is NIGT with batches of one.  With ``direction = "dispatch"`` the
    worker mixes its gradient into the d that it was sent with the point, so that d on the right is
    the one of version s; before the first update there is none, and d = g.
    """
    weight, length = _schedule(momentum), _schedule(step)

    def query(state: Momentum) -> "Array":
        return _extrapolate(state, weight(state.steps))

    def update(state: Momentum, gradient: "Array", dispatched: "int | Array") -> Momentum:
        return _ascend(state, gradient, weight(dispatched), length(state.steps))

    if direction == "latest":
        return Rule(_start, query, _current, update, normalised=True)

    def sent(state: Momentum) -> "Array":
        import jax.numpy as jnp

        share = jnp.where(state.steps == 0, 1.0, weight(state.steps))
        point = query(state)
        return pack(point, point, state.direction, share)

    def go(state: Momentum, mixed: "Array", dispatched: "int | Array") -> Momentum:
        return _ascend(state, mixed, 1.0, length(state.steps))

    return Rule(_start, sent, _current, go, mixed_in, normalised=True)


def normalised(step: Length, momentum: Weight) -> Rule:
    """NIGT without its look-ahead: the gradients are taken at theta_t itself.

    ::

        d_t         = (1 - eta) d_{t-1} + eta g(theta_t)                    d_0 = g(theta_0)
        theta_{t+1} = theta_t + alpha d_t / |d_t|
    """
    return nigt(step, momentum)._replace(query=_current)


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
