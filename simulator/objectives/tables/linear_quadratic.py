"""What may a scenario say of a linear controller?"""

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field

from simulator.objectives.constants import Constants
from simulator.objectives.costs import MODEL_STEP, Cost, of_model
from simulator.objectives.exact.linear_quadratic_constants import constants_of
from simulator.objectives.exact.linear_systems import Systems, draw_systems
from simulator.objectives.objective import Size
from simulator.objectives.tables.discounted import DiscountedTable

if TYPE_CHECKING:
    from simulator.objectives.exact.sampled import Sampled


class LinearQuadraticTable(DiscountedTable):
    """The return of a linear controller of a linear system: value and gradient are exact."""

    kind: Literal["linear-quadratic"]
    states: Annotated[int, Ge(1), Le(16)] = 4
    actions: Annotated[int, Ge(1), Le(16)] = 2
    radius: Annotated[float, Gt(0), Lt(1)] = Field(
        0.9, description="the spectral radius of every system without control"
    )
    noise: Annotated[float, Ge(0)] = Field(0.1, description="its standard deviation, in the states")
    exploration: Annotated[float, Gt(0)] = Field(0.5, description="the same, in the actions")
    heterogeneity: Annotated[float, Ge(0), Le(1)] = Field(
        0.0, description="how much of each worker's system is its own"
    )

    def size(self, workers: int) -> Size:
        """Of a point."""
        return Size(self.states * self.actions, np.dtype(self.dtype).itemsize)

    def cost(self, size: Size, workers: int, episodes: int) -> Cost:
        playing = self.steps() * MODEL_STEP
        return of_model(size, playing)

    def constants(self, workers: int) -> Constants:
        """What theory needs to know, mostly estimated; see ``linear_quadratic_constants``."""
        return constants_of(self._systems(workers), horizon=self.steps())

    def build(self, workers: int) -> "Sampled":
        from simulator.objectives.exact.linear_quadratic import LinearQuadratic
        from simulator.objectives.exact.sampled import Sampled

        return Sampled(LinearQuadratic(self._systems(workers), horizon=self.steps()))

    def _systems(self, workers: int) -> Systems:
        own, driven = draw_systems(
            workers,
            shape=(self.actions, self.states),
            radius=self.radius,
            strength=self.heterogeneity,
            seed=self.problem_seed,
        )
        return Systems(own, driven, self.discount, self.noise, self.exploration)
