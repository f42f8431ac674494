"""How is the final policy of a run filmed in its environment?"""

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
"""Pictures in a second at most: more look no smoother, and each takes time and space."""


class Shown(NamedTuple):
    """An episode in a film; the worker is None if all have the same environment."""

    worker: int | None
    total: float
    length: int

    def __str__(self) -> str:
        worker = "" if self.worker is None else f" of worker {self.worker}"
        return f"return {self.total:,.6g} in {self.length:,} steps{worker}"

    def as_data(self) -> dict[str, Any]:
        worker = {} if self.worker is None else {"worker": self.worker}
        return worker | {"return": self.total, "length": self.length}


class Filmed(NamedTuple):
    """A film of one run's policy, and its episodes."""

    method: str
    seed: int
    path: Path
    episodes: list[Shown]

    def __str__(self) -> str:
        return f"{self.path}: {', then '.join(map(str, self.episodes))}"

    def as_data(self) -> dict[str, Any]:
        run = {"method": self.method, "seed": self.seed, "path": str(self.path)}
        return run | {"episodes": [each.as_data() for each in self.episodes]}


def film(selection: Selection, folder: Path, episodes: int, seed: int) -> Iterator[Filmed]:
    """Write METHOD-SEED.mp4 for every run: the first episodes of ``evaluate``.

    The policy draws its actions, as in training.
    """
    scenario = selection.results.scenario
    table = scenario.objective
    if not isinstance(table, PolicyGradientTable):
        raise Mistake(f"--video: the {table.kind} plays no environment; there is nothing to see")
    check_installed()
    points = {run: _point(selection, *run) for run in selection.runs}
    _make(folder)
    prepare()
    with _refusing():  # first, because MuJoCo chooses its drawing backend when it is imported
        screen.prepare(table.gymnasium_id, table.environment_options)
    played = scenario.build_objective().episodes
    assert played is not None
    with closing(_Stage(played)) as stage:
        for (method, of), point in points.items():
            path = folder / f"{method}-{of}.mp4"
            yield Filmed(method, of, path, _record(stage, point, seed, episodes, path))


class _Stage:
    """One worker's environment at a time: MuJoCo draws all with the newest one's context."""

    def __init__(self, played: Episodes) -> None:
        self._show_of, self.worlds = played.show, played.worlds
        self._worker: int | None = None
        self._show: Show | None = None

    def of(self, worker: int) -> Show:
        """The environment of this worker; closes any other."""
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
    """Turn a ValueError of drawing into a Mistake."""
    try:
        yield
    except ValueError as error:
        raise Mistake(f"--video: {error}") from None


def _record(
    stage: _Stage, point: NDArray[Any], seed: int, episodes: int, path: Path
) -> list[Shown]:
    """Write one episode after the other, at the pace of the first worker's environment."""
    steps = stage.of(0).rate
    rate = steps / math.ceil(steps / SMOOTH)
    shown = []

    def write(beside: Path) -> None:
        with recording(beside, rate) as add:
            for number in range(episodes):
                worker = number % stage.worlds
                show = stage.of(worker)
                every = max(1, round(show.rate / rate))
                total, length = _shoot(add, show, every, point, seed, number)
                shown.append(Shown(worker if stage.worlds > 1 else None, total, length))

    replace(path, write)
    return shown


def _shoot(
    add: Callable[[Picture], None],
    show: Show,
    every: int,
    point: NDArray[Any],
    seed: int,
    number: int,
) -> Played:
    """Film an episode: its start, every ``every``-th step, and its end."""
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
