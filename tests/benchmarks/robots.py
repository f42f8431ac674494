"""How near does training on MuJoCo come to MuJoCo itself?

The product is a whole run: schedule, rollouts, gradients, updates.  The limit is the physics of
the very same episodes.  One run has all cores, and its seconds are those of the clock.  Of as many
runs as there are cores each has one, as with ``--jobs``: nothing is waited for there, so these are
seconds of the processor, which other work on the machine disturbs less.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import perf_counter, process_time
from typing import Any

from benchmarks.episodes import Clock, Played, Setting, length, physics, shares, training
from benchmarks.row import Aim, Row
from benchmarks.stopwatch import Stopwatch, timed
from simulator.campaign.processes import Local
from simulator.campaign.runner import Tell
from simulator.system.machine import cores

environment: Any = None
"""That of a process which does nothing but physics."""

SETTINGS = {
    "Humanoid-v4": (1000, 12),
    "Hopper-v4": (1000, 25),
    "Reacher-v4": (50, 25),
}
"""The horizon and the server steps."""
AIMS = {
    "Humanoid-v4": {20: (0.75, 0.85), 50: (0.80, 0.85)},
    "Hopper-v4": {20: (0.72, 0.78), 50: (0.75, 0.78)},
    "Reacher-v4": {20: (0.55, 0.65), 50: (0.62, 0.65)},
}
"""By gradients of a server step: of one run, and of a run per core."""
ROUNDS = 9

Pair = tuple[float, float]
"""Seconds of the physics and of the product, one right after the other."""


def robots(watch: Stopwatch) -> Iterator[Row]:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    for name, (horizon, steps) in SETTINGS.items():
        # The second batch only where everything is measured.
        for batch, (alone, beside) in list(AIMS[name].items())[: 2 if watch.effort >= 1 else 1]:
            setting = Setting(name, batch, horizon, watch.work(steps))
            what = f"{name}, Rennala NIGT, M = {batch}"
            watch.heard(f"{what}, one run")
            yield _row(f"{what}, one run", alone, *_one_run(watch, setting), cores())
            watch.heard(f"{what}, a run per core")
            yield _row(f"{what}, a run per core", beside, *_runs_beside(watch, setting), 1)


def _row(what: str, aim: float, pairs: list[Pair], steps: int, share: int) -> Row:
    """Median of the pairs' ratios: the machine's speed changes from one second to the next."""
    limit, product = (median(column) * 1e6 / steps for column in zip(*pairs, strict=True))
    return Row(
        what,
        median(limit / product for limit, product in pairs),
        "%",
        Aim("≥", aim, "of raw mj_step"),
        f"{limit:.1f} against {product:.1f} µs a step on {share} "
        f"core{'s' if share > 1 else ' each'}; {steps:,.0f} environment steps",
    )


def _one_run(watch: Stopwatch, setting: Setting) -> tuple[list[Pair], int]:
    train, played = training(setting)
    with physics_on_all_cores(setting, played) as limit:
        return pairs_of(limit, partial(timed, train), watch.rounds(ROUNDS)), length(played)


@contextmanager
def physics_on_all_cores(setting: Setting, played: Played) -> Iterator[Callable[[], float]]:
    """What takes the seconds of the physics, with the episodes dealt evenly."""
    many = cores()
    dealt = shares(played, many)
    context = multiprocessing.get_context("spawn")
    with context.Pool(many, _open, (setting.name, setting.horizon)) as pool:
        pool.map(_nothing, range(many), chunksize=1)
        yield lambda: sum(pool.map(_physics, dealt, chunksize=1)) / many


def _runs_beside(watch: Stopwatch, setting: Setting) -> tuple[list[Pair], int]:
    pairs: list[Pair] = []
    steps: list[int] = []

    def on_item(name: str, item: tuple[list[Pair], int]) -> None:
        pairs.extend(item[0])
        steps.append(item[1])

    works = {f"seed {seed}": (setting, seed, watch.rounds(ROUNDS)) for seed in range(cores())}
    Local(len(works)).run(_beside, works, on_item)
    each = round(sum(steps) / len(steps))
    return pairs, each


def _beside(name: str, work: tuple[Setting, int, int], tell: Tell) -> None:
    """What a process with one core does: one of the runs, and its physics, in turns."""
    setting, seed, rounds = work
    train, played = training(setting, seed)
    _open(setting.name, setting.horizon)
    limit = partial(_physics, played, process_time)
    tell((pairs_of(limit, partial(timed, train, process_time), rounds), length(played)))


def pairs_of(limit: Callable[[], float], product: Callable[[], float], rounds: int) -> list[Pair]:
    limit(), product()  # the first round does not count
    return [(limit(), product()) for _ in range(rounds)]


def _open(name: str, horizon: int) -> None:
    global environment
    from simulator.objectives.environments import host

    environment = host.open_environment(name, {}, horizon)


def _nothing(number: int) -> None:
    """For a process to be there."""


def _physics(played: Played, clock: Clock = perf_counter) -> float:
    return physics(environment, played, clock)
