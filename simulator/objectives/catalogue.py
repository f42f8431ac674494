"""Which objectives are there?  Their tables in a scenario; building one imports JAX."""

from typing import Annotated, TypeAlias

from pydantic import Field

from simulator.objectives.tables.linear_quadratic import LinearQuadraticTable
from simulator.objectives.tables.policy_gradient import PolicyGradientTable
from simulator.objectives.tables.quadratic import QuadraticTable
from simulator.objectives.tables.tabular import TabularTable

AnyTable: TypeAlias = PolicyGradientTable | QuadraticTable | TabularTable | LinearQuadraticTable
OBJECTIVES: dict[str, type[AnyTable]] = {
    "policy-gradient": PolicyGradientTable,
    "quadratic": QuadraticTable,
    "tabular": TabularTable,
    "linear-quadratic": LinearQuadraticTable,
}
ObjectiveTable: TypeAlias = Annotated[AnyTable, Field(discriminator="kind")]
