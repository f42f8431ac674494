"""What does a policy do, seen step by step?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.screen import Stage
from simulator.objectives.estimator import evaluation_keys, start_and_noise

if TYPE_CHECKING:
    from jax import Array

    from simulator.objectives.policies import Policy


def evaluated(seed: int, episodes: int) -> "list[Array]":
    """The keys of the episodes that an evaluation with this seed plays."""
    import jax
    import jax.numpy as jnp

    return list(evaluation_keys(jax.random.key(seed), jnp.int32(0), episodes))


def show(
    stage: Stage, policy: "Policy", point: NDArray[Any], key: "Array", horizon: int
) -> Iterator[float]:
    """Play one episode of the policy as it is, chance included; a value for every moment of it.

    That is the reward of the step before, and 0 at the start.  It is the same episode that an
    objective plays with this key, up to rounding.
    """
    start, noise = start_and_noise(policy, key, horizon, point.dtype)
    layers = policy.layers(point)
    observation = stage.reset(start, point.dtype)
    yield 0.0
    for row in np.asarray(noise):
        choice = policy.choose(layers, observation, row, np)
        observation, reward, over = stage.step(policy.act(choice, np))
        yield reward
        if over:
            return
