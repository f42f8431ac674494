"""The engine: simulates schedules of a cluster in virtual time, on SimPy."""

from simulator.engine.simulation import Simulation
from simulator.engine.stalls import Stalled
from simulator.engine.stop import Ends, Stop
from simulator.engine.trace import Sinks

__all__ = ["Ends", "Simulation", "Sinks", "Stalled", "Stop"]
