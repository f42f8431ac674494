"""Which random numbers belong to a ticket, and what is the gradient of recorded steps?

A root key has three branches that never meet: the tickets', the initial point's, and the
evaluations'.  A ticket's own key splits into where its episode starts and the policy's noise.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.objectives.objective import Direction, Played, ticket_keys

if TYPE_CHECKING:
    from jax import Array

    from simulator.objectives.policies import Policy

RETURN: Mapping[str, Direction] = MappingProxyType({"return": "higher"})
"""What evaluations measure of a policy."""


def episode_keys(root: "Array", tickets: "Array") -> "Array":
    """One key per ticket."""
    return ticket_keys(_branches(root)[0], tickets)


def initial_key(root: "Array") -> "Array":
    return _branches(root)[1]


def evaluation_keys(root: "Array", step: "Array", episodes: int) -> "Array":
    """One key per episode; other steps have others, and no ticket has any of them."""
    import jax
    import jax.numpy as jnp

    numbers = jnp.arange(episodes, dtype=jnp.int32)
    return jax.vmap(evaluation_key, (None, None, 0))(root, step, numbers)


def evaluation_key(root: "Array", step: "Array", number: "Array") -> "Array":
    """The key of the episode of this number."""
    import jax

    return jax.random.fold_in(jax.random.fold_in(_branches(root)[2], step), number)


def _branches(root: "Array") -> "Array":
    import jax

    return jax.random.split(root, 3)


def start_and_noise(
    policy: "Policy", key: "Array", steps: int, dtype: Any
) -> "tuple[Array, Array]":
    """The key of an episode's first state, and its policy's noise for every step it may make."""
    import jax

    start, noise = jax.random.split(key)
    return start, policy.noise(noise, steps, dtype)


def score(
    policy: "Policy",
    point: "Array",
    observations: "Array",
    choices: "Array",
    scales: "Array",
) -> "Array":
    """The sum over steps of scale * grad log pi(choice | observation), in one backward pass."""
    import jax
    import jax.numpy as jnp

    def surrogate(point: "Array") -> "Array":
        return jnp.sum(scales * policy.log_density(point, observations, choices))

    gradient: Array = jax.grad(surrogate)(point)
    return gradient


def in_turn(episodes: int, worlds: int) -> int:
    """So many episodes at least that every worker's environment has equally many."""
    return -(-episodes // worlds) * worlds


def played(totals: Any, lengths: Any) -> list[Played]:
    """Episodes in rows of an array as plain numbers."""
    pairs = zip(np.asarray(totals), np.asarray(lengths), strict=True)
    return [Played(float(total), int(length)) for total, length in pairs]
