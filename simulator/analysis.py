"""What do the results say?  What one imports in a notebook: plain functions on plain frames.

``run``, ``sweep`` and ``complexity`` do what the commands of these names do, and ``load`` reads
what a run has left.  ``register`` and ``load_plugin`` let them use methods, laws and objectives of
your own.  ``time_to``, ``summarise``, ``speedups`` and ``exponents`` turn frames into smaller
frames; every ``plot_`` function draws a frame on axes and returns these.
"""

from simulator.commands import complexity, run, sweep
from simulator.figures.curves import (
    plot_metric,
    plot_signal_to_noise,
    plot_staleness,
    plot_time_to,
)
from simulator.figures.style import STYLE
from simulator.figures.workers import plot_timeline, plot_workers
from simulator.plugins import load_plugin, register
from simulator.results.results import Results, load
from simulator.statistics.arrivals import speedups, summarise, time_to
from simulator.statistics.exponents import exponents
from simulator.statistics.samples import interval
from simulator.study.complexity import plot_complexity
from simulator.sweep.sensitivity import plot_sensitivity

__all__ = [
    "STYLE",
    "Results",
    "complexity",
    "exponents",
    "interval",
    "load",
    "load_plugin",
    "plot_complexity",
    "plot_metric",
    "plot_sensitivity",
    "plot_signal_to_noise",
    "plot_staleness",
    "plot_time_to",
    "plot_timeline",
    "plot_workers",
    "register",
    "run",
    "speedups",
    "summarise",
    "sweep",
    "time_to",
]
