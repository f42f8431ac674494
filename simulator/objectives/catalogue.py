"""Which objectives are there?  Their tables in a scenario; building one imports JAX."""

from typing import Annotated, TypeAlias

from pydantic import Field

from simulator.objectives.tables.chain import ChainTable
from simulator.objectives.tables.policy_gradient import PolicyGradientTable
from simulator.objectives.tables.quadratic import QuadraticTable

OBJECTIVES: dict[str, type[ChainTable] | type[PolicyGradientTable] | type[QuadraticTable]] = {
    "chain": ChainTable,
    "policy-gradient": PolicyGradientTable,
    "quadratic": QuadraticTable,
}
ObjectiveTable: TypeAlias = Annotated[
    ChainTable | PolicyGradientTable | QuadraticTable, Field(discriminator="kind")
]
