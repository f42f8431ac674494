"""What does it save to run a method's step sizes and seeds together?  Against one after another."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from measure import Row, alternate

from simulator.experiment import Laboratory
from simulator.loading import check
from simulator.record import Run
from simulator.together import Member, run_together

SEEDS = [0, 1, 2, 3, 4]
STEPS = np.geomspace(0.01, 0.3, 10).tolist()
GRADIENTS = {"rennala-nigt": 600, "synchronous-nigt": 600, "afedpg": 300}


def together(quick: bool) -> Iterator[Row]:
    """CartPole, 5 seeds and 10 step sizes on 20 workers: the first 30 rounds, 300 gradients."""
    rounds = 1 if quick else 5
    for label in GRADIENTS:
        members = [member(label, step, seed) for step, seed in product(STEPS, SEEDS)]
        objective = members[0].scenario.build_objective()
        laboratories = [Laboratory(each.scenario, objective) for each in members[:: len(SEEDS)]]

        def alone(label: str = label, laboratories: list[Laboratory] = laboratories) -> None:
            worked(label, [each.run(label, seed) for each in laboratories for seed in SEEDS])

        def at_once(label: str = label, members: list[Member] = members) -> None:
            runs: list[Run] = []
            run_together(members, lambda at, run: runs.append(run))
            worked(label, runs)

        seconds = alternate({"alone": alone, "together": at_once}, rounds)
        gain = seconds["alone"] / seconds["together"]
        yield Row(
            f"CartPole, n = 20, horizon 200, {label}, 5 seeds and 10 steps, against one by one",
            "≥ 3x",
            f"{gain:.1f}x ({seconds['together'] / len(members) * 1e3:.0f} against "
            f"{seconds['alone'] / len(members) * 1e3:.0f} ms per run)",
            gain >= 3,
        )


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
