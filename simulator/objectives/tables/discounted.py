"""What do tables have in common whose J is a discounted sum that is known exactly?"""

from collections.abc import Mapping
from math import ceil, log
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field

from simulator.objectives.objective import Direction
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.objectives.tables.types import Count


class DiscountedTable(ObjectiveTable):
    """A process that ``problem_seed`` draws, and trajectories of it that end."""

    discount: Annotated[float, Gt(0), Le(0.9999)] = 0.9
    horizon: Count | None = Field(
        None, description="steps of a trajectory; by default so many that discount^horizon <= 1e-4"
    )
    problem_seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    dtype: Literal["float64"] = "float64"

    metrics: ClassVar[Mapping[str, Direction]] = {"value": "higher", "gradient_norm": "lower"}
    exact: ClassVar[bool] = True

    @property
    def local(self) -> bool:
        return True

    def steps(self) -> int:
        """Of a trajectory."""
        return self.horizon or ceil(log(1e-4) / log(self.discount))
