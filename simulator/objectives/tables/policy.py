"""Which kinds of policies are there, and which settings have they in a scenario?"""

from abc import abstractmethod
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import MinLen
from pydantic import Field

from simulator.objectives.policies import PolicyMaker, Trunk, perceptron
from simulator.objectives.standard import Units
from simulator.objectives.tables.objective import Count
from simulator.table import OneOf, Table


class PolicyTable(Table):
    """The settings of a policy in a scenario; a column ``kind`` names it."""

    kind: str
    observations: Units = Field(
        default="raw", description="the units in which the policy sees them"
    )

    @abstractmethod
    def maker(self) -> PolicyMaker:
        """Makes the policy for the observations and actions of an environment.

        Processes that play the environment receive the policy, so pickle must know it.
        """

    @property
    def width(self) -> int:
        """About the number of outputs of the first layer."""
        return 64


class PerceptronTable(PolicyTable):
    """A multi-layer perceptron with tanh units."""

    # Not in written scenarios: they are older than other kinds.
    kind: Literal["perceptron"] = Field(default="perceptron", exclude=True)
    hidden: Annotated[list[Count], MinLen(1)] = Field(
        default=[64, 64], description="units per layer"
    )
    trunk: Trunk = Field(
        default="shared", description="whether mean and deviation share these layers"
    )

    def maker(self) -> PolicyMaker:
        return perceptron(self.hidden, self.trunk)

    @property
    def width(self) -> int:
        return self.hidden[0]


POLICIES: dict[str, type[PolicyTable]] = {"perceptron": PerceptronTable}


def _with_kind(value: Any) -> Any:
    """A policy that does not name its kind is a perceptron."""
    return {"kind": "perceptron", **value} if isinstance(value, dict) else value


AnyPolicy: TypeAlias = Annotated[
    PolicyTable, OneOf("kind", POLICIES.keys, POLICIES.__getitem__, _with_kind)
]
