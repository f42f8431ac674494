"""Which objectives are there?  Their tables in a scenario, by kind."""

from simulator.objectives.tables.chain import ChainTable
from simulator.objectives.tables.linear_quadratic import LinearQuadraticTable
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.objectives.tables.policy_gradient import PolicyGradientTable
from simulator.objectives.tables.quadratic import QuadraticTable
from simulator.objectives.tables.tabular import TabularTable

OBJECTIVES: dict[str, type[ObjectiveTable]] = {
    "policy-gradient": PolicyGradientTable,
    "tabular": TabularTable,
    "linear-quadratic": LinearQuadraticTable,
    "quadratic": QuadraticTable,
    "chain": ChainTable,
}
