"""How are results analysed in a notebook?  By functions of data frames.

``time_to``, ``summarise``, ``speedups`` and ``exponents`` turn frames into smaller frames; every
``plot_`` function draws a frame on axes and returns these.  Functions that run scenarios or read
results are in ``simulator`` itself.
"""

from simulator.figures.curves import (
    plot_metric,
    plot_signal_to_noise,
    plot_staleness,
    plot_time_to,
)
from simulator.figures.style import STYLE
from simulator.figures.workers import plot_timeline, plot_workers
from simulator.statistics.arrivals import speedups, summarise, time_to
from simulator.statistics.exponents import exponents
from simulator.statistics.samples import interval
from simulator.study.complexity import plot_complexity
from simulator.sweeps.sensitivity import plot_sensitivity

__all__ = [
    "STYLE",
    "exponents",
    "interval",
    "plot_complexity",
    "plot_metric",
    "plot_sensitivity",
    "plot_signal_to_noise",
    "plot_staleness",
    "plot_time_to",
    "plot_timeline",
    "plot_workers",
    "speedups",
    "summarise",
    "time_to",
]
