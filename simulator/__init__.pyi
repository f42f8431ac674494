"""Written by ``make stubs``: do not edit."""

from algorithms.updates import Decay as Decay
from simulator.cluster.laws import Empirical as Empirical
from simulator.cluster.laws import Exponential as Exponential
from simulator.cluster.laws import Fixed as Fixed
from simulator.cluster.laws import Gamma as Gamma
from simulator.cluster.laws import Geometric as Geometric
from simulator.cluster.laws import HalfCauchy as HalfCauchy
from simulator.cluster.laws import HalfNormal as HalfNormal
from simulator.cluster.laws import Linear as Linear
from simulator.cluster.laws import LogNormal as LogNormal
from simulator.cluster.laws import NeverFinishes as NeverFinishes
from simulator.cluster.laws import Pareto as Pareto
from simulator.cluster.laws import Permuted as Permuted
from simulator.cluster.laws import Power as Power
from simulator.cluster.laws import SlowDown as SlowDown
from simulator.cluster.laws import TwoSpeed as TwoSpeed
from simulator.cluster.network import Seconds as Seconds
from simulator.cluster.network import Wire as Wire
from simulator.cluster.speeds import Drift as Drift
from simulator.cluster.speeds import Periodic as Periodic
from simulator.cluster.speeds import RandomWalk as RandomWalk
from simulator.cluster.speeds import Timetable as Timetable
from simulator.cluster.speeds import Trace as Trace
from simulator.commands.advice import AdviceResults as AdviceResults
from simulator.commands.advice import advise as advise
from simulator.commands.calibration import CalibrationResults as CalibrationResults
from simulator.commands.calibration import calibrate as calibrate
from simulator.commands.campaigns import CheckResults as CheckResults
from simulator.commands.campaigns import CompareResults as CompareResults
from simulator.commands.campaigns import ComplexityResults as ComplexityResults
from simulator.commands.campaigns import SweepResults as SweepResults
from simulator.commands.campaigns import check as check
from simulator.commands.campaigns import check_history as check_history
from simulator.commands.campaigns import compare as compare
from simulator.commands.campaigns import complexity as complexity
from simulator.commands.campaigns import sweep as sweep
from simulator.commands.finished import evaluate as evaluate
from simulator.commands.finished import film as film
from simulator.commands.finished import replay as replay
from simulator.commands.finished import timeline as timeline
from simulator.commands.finished import verify as verify
from simulator.commands.listing import listing as listing
from simulator.commands.outcome import Results as Results
from simulator.commands.outcome import load_results as load_results
from simulator.commands.real import RealResults as RealResults
from simulator.commands.real import real as real
from simulator.commands.reports import report as report
from simulator.commands.scenarios import load as load
from simulator.commands.scenarios import resume as resume
from simulator.commands.scenarios import run as run
from simulator.commands.scenarios import schema as schema
from simulator.commands.scenarios import validate as validate
from simulator.commands.shelf import show as show
from simulator.engine import Simulation as Simulation
from simulator.gate.suite_file import ClaimTable as Claim
from simulator.gate.suite_file import ExactTable as Exact
from simulator.gate.suite_file import SuiteTable as Suite
from simulator.gate.suite_file import ToleranceTable as Tolerance
from simulator.mistakes import Mistake as Mistake
from simulator.objectives.tables.chain import ChainTable as Chain
from simulator.objectives.tables.linear_quadratic import LinearQuadraticTable as LinearQuadratic
from simulator.objectives.tables.policy import PerceptronTable as Perceptron
from simulator.objectives.tables.policy_gradient import PolicyGradientTable as PolicyGradient
from simulator.objectives.tables.policy_gradient import TargetTable as Target
from simulator.objectives.tables.policy_gradient import WorkerTable as Worker
from simulator.objectives.tables.quadratic import QuadraticTable as Quadratic
from simulator.objectives.tables.tabular import TabularTable as Tabular
from simulator.plugins import load_plugin as load_plugin
from simulator.plugins import register as register
from simulator.remote.runner import Ray as Ray
from simulator.replays.policy import TrainedPolicy as TrainedPolicy
from simulator.scenario.cluster_table import ClusterTable as Cluster
from simulator.scenario.cluster_table import FailuresTable as Failures
from simulator.scenario.cluster_table import NetworkTable as Network
from simulator.scenario.cluster_table import OutageTable as Outage
from simulator.scenario.cluster_table import ServerTable as Server
from simulator.scenario.cluster_table import UplinkTable as Uplink
from simulator.scenario.ends import EvaluationTable as Evaluation
from simulator.scenario.ends import StopTable as Stop
from simulator.scenario.methods import Afedpg as Afedpg
from simulator.scenario.methods import AsyncBatchNigt as AsyncBatchNigt
from simulator.scenario.methods import AsyncBatchPg as AsyncBatchPg
from simulator.scenario.methods import AsyncLocalNigt as AsyncLocalNigt
from simulator.scenario.methods import AsyncLocalPg as AsyncLocalPg
from simulator.scenario.methods import AsynchronousPg as AsynchronousPg
from simulator.scenario.methods import DelayAdaptivePg as DelayAdaptivePg
from simulator.scenario.methods import Fedbuff as Fedbuff
from simulator.scenario.methods import FedhapgM as FedhapgM
from simulator.scenario.methods import FedsvrpgM as FedsvrpgM
from simulator.scenario.methods import LocalSgd as LocalSgd
from simulator.scenario.methods import LocalSgdNigt as LocalSgdNigt
from simulator.scenario.methods import MaleniaNigt as MaleniaNigt
from simulator.scenario.methods import MaleniaPg as MaleniaPg
from simulator.scenario.methods import MindflayerNigt as MindflayerNigt
from simulator.scenario.methods import MindflayerPg as MindflayerPg
from simulator.scenario.methods import QueuedNigt as QueuedNigt
from simulator.scenario.methods import QueuedPg as QueuedPg
from simulator.scenario.methods import RennalaNigt as RennalaNigt
from simulator.scenario.methods import RennalaPg as RennalaPg
from simulator.scenario.methods import RescaledNigt as RescaledNigt
from simulator.scenario.methods import RescaledPg as RescaledPg
from simulator.scenario.methods import RingleaderNigt as RingleaderNigt
from simulator.scenario.methods import RingleaderPg as RingleaderPg
from simulator.scenario.methods import RingmasterNigt as RingmasterNigt
from simulator.scenario.methods import RingmasterPg as RingmasterPg
from simulator.scenario.methods import SynchronousFedpg as SynchronousFedpg
from simulator.scenario.methods import SynchronousNigt as SynchronousNigt
from simulator.scenario.methods import SynchronousPg as SynchronousPg
from simulator.scenario.methods import VanillaAsynchronousPg as VanillaAsynchronousPg
from simulator.scenario.scenario import Scenario as Scenario
from simulator.scenario.tables import TheoryTable as Theory
from simulator.sweeps.halving import HalvingTable as Halving
from simulator.sweeps.sweep_file import ScoreTable as Score
from simulator.sweeps.sweep_file import SweepTable as Sweep
from simulator.tracking.mlflow import MlflowTable as Mlflow
from simulator.tracking.tensorboard import TensorboardTable as Tensorboard
from simulator.tracking.trackio import TrackioTable as Trackio
from simulator.tracking.wandb import WandbTable as Wandb
from simulator.training.train import train as train

