"""What does computing only what is used, in batches, save?  Whole runs against eager ones."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import jax
import numpy as np

from algorithms.updates import Rule
from benchmarks.eager import Eager, Outcome, greedy_eager, per_arrival, rennala_eager
from benchmarks.row import Aim, Row
from benchmarks.stopwatch import Stopwatch
from simulator.cluster import Durations
from simulator.scenario.loading import check
from simulator.scenario.scenario import Scenario
from simulator.training.jax_setup import prepare
from simulator.training.laboratory import Laboratory
from simulator.training.record import Run
from simulator.training.schedules import rule_of, simulation_of, stop_of, vector_of

Contestants: TypeAlias = dict[str, Callable[[], object]]

WORKERS = 100
NEVER_LOOK = {"every_steps": 10**9, "episodes": 1}
NIGT = {"step": 0.02, "momentum": 0.1}
QUADRATIC = {"kind": "quadratic", "dimension": 1000}
CARTPOLE = {"kind": "policy-gradient", "environment": "CartPole-v1", "horizon": 200,
            "policy": {"hidden": [64, 64]}}  # fmt: skip


class Bench:
    """One scenario, ready to run either way, nothing of it built twice."""

    def __init__(self, objective: dict[str, Any], gradients: int, **methods: Any) -> None:
        prepare()
        self.scenario = scenario_of(objective, gradients, methods)
        self.objective = self.scenario.build_objective()
        self.laboratory = Laboratory(self.objective)
        law = self.scenario.build_cluster().compute
        self.seconds = Durations(law, WORKERS, name="cluster.compute").nominal.tolist()
        self.gradients = gradients

    def whole_run(self, label: str) -> Run:
        """Schedule, gradients and updates, with a look at the first and the last point."""
        run = self.laboratory.run(self.scenario.restrict([label], [0]))
        assert run.end == "stop", run.message
        assert run.gradients == run.evaluated == self.gradients
        run.parameters()  # waits for them
        return run

    def eager(self, label: str) -> Eager:
        rule = rule_of(self.scenario, label)
        compiled = (jax.jit(act) for act in (rule.init, rule.query, rule.iterate, rule.update))
        return Eager(self.objective, Rule(*compiled))

    def steps(self, label: str) -> Any:
        simulation = simulation_of(self.scenario, label, 0, vector=vector_of(self.scenario))
        return simulation.steps(stop_of(self.scenario))


def scenario_of(objective: dict[str, Any], gradients: int, methods: dict[str, Any]) -> Scenario:
    return check(
        {
            "seeds": [0],
            "cluster": {"workers": WORKERS, "compute": {"law": "power", "exponent": 0.5}},
            "objective": objective,
            "evaluation": NEVER_LOOK,
            "stop": {"gradients": gradients},
            "methods": methods,
        }
    )


def agree(run: Run, outcome: Outcome, tolerance: float) -> None:
    """Both ways did the same: the same simulated end, and the same final point."""
    assert run.time == outcome.seconds, (run.time, outcome.seconds)
    error = np.abs(run.parameters() - outcome.point).max()
    assert error < tolerance, error


def quadratic(watch: Stopwatch) -> Iterator[Row]:
    """n = 100, d = 1000: end to end against a compiled call per dispatch, recalled included."""
    gradients = watch.work(4_000, of=20)
    bench = Bench(QUADRATIC, gradients, **{"rennala-nigt": NIGT | {"batch": 20}, "afedpg": NIGT})
    ways: dict[str, Callable[[], Outcome]] = {
        "rennala-nigt": lambda: rennala_eager(
            bench.eager("rennala-nigt"), bench.seconds, 20, gradients // 20
        ),
        "afedpg": lambda: greedy_eager(bench.eager("afedpg"), bench.seconds, gradients),
    }
    for label, eagerly in ways.items():
        watch.heard(f"{label}, both ways")
        outcome = eagerly()
        agree(bench.whole_run(label), outcome, 1e-8)
        contestants: Contestants = {"eager": eagerly, label: partial(bench.whole_run, label)}
        seconds = watch.alternate(contestants, watch.rounds(5))
        yield Row(
            f"quadratic, n = 100, d = 1000, {label}, against eager",
            seconds["eager"] / seconds[label],
            "x",
            Aim("≥", 5),
            f"{seconds[label] / gradients * 1e6:.0f} against "
            f"{seconds['eager'] / gradients * 1e6:.0f} µs per used gradient; "
            f"eager computed {outcome.evaluated / gradients:.2f} per used",
        )


def cartpole(watch: Stopwatch) -> Iterator[Row]:
    """Rennala n = 100, M = 20: the first rounds of training, against a call per gradient."""
    label, gradients = "rennala-nigt", watch.work(800, of=20)
    bench = Bench(CARTPOLE, gradients, **{label: NIGT | {"batch": 20}})
    ways: Contestants = {
        "one compiled call per arrival": lambda: per_arrival(
            bench.eager(label), lambda: bench.steps(label)
        ),
        "eager": lambda: rennala_eager(bench.eager(label), bench.seconds, 20, gradients // 20),
    }
    seconds = watch.alternate({label: partial(bench.whole_run, label), **ways}, watch.rounds(3))
    for against, aim in zip(ways, (3, 12), strict=True):
        yield Row(
            f"CartPole, n = 100, M = 20, horizon 200, against {against}",
            seconds[against] / seconds[label],
            "x",
            Aim("≥", aim),
            f"{seconds[label] / gradients * 1e3:.2f} against "
            f"{seconds[against] / gradients * 1e3:.2f} ms per used gradient; "
            f"the first {gradients // 20} rounds",
        )
