"""What do the results say?  What one imports in a notebook: plain functions on plain frames.

``run`` makes a result directory and ``load`` reads one; ``study`` runs a scenario at several values
of a parameter.  ``time_to``, ``summarise``, ``speedups`` and ``exponents`` turn frames into smaller
frames; every ``plot_`` function draws a frame on axes and returns these.
"""

from simulator.arrivals import speedups, summarise, time_to
from simulator.charts import plot_staleness, plot_time_to
from simulator.complexity import plot_complexity
from simulator.curves import plot_metric, plot_signal_to_noise
from simulator.exponents import exponents
from simulator.intervals import interval
from simulator.results import Results, load
from simulator.running import run
from simulator.study import study
from simulator.timeline import plot_timeline
from simulator.utilisation import plot_workers

__all__ = [
    "Results",
    "exponents",
    "interval",
    "load",
    "plot_complexity",
    "plot_metric",
    "plot_signal_to_noise",
    "plot_staleness",
    "plot_time_to",
    "plot_timeline",
    "plot_workers",
    "run",
    "speedups",
    "study",
    "summarise",
    "time_to",
]
