"""Which objectives are there?  Their tables in a scenario; building one imports JAX."""

from typing import Annotated, TypeAlias

from pydantic import Field

from simulator.objectives.tables.chain import ChainTable
from simulator.objectives.tables.linear_quadratic import LinearQuadraticTable
from simulator.objectives.tables.policy_gradient import PolicyGradientTable
from simulator.objectives.tables.quadratic import QuadraticTable
from simulator.objectives.tables.tabular import TabularTable

AnyTable: TypeAlias = (
    PolicyGradientTable | TabularTable | LinearQuadraticTable | QuadraticTable | ChainTable
)
OBJECTIVES: dict[str, type[AnyTable]] = {
    "policy-gradient": PolicyGradientTable,
    "tabular": TabularTable,
    "linear-quadratic": LinearQuadraticTable,
    "quadratic": QuadraticTable,
    "chain": ChainTable,
}
ObjectiveTable: TypeAlias = Annotated[AnyTable, Field(discriminator="kind")]
