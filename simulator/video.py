"""What do the final policies do?  A film of each, in its environment."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.evaluation import Selection
from simulator.film import Recording
from simulator.mistakes import Mistake
from simulator.numbers import prepare
from simulator.objectives.environments.screen import Stage, open_stage
from simulator.objectives.policy_gradient import Played, PolicyGradient
from simulator.objectives.show import evaluated, show
from simulator.objectives.tables.policy_gradient import PolicyGradientTable

SMOOTH = 30
"""Pictures in a second at most: the eye asks for no more, and each takes time and space."""


class Filmed(NamedTuple):
    """A film of one run's policy, and the episodes that are seen in it."""

    method: str
    seed: int
    path: Path
    episodes: list[Played]

    def __str__(self) -> str:
        seen = (f"return {each.total:,.6g} in {each.length:,} steps" for each in self.episodes)
        return f"{self.path}: {', then '.join(seen)}"

    def as_data(self) -> dict[str, Any]:
        episodes = [{"return": each.total, "length": each.length} for each in self.episodes]
        where = {"method": self.method, "seed": self.seed, "path": str(self.path)}
        return where | {"episodes": episodes}


def film(selection: Selection, folder: Path, episodes: int, seed: int) -> Iterator[Filmed]:
    """Write METHOD-SEED.mp4 or .gif for every run: the first episodes that ``evaluate`` plays.

    The policy is shown as it was trained: it draws its actions.
    """
    scenario = selection.results.scenario
    table = scenario.objective
    if not isinstance(table, PolicyGradientTable):
        raise Mistake(f"--video: the {table.kind} plays no environment; there is nothing to see")
    points = {run: _point(selection, *run) for run in selection.runs}
    _make(folder)
    prepare()
    stage = _stage(table)  # first of all, because MuJoCo asks when it is imported how to draw
    try:
        objective, keys = scenario.build_objective(), evaluated(seed, episodes)
        assert isinstance(objective, PolicyGradient)
        for (method, of), point in points.items():
            shows = [show(stage, objective.policy, point, key, table.horizon) for key in keys]
            path, played = _record(stage, shows, folder / f"{method}-{of}")
            yield Filmed(method, of, path, played)
    finally:
        stage.close()


def _stage(table: PolicyGradientTable) -> Stage:
    """The environment that is shown."""
    try:
        return open_stage(table.environment, table.environment_options, table.horizon)
    except ValueError as error:
        raise Mistake(f"--video: {error}") from None


def _record(
    stage: Stage, shows: Iterable[Iterator[float]], stem: Path
) -> tuple[Path, list[Played]]:
    """Write one episode after the other, at the pace of the environment."""
    every = math.ceil(stage.rate / SMOOTH)
    played = []
    with Recording(stem, stage.rate / every) as recording:
        for moments in shows:
            rewards: list[float] = []
            for reward in moments:
                if len(rewards) % every == 0:
                    recording.add(stage.picture())
                rewards.append(reward)
            if (len(rewards) - 1) % every:
                recording.add(stage.picture())  # how it ended
            played.append(Played(math.fsum(rewards), len(rewards) - 1))
    return recording.path, played


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
        told = f"cannot be written: {error.strerror}; name a directory"
        raise Mistake(f"--out {folder}: {told}") from None
