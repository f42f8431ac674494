"""Which laws of durations are there?  ``LAWS`` is the registry: a law joins by its file and line.

Steady laws give every worker its seconds, once; the others vary a steady one each time.
"""

from simulator.cluster.law import Law
from simulator.cluster.laws.fixed import Fixed
from simulator.cluster.laws.log_normal import LogNormal
from simulator.cluster.laws.power import Power

LAWS: dict[str, type[Law]] = {
    "fixed": Fixed,
    "power": Power,
    "log-normal": LogNormal,
}

__all__ = ["LAWS", "Fixed", "LogNormal", "Power"]
