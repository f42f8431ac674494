"""Plain ascent, the step of all the methods named ``-pg``."""

from typing import TYPE_CHECKING

from algorithms.updates.rule import Length, Rule

if TYPE_CHECKING:
    from jax import Array


def sgd(step: Length) -> Rule:
    """Plain ascent: theta + step * g."""

    def update(point: "Array", gradient: "Array", dispatched: "int | Array") -> "Array":
        import jax.numpy as jnp

        return point + jnp.asarray(step, point.dtype) * gradient

    return Rule(
        init=lambda point: point,
        query=lambda point: point,
        iterate=lambda point: point,
        update=update,
    )
