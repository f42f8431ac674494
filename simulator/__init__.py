"""A cluster in virtual time that trains real policies.

Every table of a scenario file is a class of this module, and every command a function.  Names are
imported at their first use, so ``import simulator`` loads nothing.  ``__init__.pyi`` declares them
for editors and type checkers (``make stubs``).
"""

from importlib import import_module
from typing import Any

HOMES = {
    "algorithms.updates": ["Decay"],
    "simulator.scenario.scenario": ["Scenario"],
    "simulator.scenario.cluster_table": [
        "Cluster",
        "Failures",
        "Network",
        "Outage",
        "Server",
        "Uplink",
    ],
    "simulator.scenario.ends": ["Evaluation", "Stop"],
    "simulator.scenario.tables": ["Theory"],
    "simulator.cluster.laws": [
        "Empirical",
        "Exponential",
        "Fixed",
        "Gamma",
        "HalfCauchy",
        "HalfNormal",
        "Geometric",
        "Linear",
        "LogNormal",
        "NeverFinishes",
        "Pareto",
        "Permuted",
        "Power",
        "SlowDown",
        "TwoSpeed",
    ],
    "simulator.cluster.speeds": ["Drift", "Periodic", "RandomWalk", "Timetable", "Trace"],
    "simulator.tracking.tensorboard": ["Tensorboard"],
    "simulator.tracking.wandb": ["Wandb"],
    "simulator.tracking.mlflow": ["Mlflow"],
    "simulator.tracking.trackio": ["Trackio"],
    "simulator.cluster.network": ["Seconds", "Wire"],
    "simulator.objectives.tables.chain": ["Chain"],
    "simulator.objectives.tables.linear_quadratic": ["LinearQuadratic"],
    "simulator.objectives.tables.policy": ["Perceptron"],
    "simulator.objectives.tables.policy_gradient": ["PolicyGradient", "Target", "Worker"],
    "simulator.objectives.tables.quadratic": ["Quadratic"],
    "simulator.objectives.tables.tabular": ["Tabular"],
    "simulator.scenario.methods": [
        "Afedpg",
        "AsyncBatchNigt",
        "AsyncBatchPg",
        "AsyncLocalNigt",
        "AsyncLocalPg",
        "AsynchronousPg",
        "DelayAdaptivePg",
        "Fedbuff",
        "FedhapgM",
        "FedsvrpgM",
        "LocalSgd",
        "LocalSgdNigt",
        "MaleniaNigt",
        "MaleniaPg",
        "MindflayerNigt",
        "MindflayerPg",
        "QueuedNigt",
        "QueuedPg",
        "RennalaNigt",
        "RennalaPg",
        "RescaledNigt",
        "RescaledPg",
        "RingleaderNigt",
        "RingleaderPg",
        "RingmasterNigt",
        "RingmasterPg",
        "SynchronousFedpg",
        "SynchronousNigt",
        "SynchronousPg",
        "VanillaAsynchronousPg",
    ],
    "simulator.engine": ["Simulation"],
    "simulator.mistakes": ["Mistake"],
    "simulator.plugins": ["load_plugin", "register"],
    "simulator.training.train": ["train"],
    "simulator.sweeps.halving": ["Halving"],
    "simulator.sweeps.sweep_file": ["Score", "Sweep"],
    "simulator.gate.suite_file": ["Claim", "Exact", "Suite", "Tolerance"],
    "simulator.remote.runner": ["Ray"],
    "simulator.commands.scenarios": ["load", "resume", "run", "schema", "validate"],
    "simulator.commands.advice": ["advise", "AdviceResults"],
    "simulator.commands.real": ["real", "RealResults"],
    "simulator.commands.outcome": ["Results", "load_results"],
    "simulator.commands.campaigns": [
        "check",
        "check_history",
        "compare",
        "complexity",
        "sweep",
        "CheckResults",
        "CompareResults",
        "ComplexityResults",
        "SweepResults",
    ],
    "simulator.replays.policy": ["TrainedPolicy"],
    "simulator.commands.finished": ["evaluate", "film", "replay", "timeline", "verify"],
    "simulator.commands.listing": ["listing"],
    "simulator.commands.reports": ["report"],
    "simulator.commands.shelf": ["show"],
    "simulator.commands.calibration": ["calibrate", "CalibrationResults"],
}
"""The public names, by their modules, where a table has the suffix ``Table``."""
_HOME = {name: module for module, names in HOMES.items() for name in names}
__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        from simulator.mistakes import did_you_mean

        near = did_you_mean(name, _HOME)
        hint = f"; {near}" if near.startswith("did") else ""
        raise AttributeError(f"module 'simulator' has no attribute {name!r}{hint}")
    module = import_module(_HOME[name])
    return globals().setdefault(
        name, getattr(module, f"{name}Table", None) or getattr(module, name)
    )


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
