"""What does it save to run a method's step sizes and seeds together?  Against one after another."""

from collections.abc import Iterator
from functools import partial
from itertools import product

import numpy as np

from benchmarks.row import Aim, Row
from benchmarks.stopwatch import Stopwatch
from simulator.scenario.loading import check
from simulator.training.checkpoint import Member
from simulator.training.laboratory import laboratory_of
from simulator.training.record import Run

SEEDS = [0, 1, 2, 3, 4]
STEPS = np.geomspace(0.01, 0.3, 10).tolist()
GRADIENTS = {"rennala-nigt": 600, "synchronous-nigt": 600, "afedpg": 300}


def together(watch: Stopwatch) -> Iterator[Row]:
    """CartPole, 5 seeds and 10 step sizes on 20 workers: the first 30 rounds, 300 gradients."""
    for label in GRADIENTS:
        members = [member(label, step, seed) for step, seed in product(STEPS, SEEDS)]
        ways = {
            f"{label}, alone": partial(alone, members, label),
            f"{label}, together": partial(at_once, members, label),
        }
        apart, joint = watch.alternate(ways, watch.rounds(5)).values()
        yield Row(
            f"CartPole, n = 20, horizon 200, {label}, 5 seeds and 10 steps, against one by one",
            apart / joint,
            "x",
            Aim("≥", 3),
            f"{joint / len(members) * 1e3:.0f} against {apart / len(members) * 1e3:.0f} ms per run",
        )


def alone(members: list[Member], label: str) -> None:
    worked(label, [laboratory_of(each.scenario).run(each.scenario) for each in members])


def at_once(members: list[Member], label: str) -> None:
    runs: list[Run] = []
    laboratory_of(members[0].scenario).train(members, lambda at, run: runs.append(run))
    worked(label, runs)


def member(label: str, step: float, seed: int) -> Member:
    """In float32, with 50 looks or one for each step."""
    batch = {"batch": 20} if label == "rennala-nigt" else {}
    every = {"every_steps": 6 if label == "afedpg" else 1, "episodes": 32}
    return Member(
        check(
            {
                "seeds": [seed],
                "cluster": {"workers": 20, "compute": {"law": "power", "exponent": 0.5}},
                "objective": {"kind": "policy-gradient", "environment": "CartPole-v1",
                              "horizon": 200, "policy": {"hidden": [64, 64]}},
                "evaluation": every,
                "stop": {"gradients": GRADIENTS[label]},
                "methods": {label: {"step": step, "momentum": 0.2, **batch}},
            }
        )
    )  # fmt: skip


def worked(label: str, runs: list[Run]) -> None:
    """All of them did what they were asked for."""
    assert len(runs) == len(SEEDS) * len(STEPS)
    for run in runs:
        assert run.end == "stop", run.message
        assert run.gradients == run.evaluated == GRADIENTS[label]
