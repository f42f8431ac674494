"""Suites of benchmarks, which are run and compared with committed baselines."""

from simulator.gate.baselines import Baseline
from simulator.gate.check import Checked, conduct
from simulator.gate.findings import Finding

__all__ = ["Baseline", "Checked", "Finding", "conduct"]
