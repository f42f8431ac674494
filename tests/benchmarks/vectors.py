"""What would one take instead?  The vector environments of gymnasium and of EnvPool.

They play the actions of the product's episodes, and nothing besides: no policy, no gradient.
Gymnasium's begin those episodes, too; EnvPool's begin in first states of its own.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from statistics import median
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from benchmarks import robots
from benchmarks.episodes import Played, Setting, length, shares, training
from benchmarks.robots import pairs_of, physics_on_all_cores
from benchmarks.row import Row
from benchmarks.stopwatch import Stopwatch, timed
from simulator.system.machine import cores

BATCH = 20
"""Environments side by side, as many as a server step of the product has gradients."""
ROUNDS = 5


def vectors(watch: Stopwatch) -> Iterator[Row]:
    for name, opened in {"SyncVectorEnv": _sync, "AsyncVectorEnv": _async}.items():
        yield from _rows(watch, f"gymnasium's {name} of {BATCH}", opened)


def envpool(watch: Stopwatch) -> Iterator[Row]:
    yield from _rows(watch, f"EnvPool of {BATCH}", _envpool)


def _rows(
    watch: Stopwatch, what: str, opened: Callable[[Setting, list[Played]], Any]
) -> Iterator[Row]:
    for name, (horizon, steps) in robots.SETTINGS.items():
        watch.heard(f"{what}, {name}")
        setting = Setting(name, BATCH, horizon, watch.work(steps))
        _, played = training(setting)
        dealt = shares(played, BATCH)
        streams = [np.concatenate([actions for _, actions in share]) for share in dealt]
        taken = min(map(len, streams))
        actions = np.stack([stream[:taken] for stream in streams], axis=1)
        environments = opened(setting, dealt)
        play = partial(_play, environments, actions)
        with physics_on_all_cores(setting, played) as limit:
            pairs = pairs_of(limit, partial(timed, play), watch.rounds(ROUNDS))
        environments.close()
        yield _row(f"{name}, {what}, stepping alone", pairs, length(played), actions[..., 0].size)


def _row(what: str, pairs: list[tuple[float, float]], played: int, taken: int) -> Row:
    each = [(limit / played * 1e6, seconds / taken * 1e6) for limit, seconds in pairs]
    limit, seconds = map(median, zip(*each, strict=True))
    share = median(limit / seconds for limit, seconds in each)
    message = f"{limit:.1f} against {seconds:.1f} µs a step on {cores()} cores; {taken:,} steps"
    return Row(what, share, "%", None, message)


def _play(environments: Any, actions: Any) -> None:
    environments.reset()
    for each in actions:
        environments.step(each)


class Again(gymnasium.Wrapper):  # type: ignore[type-arg]
    """Begins the recorded episodes, one after the other."""

    def __init__(self, environment: Any, seeds: list[int]) -> None:
        super().__init__(environment)
        self._seeds = cycle(seeds)

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return self.env.reset(seed=next(self._seeds), options=options)


def _again(setting: Setting, played: Played) -> Any:
    warnings.simplefilter("ignore")
    environment = gymnasium.make(setting.name, max_episode_steps=setting.horizon)
    return Again(environment, [seed for seed, _ in played])


def _sync(setting: Setting, dealt: list[Played]) -> Any:
    made = [partial(_again, setting, played) for played in dealt]
    return SyncVectorEnv(made, autoreset_mode=AutoresetMode.SAME_STEP)


def _async(setting: Setting, dealt: list[Played]) -> Any:
    made = [partial(_again, setting, played) for played in dealt]
    return AsyncVectorEnv(made, context="spawn", autoreset_mode=AutoresetMode.SAME_STEP)


def _envpool(setting: Setting, dealt: list[Played]) -> Any:
    import envpool

    return envpool.make_gymnasium(
        setting.name,
        num_envs=len(dealt),
        num_threads=cores(),
        max_episode_steps=setting.horizon,
        seed=0,
    )
