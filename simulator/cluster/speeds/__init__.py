"""The registry of laws of speeds."""

from simulator.cluster.speed import Speed
from simulator.cluster.speeds.drift import Drift
from simulator.cluster.speeds.stepwise import Periodic, Timetable
from simulator.cluster.speeds.trace import Trace
from simulator.cluster.speeds.walk import RandomWalk

SPEEDS: dict[str, type[Speed]] = {
    "table": Timetable,
    "periodic": Periodic,
    "drift": Drift,
    "random-walk": RandomWalk,
    "trace": Trace,
}

__all__ = ["SPEEDS", "Drift", "Periodic", "RandomWalk", "Timetable", "Trace"]
