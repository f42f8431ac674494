"""What may a scenario say of the quadratic?"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from simulator.objectives.objective import Direction, Objective, Size
from simulator.objectives.tables.types import Share
from simulator.tables import Table


class QuadraticTable(Table):
    """The tridiagonal quadratic with noisy gradients: gap and gradient norm are exact."""

    kind: Literal["quadratic"]
    dimension: Annotated[int, Ge(2), Le(10_000_000)] = 100
    noise: Literal["isotropic", "shared", "progress"] = "isotropic"
    scale: Annotated[float, Ge(0)] = Field(0.01, description="of isotropic and shared noise")
    probability: Share = Field(0.1, description="of progress noise")
    dtype: Literal["float64"] = "float64"

    metrics: ClassVar[Mapping[str, Direction]] = {"gap": "lower", "gradient_norm": "lower"}
    plays: ClassVar[bool] = False
    exact: ClassVar[bool] = True
    local: ClassVar[bool] = True

    def check(self, workers: int) -> None:
        """Nothing beyond the types can be wrong."""

    def size(self, workers: int) -> Size:
        """Of a point."""
        return Size(self.dimension, np.dtype(self.dtype).itemsize)

    def build(self, workers: int) -> Objective:
        from simulator.objectives.quadratic import Quadratic

        return Quadratic(
            self.dimension, noise=self.noise, scale=self.scale, probability=self.probability
        )
