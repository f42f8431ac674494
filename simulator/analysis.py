"""What do the results say?  What one imports in a notebook: plain functions on plain frames.

``load`` reads a result directory; ``time_to``, ``summarise``, ``speedups`` and ``exponents`` turn
frames into smaller frames.
"""

from simulator.arrivals import speedups, summarise, time_to
from simulator.exponents import exponents
from simulator.intervals import interval
from simulator.results import Results, load

__all__ = [
    "Results",
    "exponents",
    "interval",
    "load",
    "speedups",
    "summarise",
    "time_to",
]
