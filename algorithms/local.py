"""Local steps: a worker takes several steps of its own and sends their sum.

The ticket of such work counts its local steps; its value is what the worker sends at the end.  The
server sends a *payload*, a flat vector with all that the work starts from.  The work is a pure
function of the payload, a random key and the worker's ``Oracle``, so it is mapped over tickets and
compiled like a plain gradient.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from jax import Array


class Mixed(NamedTuple):
    """Functions of one sample whose decisions were taken at several points, one after another."""

    draw: "Callable[[Array], Any]"  # ``sample = draw(key)``
    gradient: "Callable[[Any], Array]"
    """``gradient(sample)``: unbiased for the mixture's return in a common shift of its points."""
    weight: "Callable[[Any, Array], Array]"
    """``weight(sample, point)``: how much likelier the sample is at this one point."""


class Oracle(NamedTuple):
    """Functions of one sample (a trajectory) of a worker's own objective J_i."""

    draw: "Callable[[Array, Array], Any]"  # ``sample = draw(key, point)``
    gradient: "Callable[[Any, Array], Array]"
    """``gradient(sample, point)``: unbiased where the sample was drawn at this point."""
    weight: "Callable[[Any, Array, Array], Array]"
    """``weight(sample, point, other)``: how much likelier the sample is at the other point."""
    hessian_product: "Callable[[Any, Array, Array], Array]"
    """``hessian_product(sample, point, vector)``: unbiased for the Hessian times the vector."""
    length: "Callable[[Any], Array]"  # the environment steps that the sample took
    number: "Array | int" = 0  # the index of the ticket at its point
    mixed: "Callable[[Array, Array], Mixed] | None" = None
    """``mixed(points, shares)``: each point from its share of the horizon on.

    None where samples are not made of decisions.
    """


Work: TypeAlias = Callable[[Oracle, "Array", "Array"], "tuple[Array, Array]"]
"""``contribution, environment_steps = work(oracle, payload, key)``"""
LocalStep: TypeAlias = "Callable[[Array, Array], tuple[Array, Array]]"
"""``new_point, environment_steps = step(point, key)``"""


