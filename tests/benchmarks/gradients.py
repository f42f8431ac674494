"""What does computing only what is used, in batches, save?  Whole runs against eager ones."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from eager import Eager, Outcome, greedy_eager, per_arrival, rennala_eager
from measure import Row, alternate

from algorithms.updates import Rule
from simulator.experiment import Laboratory
from simulator.loading import check
from simulator.numbers import prepare
from simulator.objectives.objective import Objective
from simulator.record import Run
from simulator.scenario import Scenario
from simulator.simulations import rule_of, simulation_of, stop_of, vector_of

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
        self.objective = self.scenario.objective.build(workers=2)
        self.laboratory = Laboratory(self.scenario, self.objective)
        self.seconds = self.scenario.build_cluster().compute.base(WORKERS).tolist()
        self.gradients = gradients

    def product(self, label: str) -> Run:
        """Schedule, gradients and updates, with a look at the first and the last point."""
        run = self.laboratory.run(label, 0)
        assert run.end == "stop", run.message
        assert run.gradients == run.evaluated == self.gradients
        jax.block_until_ready(run.point)
        return run

    def eager(self, label: str) -> Eager:
        rule = rule_of(self.scenario, label)
        return Eager(self.objective, Rule(*(jax.jit(function) for function in rule)))

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


def quadratic(quick: bool) -> Iterator[Row]:
    """n = 100, d = 1000: end to end against a compiled call per dispatch, recalled included."""
    gradients, rounds = (1_000, 3) if quick else (4_000, 5)
    bench = Bench(QUADRATIC, gradients, **{"rennala-nigt": NIGT | {"batch": 20}, "afedpg": NIGT})
    ways: dict[str, Callable[[], Outcome]] = {
        "rennala-nigt": lambda: rennala_eager(
            bench.eager("rennala-nigt"), bench.seconds, 20, gradients // 20
        ),
        "afedpg": lambda: greedy_eager(bench.eager("afedpg"), bench.seconds, gradients),
    }
    for label, eagerly in ways.items():
        outcome = eagerly()
        agree(bench.product(label), outcome, 1e-8)
        seconds = alternate(
            {"eager": eagerly, "product": lambda label=label: bench.product(label)}, rounds
        )
        gain = seconds["eager"] / seconds["product"]
        yield Row(
            f"quadratic, n = 100, d = 1000, {label}, against eager",
            "≥ 5x",
            f"{gain:.1f}x ({seconds['product'] / gradients * 1e6:.0f} against "
            f"{seconds['eager'] / gradients * 1e6:.0f} µs per used gradient; "
            f"eager computed {outcome.evaluated / gradients:.2f} per used)",
            gain >= 5,
        )


def cartpole(quick: bool) -> Iterator[Row]:
    """Rennala n = 100, M = 20: the first rounds of training, against a call per gradient."""
    rounds, repeats = (5, 1) if quick else (40, 3)
    label, gradients = "rennala-nigt", rounds * 20
    bench = Bench(CARTPOLE, gradients, **{label: NIGT | {"batch": 20}})
    ways: dict[str, Callable[[], Outcome]] = {
        "per arrival": lambda: per_arrival(bench.eager(label), lambda: bench.steps(label)),
        "eager": lambda: rennala_eager(bench.eager(label), bench.seconds, 20, rounds),
    }
    seconds = alternate({"product": lambda: bench.product(label)} | ways, repeats)
    aims = {"per arrival": ("one compiled call per arrival", 3), "eager": ("eager", 12)}
    for name, (against, aim) in aims.items():
        gain = seconds[name] / seconds["product"]
        yield Row(
            f"CartPole, n = 100, M = 20, horizon 200, {rounds} rounds, against {against}",
            f"≥ {aim}x",
            f"{gain:.1f}x ({seconds['product'] / gradients * 1e3:.2f} against "
            f"{seconds[name] / gradients * 1e3:.2f} ms per used gradient)",
            gain >= aim,
        )


class Counted:
    """An objective that counts the gradients it was really asked for: padding weighs nothing."""

    def __init__(self, objective: Objective) -> None:
        self.objective, self.evaluated = objective, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.objective, name)

    def gradient_for_all(self, roots: Any, points: Any, tickets: Any, weights: Any) -> Any:
        self.evaluated += int(np.count_nonzero(weights))
        return self.objective.gradient_for_all(roots, points, tickets, weights)

    def gradients_for_all(self, roots: Any, points: Any, tickets: Any, weights: Any) -> Any:
        self.evaluated += int(np.count_nonzero(weights))
        return self.objective.gradients_for_all(roots, points, tickets, weights)


def waste(quick: bool) -> Iterator[Row]:
    """Gradients evaluated per gradient used, and how many were started for that."""
    prepare()
    methods = {
        "rennala-nigt": NIGT | {"batch": 20},
        "malenia-nigt": NIGT | {"batch": 20},
        "afedpg": NIGT,
        "synchronous-nigt": NIGT,
    }
    scenario = scenario_of(QUADRATIC, 2_000, methods)
    for label in methods:
        objective = Counted(scenario.objective.build(workers=2))
        run = Laboratory(scenario, objective).run(label, 0)
        assert run.accounts is not None
        used, started = run.gradients, int(run.accounts.started.sum())
        assert objective.evaluated == run.evaluated == run.accounts.used.sum()
        yield Row(
            f"evaluated / used, n = 100, {label}",
            "1.00",
            f"{objective.evaluated / used:.2f} ({used:,} used of {started:,} started)",
            objective.evaluated == used,
        )
