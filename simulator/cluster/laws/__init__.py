"""The registry of laws of durations.

Steady laws give every worker its seconds once; the others vary a steady law each time.
"""

from simulator.cluster.law import Law
from simulator.cluster.laws.chance import (
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    LogNormal,
    NeverFinishes,
    Pareto,
    SlowDown,
)
from simulator.cluster.laws.empirical import Empirical
from simulator.cluster.laws.steady import Fixed, Geometric, Linear, Permuted, Power, TwoSpeed

LAWS: dict[str, type[Law]] = {
    "fixed": Fixed,
    "power": Power,
    "linear": Linear,
    "geometric": Geometric,
    "two-speed": TwoSpeed,
    "permuted": Permuted,
    "log-normal": LogNormal,
    "exponential": Exponential,
    "gamma": Gamma,
    "pareto": Pareto,
    "half-normal": HalfNormal,
    "half-cauchy": HalfCauchy,
    "slow-down": SlowDown,
    "never-finishes": NeverFinishes,
    "empirical": Empirical,
}

__all__ = [
    "LAWS",
    "Empirical",
    "Exponential",
    "Fixed",
    "Gamma",
    "Geometric",
    "HalfCauchy",
    "HalfNormal",
    "Linear",
    "LogNormal",
    "NeverFinishes",
    "Pareto",
    "Permuted",
    "Power",
    "SlowDown",
    "TwoSpeed",
]
