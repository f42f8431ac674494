"""A cluster, described: how long its workers compute and how long its messages travel.

One law per file: durations in ``laws``, speeds that change over time in ``speeds``.
"""

from simulator.cluster.cluster import Cluster, InFlight
from simulator.cluster.durations import Durations, InvalidDuration
from simulator.cluster.law import Law
from simulator.cluster.laws import LAWS, Fixed, LogNormal, Power
from simulator.cluster.network import Collective, Network, Transfer

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
