"""What do the results say?  What one imports in a notebook: plain functions on plain frames.

``run``, ``sweep`` and ``complexity`` do what the commands of these names do, and ``load`` reads
what a run has left.  ``time_to``, ``summarise``, ``speedups`` and ``exponents`` turn frames into
smaller frames; every ``plot_`` function draws a frame on axes and returns these.
"""

from simulator.arrivals import speedups, summarise, time_to
from simulator.charts import plot_staleness, plot_time_to
from simulator.commands import complexity, run, sweep
from simulator.complexity import plot_complexity
from simulator.curves import plot_metric, plot_signal_to_noise
from simulator.exponents import exponents
from simulator.intervals import interval
from simulator.results import Results, load
from simulator.sensitivity import plot_sensitivity
from simulator.timeline import plot_timeline
from simulator.utilisation import plot_workers

__all__ = [
    "Results",
    "complexity",
    "exponents",
    "interval",
    "load",
    "plot_complexity",
    "plot_metric",
    "plot_sensitivity",
    "plot_signal_to_noise",
    "plot_staleness",
    "plot_time_to",
    "plot_timeline",
    "plot_workers",
    "run",
    "speedups",
    "summarise",
    "sweep",
    "time_to",
]
