"""A cluster, described: how long its workers compute and how long its messages travel.

One law per file.  ``LAWS`` is the registry: a law joins by its file and its line here.
"""

from simulator.cluster.cluster import Cluster, InFlight
from simulator.cluster.durations import Durations, InvalidDuration
from simulator.cluster.fixed import Fixed
from simulator.cluster.law import Law
from simulator.cluster.log_normal import LogNormal
from simulator.cluster.network import Collective, Network, Transfer
from simulator.cluster.power import Power

LAWS: dict[str, type[Law]] = {"fixed": Fixed, "power": Power, "log-normal": LogNormal}

__all__ = [
    "LAWS",
    "Cluster",
    "Collective",
    "Durations",
    "Fixed",
    "InFlight",
    "InvalidDuration",
    "Law",
    "LogNormal",
    "Network",
    "Power",
    "Transfer",
]