def ascent(local_steps: int, local_step: float) -> Work:
    """FedBuff's client: plain ascent, ``x <- x + local_step * g(x)``; it sends its progress."""

    def work(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
        return _walk(_ascent_of(oracle, local_step), payload, key, local_steps)

    return work


def _ascent_of(oracle: Oracle, local_step: float) -> LocalStep:
    def step(point: "Array", key: "Array") -> "tuple[Array, Array]":
        sample = oracle.draw(key, point)
        return point + local_step * oracle.gradient(sample, point), oracle.length(sample)

    return step


def progress(local_step: float) -> Work:
    """Local SGD's worker: all steps that it has finished; it sends its progress."""

    def work(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
        return _walk(_ascent_of(oracle, local_step), payload, key, oracle.number + 1)

    return work


def mean_of(batch: int) -> Work:
    """The mean of ``batch`` gradients at one point."""

    def work(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
        def step(total: "Array", key: "Array") -> "tuple[Array, Array]":
            sample = oracle.draw(key, payload)
            return total + oracle.gradient(sample, payload) / batch, oracle.length(sample)

        return _walk(step, payload, key, batch)

    return work


def mixed_in(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
    """A gradient mixed into the direction that the server sent with its point."""
    point, _, direction, share = unpack(payload)
    sample = oracle.draw(key, point)
    return (1 - share) * direction + share * oracle.gradient(sample, point), oracle.length(sample)


def reweighted(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
    """A sample of an old point, and its gradient at a new one, with a truncated weight.

    From the payload's theta_old, theta_new and bound::

        min(p(sample | theta_new) / p(sample | theta_old), bound) g(theta_new)
    """
    import jax.numpy as jnp

    old, new = jnp.reshape(payload[:-1], (2, -1))
    sample = oracle.draw(key, old)
    weight = jnp.minimum(oracle.weight(sample, old, new), payload[-1])
    return weight * oracle.gradient(sample, new), oracle.length(sample)


def mixed(pieces: int) -> Work:
    """The gradient of a sample that ``pieces`` points made, one after another.

    The payload is these points and their shares.
    """

    def work(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
        acting = _mixture(oracle, payload, pieces)
        sample = acting.draw(key)
        return acting.gradient(sample), oracle.length(sample)

    return work


def mixed_reweighted(pieces: int) -> Work:
    """``reweighted`` with the likelihood of ``pieces`` points in place of the old one's.

    The payload is that of ``mixed``, then theta_new and the bound.
    """

    def work(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
        import jax.numpy as jnp

        size = len(payload) // (pieces + 1)
        new, bound = payload[-size:-1], payload[-1]
        acting = _mixture(oracle, payload[:-size], pieces)
        sample = acting.draw(key)
        weight = jnp.minimum(acting.weight(sample, new), bound)
        return weight * oracle.gradient(sample, new), oracle.length(sample)

    return work


def _mixture(oracle: Oracle, payload: "Array", pieces: int) -> Mixed:
    import jax.numpy as jnp

    assert oracle.mixed is not None, "refused when the scenario was checked"
    return oracle.mixed(jnp.reshape(payload[:-pieces], (pieces, -1)), payload[-pieces:])


def variance_reduced(local_steps: int, local_step: float) -> Work:
    """FedSVRPG-M's client: one sample's gradients at two points, the older one weighted.

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
    """FedHAPG-M's client: the gradient's change is a Hessian-vector product.

    It replaces FedSVRPG-M's ``g(x) - w g(theta_{r-1})`` by the Hessian times ``x - theta_{r-1}``,
    from a second sample, at a random point of the segment between the two.
    """

    def change(
        oracle: Oracle, sample: Any, key: "Array", x: "Array", old: "Array"
    ) -> "tuple[Array, Array | int]":
        import jax

        place, drawing = jax.random.split(key)
        between = old + jax.random.uniform(place, (), x.dtype) * (x - old)
        second = oracle.draw(drawing, between)
        return oracle.hessian_product(second, between, x - old), oracle.length(second)

    return _with_momentum(change, local_steps, local_step)


def _with_momentum(change: Callable[..., Any], local_steps: int, local_step: float) -> Work:
    """Local steps along ``beta g + (1 - beta) (u_r + change)``."""

    def work(oracle: Oracle, payload: "Array", key: "Array") -> "tuple[Array, Array]":
        import jax

        start, old, direction, beta = unpack(payload)

        def step(x: "Array", key: "Array") -> "tuple[Array, Array]":
            sample = oracle.draw(key, x)
            # The key of a second sample comes from that of the first.
            changed, more = change(oracle, sample, jax.random.fold_in(key, 1), x, old)
            along = beta * oracle.gradient(sample, x) + (1 - beta) * (direction + changed)
            return x + local_step * along, oracle.length(sample) + more

        return _walk(step, start, key, local_steps)

    return work


def pack(start: "Array", old: "Array", direction: "Array", beta: "Array") -> "Array":
    """The payload of methods with momentum: three vectors and a number."""
    import jax.numpy as jnp

    return jnp.concatenate([start, old, direction, jnp.reshape(beta, 1).astype(start.dtype)])


def unpack(payload: "Array") -> "tuple[Array, Array, Array, Array]":
    import jax.numpy as jnp

    start, old, direction = jnp.reshape(payload[:-1], (3, -1))
    return start, old, direction, payload[-1]


def _walk(
    step: LocalStep, start: "Array", key: "Array", count: "int | Array"
) -> "tuple[Array, Array]":
    """The progress and environment steps of ``count`` steps; the k-th folds k into the key."""
    import jax
    import jax.numpy as jnp

    def go(k: "Array", state: "tuple[Array, Array]") -> "tuple[Array, Array]":
        point, taken = step(state[0], jax.random.fold_in(key, k))
        return point, state[1] + taken

    end, taken = jax.lax.fori_loop(0, count, go, (start, jnp.zeros((), jnp.int32)))
    return end - start, taken
