"""What must a cluster do?  The semantics once more, as plainly as they can be written.

The second driver of the aggregations' vocabulary: one heap of events, one small object for each
computation, transfer and outage, and accounts that are read off the recorded intervals.  It shares
no code with the engine, which it must equal.  Read `workers`, `network` and `server` in this order.
"""

from simulator.reference.record import Computations, Record
from simulator.reference.server import BrokenStory, replay
from simulator.reference.workers import Lengths

__all__ = ["BrokenStory", "Computations", "Lengths", "Record", "replay"]
