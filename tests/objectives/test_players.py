"""Processes that play: an episode is the same in each of them, and none is lost with them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.objectives.environments import host
from simulator.objectives.environments.playing.episode import Episode, Game, Request, plain_episode
from simulator.objectives.environments.playing.players import Here, Players
from simulator.objectives.environments.variation import Variation
from simulator.objectives.objective import Broken
from simulator.objectives.policies import policy_for
from simulator.scenario import loading
from simulator.training.laboratory import Laboratory

REQUESTS = [Request(number, 0, number % 3, seed=number, key=100 + number) for number in range(12)]


def game_of(name: str, horizon: int = 25, **options: object) -> Game:
    environment = host.open_environment(name, options, horizon)
    size, actions = host.spaces_of(environment, name)
    policy = policy_for(size, actions, (8,))
    return Game(name, [Variation(options)], horizon, policy, size, "float64")


def points_of(game: Game) -> dict[int, np.ndarray]:
    generator = np.random.default_rng(0)
    return {number: generator.normal(size=game.policy.dimension) for number in range(3)}


def expected(game: Game) -> list[Episode]:
    (variation,) = game.variations
    environment = host.open_environment(game.name, variation.options, game.horizon)
    points = points_of(game)
    return [plain_episode(environment, variation, game, points[r.point], r) for r in REQUESTS]


def assert_same(found: list[Episode], wanted: list[Episode]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        for part, theirs in zip(one, other, strict=True):
            assert part.dtype == theirs.dtype
            np.testing.assert_array_equal(part, theirs)


@pytest.fixture
def playing() -> Iterator[Callable[..., Players]]:
    made: list[Players] = []

    def make(game: Game, many: int) -> Players:
        made.append(Players(game, many))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_this_process_plays_the_same() -> None:
    game = game_of("Acrobot-v1")
    here = Here(game)
    for _ in range(2):
        assert_same(list(here.play(points_of(game), REQUESTS)), expected(game))
    abandoned = here.play(points_of(game), REQUESTS)
    next(abandoned)
    abandoned.close()  # type: ignore[attr-defined]
    assert_same(list(here.play(points_of(game), REQUESTS)), expected(game))
    here.close()
    assert list(here.play({}, [])) == []


def test_an_unplayable_environment_is_named_in_process() -> None:
    game = game_of("strange_environments:Raising-v0")
    here = Here(game)
    for _ in range(2):  # a second request gets the same answer
        with pytest.raises(Broken, match=r": ArithmeticError: the pole snapped$") as printed:
            list(here.play(points_of(game), REQUESTS))
        assert printed.value.request is not None


def test_several_processes_play_the_same(playing: Callable[..., Players]) -> None:
    game = game_of("Acrobot-v1")
    crowd = playing(game, 3)
    for _ in range(2):
        assert_same(list(crowd.play(points_of(game), REQUESTS)), expected(game))
    assert list(crowd.play({}, [])) == []


@pytest.mark.parametrize(
    "name", ["Hopper-v5", pytest.param("Humanoid-v4", marks=pytest.mark.nightly)]
)
def test_a_task_is_the_same_on_any_number_of_cores(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the task's own process, and while cores come and go."""
    scenario = loading.check(
        {
            "seeds": [0],
            "cluster": {"workers": 4, "compute": {"law": "power", "exponent": 0.5}},
            "objective": {
                "kind": "policy-gradient",
                "environment": name,
                "horizon": 30,
                "episodes": 2,
                "baseline": "leave-one-out",
                "policy": {"hidden": [8]},
            },
            "evaluation": {"every_steps": 2, "episodes": 5},
            "stop": {"steps": 4},
            "methods": {"rennala-nigt": {"batch": 4, "step": 0.1, "momentum": 0.1}},
        }
    )
    runs = []
    for most in (1, 3):
        played_by = set()
        monkeypatch.setenv("STRAGGLE_CORES", "1")
        objective: Any = scenario.build_objective()

        def change(run, most=most, objective=objective, played_by=played_by):
            played_by.add(type(objective._players))
            monkeypatch.setenv("STRAGGLE_CORES", str(1 + run.steps % most))

        runs.append(Laboratory(objective).run(scenario, watch=change))
        assert played_by == ({Here} if most == 1 else {Here, Players})
        objective._players.close()
    one, other = runs
    assert list(map(int, one.environment_steps)) == list(map(int, other.environment_steps))
    np.testing.assert_array_equal(one.evaluations["return"], other.evaluations["return"])
    np.testing.assert_array_equal(one.point, other.point)


