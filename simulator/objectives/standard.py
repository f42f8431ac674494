"""In which units are a policy's observations?  Raw, or standardised before training.

A standard is the mean and deviation of each component of the observations while the neutral policy
plays, whose outputs are all 0.  It belongs to the objective, as the environment does: all methods,
seeds and workers share it, and no ticket's gradient depends on earlier episodes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jax import Array

Units: TypeAlias = Literal["raw", "standardised"]
EPISODES = 64
"""Episodes of the neutral policy."""
LIMIT = 10.0
"""Standard units; larger values are clipped."""
CONSTANT = 1e-6
"""A smaller deviation, relative to the mean or to 1, is rounding."""
ROOT = 0x5714DA2D
"""Folded into a key, it makes random numbers of no run."""


@dataclass(frozen=True, eq=False)
class Standard:
    """The value of each component that becomes 0, and the distance from it that becomes 1."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def of(self, observation: Any, xp: Any) -> Any:
        """The observation, of any leading axes, in these units."""
        mean, deviation = (x.astype(observation.dtype) for x in (self.mean, self.deviation))
        return xp.clip((observation - mean) / deviation, -LIMIT, LIMIT)


def standard_of(observations: NDArray[Any]) -> Standard:
    """The standard of many observations (rows); a constant component keeps its unit.

    >>> standard_of(np.array([[1.0, 7.0, 0.0], [3.0, 7.0, 0.0]]))
    Standard(mean=array([2., 7., 0.]), deviation=array([1., 1., 1.]))
    """
    rows = observations.astype(np.float64)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    varies = deviation > CONSTANT * np.maximum(1, np.abs(mean))
    return Standard(mean, np.where(varies, deviation, 1.0))


def standard_root() -> "Array":
    """The root key of the episodes of the neutral policy: the same for every run."""
    import jax

    return jax.random.fold_in(jax.random.key(0), ROOT)
