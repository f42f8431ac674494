"""What does a worker do that sends more than a gradient?  Several steps of its own.

Such a ticket carries an amount of work, its local steps, and its value is whatever the worker
sends to the server at the end.  The server sends a *payload*: a flat vector that holds all that
the work starts from.  Everything is a pure function of the payload, a random key and the worker's
``Oracle``, so it is mapped over tickets and compiled like a plain gradient.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from jax import Array


class Oracle(NamedTuple):
    """What can be computed from one sample (a trajectory) of a worker's own function J_i."""

    draw: "Callable[[Array, Array], Any]"
    """``sample = draw(key, point)``, as it is drawn at this point."""
    gradient: "Callable[[Any, Array], Array]"
    """``gradient(sample, point)``: unbiased where the sample was drawn at this point."""
    weight: "Callable[[Any, Array, Array], Array]"
    """``weight(sample, point, other)``: how much likelier the sample is at the other point."""
    hessian_product: "Callable[[Any, Array, Array], Array]"
    """``hessian_product(sample, point, vector)``: unbiased for the Hessian times the vector."""
    length: "Callable[[Any], Array]"
    """The environment steps that the sample took."""


Work: TypeAlias = Callable[[Oracle, "Array", "Array"], "tuple[Array, Array]"]
"""``contribution, environment_steps = work(oracle, payload, key)``"""
LocalStep: TypeAlias = "Callable[[Array, Array], tuple[Array, Array]]"
"""``new_point, environment_steps = step(point, key)``"""


def ascent(local_steps: int, local_step: float) -> Work:
    """FedBuff's client: plain ascent, ``x <- x + local_step * g(x)``; it sends how far it came."""

    def work(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
        def step(point: "Array", key: "Array") -> "tuple[Array, Array]":
            sample = oracle.draw(key, point)
            return point + local_step * oracle.gradient(sample, point), oracle.length(sample)

        return _walk(step, payload, key, local_steps)

    return work


def variance_reduced(local_steps: int, local_step: float) -> Work:
    """FedSVRPG-M's client; one sample's gradients at two points, the older one weighted.

    From the payload's theta_r, theta_{r-1}, u_r and beta, at each local point x::

        w = p(sample | theta_{r-1}) / p(sample | x)
        u = beta g(x) + (1 - beta) (u_r + g(x) - w g(theta_{r-1}))
    """

    def change(
        oracle: Oracle, sample: Any, key: "Array", x: "Array", old: "Array"
    ) -> "tuple[Array, Array | int]":
        weight = oracle.weight(sample, x, old)
        return oracle.gradient(sample, x) - weight * oracle.gradient(sample, old), 0

    return _with_momentum(change, local_steps, local_step)


def hessian_aided(local_steps: int, local_step: float) -> Work:
    """FedHAPG-M's client: the change of the gradient by a Hessian-vector product.

    In place of FedSVRPG-M's ``g(x) - w g(theta_{r-1})`` it takes the Hessian times
    ``x - theta_{r-1}``, from a second sample, at a random point of the segment between the two.
    """

    def change(
        oracle: Oracle, sample: Any, key: "Array", x: "Array", old: "Array"
    ) -> "tuple[Array, Array | int]":
        import jax

        place, drawing = jax.random.split(key)
        between = old + jax.random.uniform(place, (), x.dtype) * (x - old)
        there = oracle.draw(drawing, between)
        return oracle.hessian_product(there, between, x - old), oracle.length(there)

    return _with_momentum(change, local_steps, local_step)


def _with_momentum(change: Callable[..., Any], local_steps: int, local_step: float) -> Work:
    """Local steps along ``beta g + (1 - beta) (u_r + change)``; it sends how far it came."""

    def work(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
        import jax

        start, old, direction, beta = unpack(payload)

        def step(x: "Array", key: "Array") -> "tuple[Array, Array]":
            sample = oracle.draw(key, x)
            # The key of a second sample, if there is one, comes from the first one's.
            changed, more = change(oracle, sample, jax.random.fold_in(key, 1), x, old)
            along = beta * oracle.gradient(sample, x) + (1 - beta) * (direction + changed)
            return x + local_step * along, oracle.length(sample) + more

        return _walk(step, start, key, local_steps)

    return work


def pack(start: "Array", old: "Array", direction: "Array", beta: "Array") -> "Array":
    """The payload of the methods with momentum: three vectors and a number, in a row."""
    import jax.numpy as jnp

    return jnp.concatenate([start, old, direction, jnp.reshape(beta, 1).astype(start.dtype)])


def unpack(payload: "Array") -> "tuple[Array, Array, Array, Array]":
    """The reverse."""
    import jax.numpy as jnp

    start, old, direction = jnp.reshape(payload[:-1], (3, -1))
    return start, old, direction, payload[-1]


def _walk(step: LocalStep, start: "Array", key: "Array", many: int) -> "tuple[Array, Array]":
    """How far so many steps lead, and what they took; the k-th has the key folded with k."""
    import jax
    import jax.numpy as jnp

    def go(k: "Array", state: "tuple[Array, Array]") -> "tuple[Array, Array]":
        point, taken = step(state[0], jax.random.fold_in(key, k))
        return point, state[1] + taken

    end, taken = jax.lax.fori_loop(0, many, go, (start, jnp.zeros((), jnp.int32)))
    return end - start, taken
