"""The reference: a second, plain simulator of schedules, which the engine must equal.

It has one heap of events and one small object for each computation, transfer and outage; accounts
are computed from the recorded intervals.  It shares no code with the engine.  Read `workers`,
`network` and `server` in this order.
"""

from simulator.reference.record import Computations, Record
from simulator.reference.repeated_story import Notice, RepeatedStory, StoryEvent
from simulator.reference.server import BrokenStory, replay
from simulator.reference.workers import Lengths

__all__ = [
    "BrokenStory",
    "Computations",
    "Lengths",
    "Notice",
    "Record",
    "RepeatedStory",
    "StoryEvent",
    "replay",
]
