"""Which scenarios cannot run in real time?  Each is refused in a line, before anything starts."""

import math
from importlib.util import find_spec
from typing import Any

from algorithms.methods import METHODS
from simulator.engine import Stalled
from simulator.mistakes import Mistake
from simulator.remote.agents import capacity
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.system.install import install_command
from simulator.system.machine import cores
from simulator.training.schedules import simulation_of, stop_of, vector_of

PER_CORE = 8
"""Workers for each core of a cluster that starts on this machine: most of them wait."""


def check_scenario(scenario: Scenario, scale: float) -> None:
    """Refuse a scenario that real workers cannot follow."""
    if not (0 < scale < math.inf):
        raise Mistake(f"--time-scale {scale:g}: must be a positive number of real seconds")
    if find_spec("ray") is None:
        raise Mistake(f"straggle real: Ray is not installed; {install_command('ray')}")
    cluster = scenario.cluster
    if cluster.build_outages():
        remedy = "real workers fail by themselves; leave the outages out"
        raise Mistake(f"cluster.outages: straggle real plans no failures: {remedy}")
    if cluster.per == "environment-step":
        remedy = "the duration must be known before the episode; use 'gradient'"
        raise Mistake(f"cluster.per = 'environment-step': not in real time: {remedy}")
    if scenario.build_cluster().network.uplink:
        remedy = "give network.upload, and another network.collective"
        raise Mistake(f"network.uplink: a shared uplink is not delayed in real time; {remedy}")
    for label, table in scenario.methods.items():
        if table.settings().get("update") == "during":
            why = "real workers get new points only between computations"
            raise Mistake(f"methods.{label}.update = 'during': {why}; use 'between'")
        if METHODS[table.method].works_locally(settings_of(scenario, label)):
            remedy = "leave the method out with --methods"
            raise Mistake(f"methods.{label}: local work is not done in real time; {remedy}")


def check_ends(scenario: Scenario) -> None:
    """Refuse methods that would wait for ever: a simulation tells."""
    for label in scenario.methods:
        simulation = simulation_of(scenario, label, scenario.seeds[0], vector=vector_of(scenario))
        try:
            for _ in simulation.steps(stop_of(scenario)):
                pass
        except Stalled as stalled:
            raise Mistake(f"methods.{label}: would wait without end: {stalled}") from None


def check_machine(scenario: Scenario) -> None:
    """Refuse more workers than this machine has room for."""
    slots = PER_CORE * cores()
    room = f"this machine has room for {slots}, {PER_CORE} for each core"
    _check_room(scenario, slots, f"{room}; give fewer, or a cluster with --on ray=HOST:PORT")


def check_cluster(scenario: Scenario, ray: Any) -> None:
    """Refuse more workers than the Ray cluster has CPUs."""
    slots = capacity(ray, None)
    _check_room(scenario, slots, f"the cluster has {slots} CPUs, one for each worker; add nodes")


def _check_room(scenario: Scenario, slots: int, message: str) -> None:
    workers = scenario.cluster.workers
    if workers > slots:
        raise Mistake(f"cluster.workers = {workers}: {message}")
