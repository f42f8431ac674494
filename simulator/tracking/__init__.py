"""Where else do the metrics of runs go while they train?  To trackers of experiments, by sinks.

Only the process of the command opens sinks; runs elsewhere report to it.  A sink that fails costs a
warning, and never a run.  Tracking changes no result and is no part of a run's identity.
"""

from simulator.tracking.catalogue import SINKS, AnySink, sinks_of
from simulator.tracking.session import UNTRACKED, TrackedRun, Tracking
from simulator.tracking.sink import Group, Point, Sink, SinkTable

__all__ = [
    "SINKS",
    "UNTRACKED",
    "AnySink",
    "Group",
    "Point",
    "Sink",
    "SinkTable",
    "TrackedRun",
    "Tracking",
    "sinks_of",
]
