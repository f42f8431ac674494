"""What do the final policies do?  A film of each, in its environment."""

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.mistakes import Mistake
from simulator.objectives.environments.playing import screen
from simulator.objectives.objective import Episodes, Played, Show
from simulator.objectives.tables.policy_gradient import PolicyGradientTable
from simulator.replays.evaluation import Selection
from simulator.replays.film import Picture, check_installed, recording
from simulator.system.files import replace
from simulator.training.jax_setup import prepare

SMOOTH = 30
"""Pictures in a second at most: the eye asks for no more, and each takes time and space."""


class Seen(NamedTuple):
    """An episode in a film; the worker is None where all have the same environment."""

    worker: int | None
    total: float
    length: int

    def __str__(self) -> str:
        whose = "" if self.worker is None else f" of worker {self.worker}"
        return f"return {self.total:,.6g} in {self.length:,} steps{whose}"

    def as_data(self) -> dict[str, Any]:
        whose = {} if self.worker is None else {"worker": self.worker}
        return whose | {"return": self.total, "length": self.length}


class Filmed(NamedTuple):
    """A film of one run's policy, and the episodes that are seen in it."""

    method: str
    seed: int
    path: Path
    episodes: list[Seen]

    def __str__(self) -> str:
        return f"{self.path}: {', then '.join(map(str, self.episodes))}"

    def as_data(self) -> dict[str, Any]:
        where = {"method": self.method, "seed": self.seed, "path": str(self.path)}
        return where | {"episodes": [each.as_data() for each in self.episodes]}


def film(selection: Selection, folder: Path, episodes: int, seed: int) -> Iterator[Filmed]:
    """Write METHOD-SEED.mp4 for every run: the first episodes that ``evaluate`` plays.

    The policy is shown as it was trained: it draws its actions.
    """
    scenario = selection.results.scenario
    table = scenario.objective
    if not isinstance(table, PolicyGradientTable):
        raise Mistake(f"--video: the {table.kind} plays no environment; there is nothing to see")
    check_installed()
    points = {run: _point(selection, *run) for run in selection.runs}
    _make(folder)
    prepare()
    with _refusing():  # before all else, because MuJoCo asks when it is imported how to draw
        screen.prepare(table.environment, table.environment_options)
    played = scenario.build_objective().episodes
    assert played is not None
    with closing(_Stage(played)) as stage:
        for (method, of), point in points.items():
            path = folder / f"{method}-{of}.mp4"
            yield Filmed(method, of, path, _record(stage, point, seed, episodes, path))


class _Stage:
    """One worker's environment at a time: with two, MuJoCo draws with what the newest has."""

    def __init__(self, played: Episodes) -> None:
        self._show_of, self.worlds = played.show, played.worlds
        self._worker: int | None = None
        self._show: Show | None = None

    def of(self, worker: int) -> Show:
        """The environment of this worker; those before are gone."""
        if self._show is None or worker != self._worker:
            self.close()
            with _refusing():
                self._worker, self._show = worker, self._show_of(worker)
        return self._show

    def close(self) -> None:
        if self._show is not None:
            self._show.close()
        self._show = None


@contextmanager
def _refusing() -> Iterator[None]:
    """What cannot be drawn is the user's mistake."""
    try:
        yield
    except ValueError as error:
        raise Mistake(f"--video: {error}") from None


def _record(stage: _Stage, point: NDArray[Any], seed: int, episodes: int, path: Path) -> list[Seen]:
    """Write one episode after the other, at the pace of the first worker's environment."""
    steps = stage.of(0).rate
    rate = steps / math.ceil(steps / SMOOTH)
    seen = []

    def write(beside: Path) -> None:
        with recording(beside, rate) as add:
            for number in range(episodes):
                worker = number % stage.worlds
                show = stage.of(worker)
                every = max(1, round(show.rate / rate))
                total, length = _shoot(add, show, every, point, seed, number)
                seen.append(Seen(worker if stage.worlds > 1 else None, total, length))

    replace(path, write)
    return seen


def _shoot(
    add: Callable[[Picture], None],
    show: Show,
    every: int,
    point: NDArray[Any],
    seed: int,
    number: int,
) -> Played:
    """Film an episode: its start, every so many steps, and how it ended."""
    moments = count()

    def on_state() -> None:
        if next(moments) % every == 0:
            add(show.picture())

    played = show.play(point, seed, number, on_state)
    if played.length % every:
        add(show.picture())
    return played


def _point(selection: Selection, method: str, seed: int) -> NDArray[Any]:
    point = selection.results.parameters(method, seed)
    if not np.all(np.isfinite(point)):
        raise Mistake(
            f"--video: the last point of {method} with seed {seed} is not finite, so it has no "
            "policy; choose others with --methods and --seeds"
        )
    return point


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise Mistake(f"--out {folder}: {problem}; name a directory") from None
