"""In which units does a policy see the world?  As it comes, or by the standard of the untrained.

A standard is fixed before training: how much each component of what is observed varies while the
neutral policy, whose outputs are all 0, plays.  It belongs to the objective, as the environment
does, so all methods, seeds and workers share it, and a ticket's gradient does not depend on what
was played before it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jax import Array

Sight: TypeAlias = Literal["raw", "standardised"]
EPISODES = 64
"""How many the neutral policy plays."""
FARTHEST = 10.0
"""Standard units; what lies beyond is seen there."""
CONSTANT = 1e-6
"""Relative to its size, or to 1: what varies less is rounding."""
ROOT = 0x5714DA2D
"""Folded into a key, it makes random numbers that no run has."""


@dataclass(frozen=True, eq=False)
class Standard:
    """Where each component of an observation is seen as 0, and how far from there as 1."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def of(self, observation: Any, xp: Any) -> Any:
        """The observation, of any leading axes, in these units."""
        mean, deviation = (x.astype(observation.dtype) for x in (self.mean, self.deviation))
        return xp.clip((observation - mean) / deviation, -FARTHEST, FARTHEST)


def standard_of(observations: NDArray[Any]) -> Standard:
    """The standard of many observations (rows); what hardly varies keeps its unit.

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
