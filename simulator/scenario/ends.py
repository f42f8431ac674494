"""Where does a run end, and how often is the current point evaluated?"""

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from simulator.table import Count, Seconds, Table


class EvaluationTable(Table):
    """How often the current point is evaluated; this does not change the run."""

    every_seconds: Seconds | None = Field(default=None, description="simulated")
    every_steps: Count | None = Field(default=None, description="server steps")
    episodes: Count = 32
    diagnostics_every_steps: Count | None = Field(
        default=None, description="also estimate the signal-to-noise ratio of a step's gradient"
    )
    metric: str | None = Field(
        default=None, description="metric of the target [the objective's first]"
    )

    @model_validator(mode="after")
    def _one_rhythm(self) -> Self:
        if self.every_seconds is not None and self.every_steps is not None:
            raise PydanticCustomError("rhythm", "say every_seconds or every_steps, not both")
        return self


class StopTable(Table):
    """A run ends at the first of these."""

    seconds: Seconds | None = Field(default=None, description="simulated, inclusive")
    steps: Count | None = Field(default=None, description="server steps")
    gradients: Count | None = Field(default=None, description="used gradients")
    target: float | None = Field(default=None, description="of the evaluation's metric")

    @model_validator(mode="after")
    def _some_end(self) -> Self:
        if self.seconds is None and self.steps is None and self.gradients is None:
            message = "say seconds, steps or gradients; a target alone may never be reached"
            raise PydanticCustomError("endless", message)
        return self
