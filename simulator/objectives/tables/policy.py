"""What may a scenario say of a policy, and which kinds of policies are there?"""

from abc import abstractmethod
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import MinLen
from pydantic import Field

from simulator.objectives.policies import PolicyMaker, Trunk, perceptron
from simulator.objectives.standard import Sight
from simulator.objectives.tables.objective import Count
from simulator.table import OneOf, Table


class PolicyTable(Table):
    """What a scenario says of its policy; a column ``kind`` names it."""

    kind: str
    observations: Sight = Field(
        default="raw", description="the units in which the policy sees them"
    )

    @abstractmethod
    def maker(self) -> PolicyMaker:
        """Makes the policy for the observations and actions of an environment.

        Processes that play the environment are sent what it makes, so that can be pickled.
        """

    @property
    def width(self) -> int:
        """About how many numbers a layer makes of an observation."""
        return 64


class PerceptronTable(PolicyTable):
    """A multi-layer perceptron with tanh units."""

    # Left out where it is written down: scenarios are older than other kinds.
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
