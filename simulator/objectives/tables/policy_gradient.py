"""What may a scenario say of a policy in an environment?"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import MinLen
from pydantic import Field

from simulator.objectives.environments.catalogue import OWN, spaces
from simulator.objectives.objective import Direction, Playing, Size
from simulator.objectives.policies import Policy, Trunk, policy_for
from simulator.objectives.standard import Sight
from simulator.objectives.tables.types import Count, Share
from simulator.tables import Table


class PolicyTable(Table):
    """A multi-layer perceptron with tanh units."""

    hidden: Annotated[list[Count], MinLen(1)] = Field([64, 64], description="units per layer")
    trunk: Trunk = Field("shared", description="whether mean and deviation share these layers")
    observations: Sight = Field("raw", description="the units in which the policy sees them")


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

    exact: ClassVar[bool] = False

    @property
    def local(self) -> bool:
        """Whether a worker can take several steps of its own: then what is built is ``Local``."""
        return self.environment in OWN

    def check(self, workers: int) -> None:
        """Raise a one-line ValueError if there is no such environment, or policy for it."""
        self._policy()

    def size(self, workers: int) -> Size:
        """Of a point, without JAX; the same ValueErrors."""
        return Size(self._policy().dimension, np.dtype(self.dtype).itemsize)

    def _policy(self) -> Policy:
        seen, actions = spaces(self.environment, self.environment_options)
        return policy_for(seen, actions, self.policy.hidden, self.policy.trunk)

    def build(self, workers: int) -> Playing:
        from simulator.objectives.policy_gradient import PolicyGradient

        return PolicyGradient(
            self.environment,
            environment_options=self.environment_options,
            hidden=self.policy.hidden,
            horizon=self.horizon,
            discount=self.discount,
            dtype=self.dtype,
            trunk=self.policy.trunk,
            observations=self.policy.observations,
        )
