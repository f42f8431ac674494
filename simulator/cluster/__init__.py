"""The description of a cluster; laws of durations are in ``laws``, of speeds in ``speeds``."""

from simulator.cluster.cluster import Cluster, InFlight
from simulator.cluster.collectives import Collective
from simulator.cluster.durations import Durations, InvalidDuration
from simulator.cluster.law import Law
from simulator.cluster.laws import (
    LAWS,
    Empirical,
    Exponential,
    Fixed,
    Gamma,
    Geometric,
    HalfCauchy,
    HalfNormal,
    Linear,
    LogNormal,
    NeverFinishes,
    Pareto,
    Permuted,
    Power,
    SlowDown,
    TwoSpeed,
)
from simulator.cluster.network import Link, Network, Seconds, Uplink, Vector, Wire
from simulator.cluster.outages import Failures, Outage, Outages
from simulator.cluster.server import Server
from simulator.cluster.speed import Pace, Speed

__all__ = [
    "LAWS",
    "Cluster",
    "Collective",
    "Durations",
    "Empirical",
    "Exponential",
    "Failures",
    "Fixed",
    "Gamma",
    "Geometric",
    "HalfCauchy",
    "HalfNormal",
    "InFlight",
    "InvalidDuration",
    "Law",
    "Linear",
    "Link",
    "LogNormal",
    "Network",
    "NeverFinishes",
    "Outage",
    "Outages",
    "Pace",
    "Pareto",
    "Permuted",
    "Power",
    "Seconds",
    "Server",
    "SlowDown",
    "Speed",
    "TwoSpeed",
    "Uplink",
    "Vector",
    "Wire",
]
