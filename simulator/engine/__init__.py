"""The engine: simulates schedules of a cluster in virtual time, on SimPy."""

from simulator.engine.simulation import Ends, Simulation, Stop
from simulator.engine.stalls import Stalled
from simulator.engine.trace import Sinks

__all__ = ["Ends", "Simulation", "Sinks", "Stalled", "Stop"]