def test_a_process_that_dies_is_replaced(tmp_path: Path, playing: Callable[..., Players]) -> None:
    marker = tmp_path / "died"
    game = game_of("strange_environments:Deadly-v0", marker=str(marker))
    crowd = playing(game, 2)
    before = set(crowd.pids)
    found = list(crowd.play(points_of(game), REQUESTS))
    assert marker.exists()
    assert len(before - set(crowd.pids)) == 1
    assert_same(found, expected(game))


LONG = game_of("Acrobot-v1", horizon=200)


@pytest.fixture(scope="module")
def pair() -> Iterator[Players]:
    """Two processes, which tests kill: others take their places."""
    crowd = Players(LONG, 2)
    yield crowd
    crowd.close()


def test_a_process_killed_from_outside_is_replaced(pair: Players) -> None:
    game, crowd, found = LONG, pair, []
    for episode in crowd.play(points_of(game), REQUESTS):
        found.append(episode)
        if len(found) == 2:
            for pid in crowd.pids:
                os.kill(pid, signal.SIGKILL)
    assert_same(found, expected(game))
    for pid in crowd.pids:  # and between two rounds
        os.kill(pid, signal.SIGKILL)
    assert_same(list(crowd.play(points_of(game), REQUESTS)), expected(game))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Deadly", r"the process that plays it died 3 times in a row.*exit code 7$"),
        ("Raising", r": ArithmeticError: the pole snapped$"),
    ],
)
def test_an_unplayable_environment_is_named(
    name: str, message: str, playing: Callable[..., Players]
) -> None:
    game = game_of(f"strange_environments:{name}-v0")
    crowd = playing(game, 2)
    for _ in range(2):  # a second request gets the same answer
        with pytest.raises(Broken, match=message) as printed:
            list(crowd.play(points_of(game), REQUESTS))
        assert "\n" not in str(printed.value)


def test_after_an_interrupt_others_play(pair: Players) -> None:
    interrupted = pair.play(points_of(LONG), REQUESTS)
    next(interrupted)
    with pytest.raises(KeyboardInterrupt):
        interrupted.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
    assert_same(list(pair.play(points_of(LONG), REQUESTS)), expected(LONG))


def test_points_and_episodes_larger_than_any_buffer_pass(playing: Callable[..., Players]) -> None:
    """Both sides send at once; neither may wait for the other to listen."""
    game = game_of("Humanoid-v4", 120, terminate_when_unhealthy=False)
    environment = host.open_environment("Humanoid-v4", {}, 120)
    policy = policy_for(*host.spaces_of(environment, "Humanoid-v4"), (256,))
    game = game._replace(policy=policy)
    points = {number: np.full(policy.dimension, number / 1e3) for number in range(20)}
    requests = [Request(number, 0, number, number, number) for number in range(20)]
    found = list(playing(game, 2).play(points, requests))
    assert [len(episode.rewards) for episode in found] == [120] * 20


SCRIPT = """
import sys
from test_players import game_of
from simulator.objectives.environments.playing.players import Here, Players
crowd = Players(game_of("Acrobot-v1"), 2)
print(*crowd.pids, flush=True)
sys.stdin.read()
"""


def test_players_end_with_their_parent() -> None:
    here = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": here},
    ) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) == 2
    for _ in range(200):
        if not any(_alive(pid) for pid in pids):
            break
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in pids)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A dead process whose exit code no process has read is still listed.
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
