"""In which worker's environment is a row played, where the environments differ?

Their constants, signs and flags are stacked, a row for each worker, and gathered by the worker's
number.  A single environment is not stacked.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulator.objectives.environments.catalogue import own_environment
from simulator.objectives.environments.variation import Variation
from simulator.objectives.spaces import Environment


class Varied(NamedTuple):
    """An environment's constants, and the sign and flag of its worker's observations."""

    constants: Any
    sign: Any
    flag: Any | None


def varied(variation: Variation, environment: Environment) -> Environment:
    """The environment with this worker's sign and flag."""

    def reset(parameters: Varied, key: Array, dtype: Any) -> Any:
        return environment.reset(parameters.constants, key, dtype)

    def observe(parameters: Varied, state: Any) -> Array:
        observation = jnp.asarray(environment.observe(parameters.constants, state))
        flag = [] if parameters.flag is None else [parameters.flag]
        return jnp.append(parameters.sign * observation, jnp.asarray(flag, observation.dtype))

    def step(parameters: Varied, state: Any, action: Array) -> Any:
        return environment.step(parameters.constants, state, action)

    size = environment.observation_size + (variation.flag is not None)
    parameters = Varied(environment.parameters, variation.sign, variation.flag)
    return Environment(size, environment.actions, parameters, reset, observe, step)


def environments_of(
    environment: str | Environment, options: Mapping[str, Any], variations: Sequence[Variation]
) -> list[Environment]:
    """The environments of all workers, or one for all; by name, or the caller's own."""
    if isinstance(environment, str):
        each = [own_environment(environment, {**options, **own.options}) for own in variations]
    else:
        each = [environment] * len(variations)
    if len(variations) == 1:
        return each
    return [varied(own, one) for own, one in zip(variations, each, strict=True)]


class Worlds:
    """The environments of all workers; ``dtype`` is that of their numbers."""

    def __init__(self, environments: Sequence[Environment], dtype: Any) -> None:
        self._each = tuple(environments)
        self._stacked = _stack(self._each, dtype) if len(self._each) > 1 else None

    def __len__(self) -> int:
        return len(self._each)

    @property
    def first(self) -> Environment:
        return self._each[0]

    def of(self, worker: int) -> Environment:
        return self._each[worker % len(self._each)]

    def rows(self, workers: Array) -> tuple[Environment, int | None]:
        """The environment of each row, and the axis of rows of its parameters, if any."""
        if self._stacked is None:
            return self.first, None
        numbers = workers % len(self._each)
        parameters = jax.tree.map(lambda leaf: jnp.asarray(leaf)[numbers], self._stacked)
        return self.first._replace(parameters=parameters), 0


def _stack(environments: Sequence[Environment], dtype: Any) -> Any:
    """Their parameters, a row for each; numbers get the dtype that constants take beside points."""

    def stack(*leaves: Any) -> Any:
        rows = np.asarray(leaves)
        return rows if rows.dtype == bool else rows.astype(dtype)

    return jax.tree.map(stack, *(environment.parameters for environment in environments))
