"""Which episodes does a run play, and how long does MuJoCo alone take for them?

The first states and actions are recorded from the product.  ``mj_step`` plays them again, and
nothing else is timed.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

Played = list[tuple[int, Any]]
"""Of each episode the seed of its first state, and its actions."""

Clock = Callable[[], float]


class Setting(NamedTuple):
    """What is trained: Rennala NIGT, with so many gradients a step, and so many steps."""

    name: str
    batch: int
    horizon: int
    steps: int


def training(setting: Setting, seed: int = 0) -> tuple[Callable[[], None], Played]:
    """The run to repeat, warm, and the episodes that it plays."""
    from simulator.scenario import loading
    from simulator.training.jax_setup import prepare
    from simulator.training.laboratory import Laboratory

    prepare()
    scenario = loading.check(tables(setting) | {"seeds": [seed]})
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


def tables(setting: Setting) -> dict[str, Any]:
    """The scenario."""
    name, batch, horizon, steps = setting
    return {
        "cluster": {"workers": 10, "compute": {"law": "power", "exponent": 0.5}},
        "objective": {"kind": "policy-gradient", "environment": name, "horizon": horizon},
        "evaluation": {"every_steps": 10 * steps, "episodes": 1},
        "stop": {"steps": steps},
        "methods": {"rennala-nigt": {"batch": batch, "step": 0.01, "momentum": 0.1}},
    }


def steps_of(run: Any) -> list[int]:
    return [int(steps) for steps in run.environment_steps]


def length(played: Played) -> int:
    """Environment steps."""
    return sum(len(actions) for _, actions in played)


def shares(played: Played, many: int) -> list[Played]:
    """As even as can be, by steps."""
    dealt: list[Played] = [[] for _ in range(many)]
    for episode in sorted(played, key=lambda episode: -len(episode[1])):
        min(dealt, key=length).append(episode)
    return dealt


def physics(environment: Any, played: Played, clock: Clock = perf_counter) -> float:
    """The seconds that MuJoCo alone takes for these episodes."""
    import mujoco

    task, seconds = environment.unwrapped, 0.0
    model, data, many = task.model, task.data, task.frame_skip
    for seed, actions in played:
        environment.reset(seed=seed)
        controls = data.ctrl
        began = clock()
        for action in actions:
            controls[:] = action
            mujoco.mj_step(model, data, many)
        seconds += clock() - began
    return seconds
