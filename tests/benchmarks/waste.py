"""What is computed in vain?  Gradients evaluated per gradient used."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.gradients import NIGT, QUADRATIC, scenario_of
from benchmarks.row import Aim, Row
from benchmarks.stopwatch import Stopwatch
from simulator.objectives.objective import Objective
from simulator.training.jax_setup import prepare
from simulator.training.laboratory import Laboratory


class Counted:
    """An objective that counts the gradients it was really asked for: padding weighs nothing."""

    def __init__(self, objective: Objective) -> None:
        self.evaluated = 0
        self.objective: Any = objective

    def __getattr__(self, name: str) -> Any:
        return getattr(self.objective, name)

    def gradient(self, roots: Any, points: Any, tickets: Any, weights: Any) -> Any:
        self.evaluated += int(np.count_nonzero(weights))
        return self.objective.gradient(roots, points, tickets, weights)

    def gradients(self, roots: Any, points: Any, tickets: Any, weights: Any) -> Any:
        self.evaluated += int(np.count_nonzero(weights))
        return self.objective.gradients(roots, points, tickets, weights)


METHODS = {
    "rennala-nigt": NIGT | {"batch": 20},
    "malenia-nigt": NIGT | {"batch": 20},
    "afedpg": NIGT,
    "synchronous-nigt": NIGT,
}


def waste(watch: Stopwatch) -> Iterator[Row]:
    """Gradients evaluated per gradient used, and how many were started for that."""
    prepare()
    scenario = scenario_of(QUADRATIC, watch.work(2_000, of=100), METHODS)
    for label in METHODS:
        watch.heard(label)
        objective = Counted(scenario.build_objective())
        run = Laboratory(objective).run(scenario.restrict([label], [0]))
        assert run.accounts is not None
        used, started = run.gradients, int(run.accounts.started.sum())
        assert objective.evaluated == run.evaluated == run.accounts.used.sum()
        yield Row(
            f"evaluated / used, n = 100, {label}",
            objective.evaluated / used,
            "share",
            Aim("=", 1),
            f"{used:,} used of {started:,} started",
        )
