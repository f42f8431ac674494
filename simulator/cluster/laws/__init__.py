"""Which laws of durations are there?  ``LAWS`` is the registry: a law joins by its file and line.

Steady laws give every worker its seconds, once; the others vary a steady one each time.
"""

from simulator.cluster.law import Law
from simulator.cluster.laws.exponential import Exponential
from simulator.cluster.laws.fixed import Fixed
from simulator.cluster.laws.gamma import Gamma
from simulator.cluster.laws.half_cauchy import HalfCauchy
from simulator.cluster.laws.half_normal import HalfNormal
from simulator.cluster.laws.linear import Linear
from simulator.cluster.laws.log_normal import LogNormal
from simulator.cluster.laws.never_finishes import NeverFinishes
from simulator.cluster.laws.pareto import Pareto
from simulator.cluster.laws.permuted import Permuted
from simulator.cluster.laws.power import Power
from simulator.cluster.laws.slow_down import SlowDown
from simulator.cluster.laws.two_speed import TwoSpeed

LAWS: dict[str, type[Law]] = {
    "fixed": Fixed,
    "power": Power,
    "linear": Linear,
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
}

__all__ = [
    "LAWS",
    "Exponential",
    "Fixed",
    "Gamma",
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
