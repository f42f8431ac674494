"""What may a scenario say of the chain, and what are its constants?"""

from collections.abc import Mapping
from math import e, pi, sqrt
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field

from simulator.objectives.constants import Constant, Constants
from simulator.objectives.exact.chain_constants import LIPSCHITZ, bound, height
from simulator.objectives.objective import Direction, Objective, Size
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.objectives.tables.types import Share

Positive = Annotated[float, Gt(0), Le(1e9)]


class ChainTable(ObjectiveTable):
    """The non-convex worst case: a chain of coordinates, each hidden behind the one before."""

    kind: Literal["chain"]
    length: Annotated[int, Ge(2), Le(10_000_000)] = Field(100, description="coordinates to find")
    smoothness: Positive = Field(1.0, description="the gradient's Lipschitz constant")
    scale: Positive = Field(1.0, description="how far a coordinate has to go to be found")
    probability: Share = Field(0.1, description="that a gradient has the next coordinate")
    dtype: Literal["float64"] = "float64"

    metrics: ClassVar[Mapping[str, Direction]] = {
        "gradient_norm": "lower",
        "gap": "lower",
        "progress": "higher",
    }
    exact: ClassVar[bool] = True

    @property
    def local(self) -> bool:
        return True

    def size(self, workers: int) -> Size:
        """Of a point."""
        return Size(self.length, np.dtype(self.dtype).itemsize)

    def build(self, workers: int) -> Objective:
        from simulator.objectives.exact.chain import Chain
        from simulator.objectives.exact.sampled import Sampled

        return Sampled(Chain(self.length, self.smoothness, self.scale, self.probability))

    def constants(self, workers: int) -> Constants:
        """Those of F, scaled: f = (L s^2 / 152) F(x / s)."""
        unit, s = self.smoothness / LIPSCHITZ, self.scale
        # A coordinate beyond the last non-zero one has at most sup Psi * Phi'(0) = e sqrt(e).
        spread = e**1.5 * sqrt((1 - self.probability) / self.probability)
        gap = height(self.length) - sqrt(2 * pi * e) / 2  # -F(0) is Phi(0)
        return Constants(
            smoothness=Constant(self.smoothness, "bound", "F's is at most 152"),
            hessian_smoothness=Constant(unit / s * bound(3), "bound", "from the links' suprema"),
            deviation=Constant(unit * s * spread, "bound", "the next coordinate of F's gradient"),
            gap=Constant(unit * s**2 * gap, "exact", "the infimum is approached, not attained"),
        )
