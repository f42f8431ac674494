"""Which objectives are there?  Their tables in a scenario; building one imports JAX."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from annotated_types import Ge, Gt, Le, MinLen
from pydantic import Field

from simulator.objectives.environments.catalogue import check_environment, spaces
from simulator.objectives.objective import Direction, Objective, Playing, Size
from simulator.objectives.policies import policy_for
from simulator.tables import Table

Count: TypeAlias = Annotated[int, Ge(1), Le(1_000_000)]
Share: TypeAlias = Annotated[float, Gt(0), Le(1)]


class PolicyTable(Table):
    """A multi-layer perceptron with tanh units."""

    hidden: Annotated[list[Count], MinLen(1)] = Field([64, 64], description="units per layer")


class PolicyGradientTable(Table):
    """The return of a policy in an environment, by REINFORCE on real trajectories."""

    kind: Literal["policy-gradient"]
    environment: str = Field(description="a gymnasium id; CartPole-v1 and Pendulum-v1 are ours")
    environment_options: dict[str, Any] = Field({}, description="its keyword arguments")
    policy: PolicyTable = PolicyTable()
    horizon: Count = Field(200, description="steps of an episode at most")
    discount: Share = 0.99
    dtype: Literal["float32", "float64"] = "float32"

    metrics: ClassVar[Mapping[str, Direction]] = {"return": "higher"}
    plays: ClassVar[bool] = True
    """Whether a ticket takes environment steps; then what is built is ``Playing``."""

    def check(self) -> None:
        """Raise a one-line ValueError if there is no such environment."""
        check_environment(self.environment, self.environment_options)

    def size(self) -> Size:
        """Of a point, without JAX; ValueError if there is no such environment."""
        seen, actions = spaces(self.environment, self.environment_options)
        policy = policy_for(seen, actions, self.policy.hidden)
        return Size(policy.dimension, np.dtype(self.dtype).itemsize)

    def build(self) -> Playing:
        from simulator.objectives.policy_gradient import PolicyGradient

        return PolicyGradient(
            self.environment,
            environment_options=self.environment_options,
            hidden=self.policy.hidden,
            horizon=self.horizon,
            discount=self.discount,
            dtype=self.dtype,
        )


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

    def check(self) -> None:
        """Nothing beyond the types can be wrong."""

    def size(self) -> Size:
        """Of a point."""
        return Size(self.dimension, np.dtype(self.dtype).itemsize)

    def build(self) -> Objective:
        from simulator.objectives.quadratic import Quadratic

        return Quadratic(
            self.dimension, noise=self.noise, scale=self.scale, probability=self.probability
        )


OBJECTIVES: dict[str, type[PolicyGradientTable] | type[QuadraticTable]] = {
    "policy-gradient": PolicyGradientTable,
    "quadratic": QuadraticTable,
}
ObjectiveTable: TypeAlias = Annotated[
    PolicyGradientTable | QuadraticTable, Field(discriminator="kind")
]