__all__ = [
    "Decay",
    "Scenario",
    "Cluster",
    "Failures",
    "Network",
    "Outage",
    "Server",
    "Uplink",
    "Evaluation",
    "Stop",
    "Theory",
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
    "Drift",
    "Periodic",
    "RandomWalk",
    "Timetable",
    "Trace",
    "Tensorboard",
    "Wandb",
    "Mlflow",
    "Trackio",
    "Seconds",
    "Wire",
    "Chain",
    "LinearQuadratic",
    "Perceptron",
    "PolicyGradient",
    "Target",
    "Worker",
    "Quadratic",
    "Tabular",
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
    "Simulation",
    "Mistake",
    "load_plugin",
    "register",
    "train",
    "Halving",
    "Score",
    "Sweep",
    "Claim",
    "Exact",
    "Suite",
    "Tolerance",
    "Ray",
    "load",
    "resume",
    "run",
    "schema",
    "validate",
    "advise",
    "AdviceResults",
    "real",
    "RealResults",
    "Results",
    "load_results",
    "check",
    "check_history",
    "compare",
    "complexity",
    "sweep",
    "CheckResults",
    "CompareResults",
    "ComplexityResults",
    "SweepResults",
    "TrainedPolicy",
    "evaluate",
    "film",
    "replay",
    "timeline",
    "verify",
    "listing",
    "report",
    "show",
    "calibrate",
    "CalibrationResults",
]
