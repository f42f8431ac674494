"""Which speeds that change over time are there?  ``SPEEDS`` is the registry, as ``LAWS`` is.

Stepwise ones share ``pieces.Pieces``; a drift and a random walk keep books of their own.
"""

from simulator.cluster.speed import Speed
from simulator.cluster.speeds.drift import Drift
from simulator.cluster.speeds.periodic import Periodic
from simulator.cluster.speeds.random_walk import RandomWalk
from simulator.cluster.speeds.table import Table
from simulator.cluster.speeds.trace import Trace

SPEEDS: dict[str, type[Speed]] = {
    "table": Table,
    "periodic": Periodic,
    "drift": Drift,
    "random-walk": RandomWalk,
    "trace": Trace,
}

__all__ = ["SPEEDS", "Drift", "Periodic", "RandomWalk", "Table", "Trace"]
