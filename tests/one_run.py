"""An objective takes several runs in one call; these are its operations for a single run."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from simulator.objectives.objective import Objective, Values


def gradient(values: Values, root: Any, point: Any, tickets: Any, weights: Any) -> tuple[Any, Any]:
    """The weighted sum of gradients at one point (d,), and the environment steps."""
    found, steps = values.gradient(*_first(root, point), tickets, *_first(weights))
    return jnp.asarray(found)[0], jnp.asarray(steps)[0]


def gradients(
    values: Values, root: Any, points: Any, tickets: Any, weights: Any
) -> tuple[Any, Any]:
    """Each gradient (B, d) at its own of ``points`` (B, d), and the environment steps (B,)."""
    each, steps = values.gradients(*_first(root, points), tickets, *_first(weights))
    return jnp.asarray(each)[0], jnp.asarray(steps)[0]


def evaluate(
    objective: Objective, root: Any, point: Any, step: int, episodes: int
) -> Mapping[str, Any]:
    """The metrics at a point (d,)."""
    going = np.ones(1, bool)
    found = objective.evaluate(*_first(root, point), step, episodes, going)
    return {name: jnp.asarray(values)[0] for name, values in found.items()}


def _first(*arrays: Any) -> list[Any]:
    """As the only run's."""
    return [jnp.asarray(array)[None] for array in arrays]
