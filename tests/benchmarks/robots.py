"""How near does training on MuJoCo come to MuJoCo itself?

The product is a whole run: schedule, rollouts, gradients, updates.  The limit is the physics of
the very same episodes: their first states and actions, recorded from the product, stepped by
``mj_step`` and nothing else, in as many processes as the product uses, each with half of them.
"""

import multiprocessing
import os
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.row import Aim, Row
from benchmarks.stopwatch import Stopwatch
from simulator.system.machine import cores

Played = list[tuple[int, Any]]
"""Of each episode the seed of its first state, and its actions."""
environment: Any = None
"""That of a process which does nothing but physics."""

SETTINGS = {
    "Humanoid-v4": (0.85, 1000, 12),
    "Hopper-v4": (0.75, 1000, 25),
    "Reacher-v4": (0.60, 50, 25),
}
"""The aim, the horizon and the server steps."""
BATCHES = (20, 50)
"""Gradients of a server step; the second only where everything is measured."""


def robots(watch: Stopwatch) -> Iterator[Row]:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    for name, (aim, horizon, steps) in SETTINGS.items():
        for batch in BATCHES if watch.effort >= 1 else BATCHES[:1]:
            watch.heard(f"{name}, M = {batch}")
            yield _row(watch, name, aim, batch, horizon, watch.work(steps))


def _row(watch: Stopwatch, name: str, aim: float, batch: int, horizon: int, steps: int) -> Row:
    train, played = _training(name, batch, horizon, steps)
    many = cores()
    shares = _shares(played, many)
    context = multiprocessing.get_context("spawn")
    with context.Pool(many, initializer=_open, initargs=(name, horizon)) as pool:
        pool.map(_nothing, range(many), chunksize=1)
        physics: list[float] = []

        def limit() -> None:
            taken = pool.map(_physics, shares, chunksize=1)
            physics.append(sum(taken) / many)

        seconds = watch.alternate({"mj_step": limit, name: train}, watch.rounds(5))[name]
    rest = float(np.median(physics[1:]))
    each = 1e6 / sum(len(actions) for _, actions in played)
    return Row(
        f"{name}, Rennala NIGT, M = {batch}",
        rest / seconds,
        "%",
        Aim("≥", aim, "of raw mj_step"),
        f"{rest * each:.1f} against {seconds * each:.1f} µs a step on {many} cores; "
        f"{1e6 / each:,.0f} environment steps",
    )


def _training(name: str, batch: int, horizon: int, steps: int) -> tuple[Any, Played]:
    """The run to repeat, warm, and the episodes that it plays."""
    from simulator.scenario import loading
    from simulator.training.jax_setup import prepare
    from simulator.training.laboratory import Laboratory

    prepare()
    settings = {
        "cluster": {"workers": 10, "compute": {"law": "power", "exponent": 0.5}},
        "objective": {"kind": "policy-gradient", "environment": name, "horizon": horizon},
        "evaluation": {"every_steps": 10 * steps, "episodes": 1},
        "seeds": [0],
        "stop": {"steps": steps},
        "methods": {"rennala-nigt": {"batch": batch, "step": 0.01, "momentum": 0.1}},
    }
    scenario = loading.check(settings)
    hosted: Any = scenario.build_objective()
    laboratory = Laboratory(hosted)
    played: Played = []
    play = hosted._players.play

    def recorded(points: Any, requests: Any) -> Any:
        for request, episode in zip(requests, play(points, requests), strict=True):
            played.append((request.seed, hosted.policy.act(episode.choices, np)))
            yield episode

    hosted._players.play = recorded
    laboratory.run(scenario)
    hosted._players.play = play
    expected = steps_of(laboratory.run(scenario))

    def train() -> None:
        assert steps_of(laboratory.run(scenario)) == expected

    return train, played


def steps_of(run: Any) -> list[int]:
    return [int(steps) for steps in run.environment_steps]


def _shares(played: Played, many: int) -> list[Played]:
    """As even as can be, by steps."""
    shares: list[Played] = [[] for _ in range(many)]
    for episode in sorted(played, key=lambda episode: -len(episode[1])):
        min(shares, key=lambda share: sum(len(actions) for _, actions in share)).append(episode)
    return shares


def _open(name: str, horizon: int) -> None:
    global environment
    from simulator.objectives.environments import host

    environment = host.open_environment(name, {}, horizon)


def _nothing(number: int) -> None:
    """For a process to be there."""


def _physics(share: Played) -> float:
    """The seconds that MuJoCo alone takes for these episodes."""
    import mujoco

    task, seconds = environment.unwrapped, 0.0
    model, data, many = task.model, task.data, task.frame_skip
    for seed, actions in share:
        environment.reset(seed=seed)
        controls = data.ctrl
        began = perf_counter()
        for action in actions:
            controls[:] = action
            mujoco.mj_step(model, data, many)
        seconds += perf_counter() - began
    return seconds
