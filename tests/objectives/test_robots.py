"""MuJoCo tasks, step by step against gymnasium's own: every number to the last bit."""

from typing import Any

import numpy as np
import pytest

from simulator.objectives.environments import host
from simulator.objectives.environments.playing.episode import Game, Request, plain_episode
from simulator.objectives.environments.playing.player import Player
from simulator.objectives.environments.playing.robots import Robots
from simulator.objectives.environments.playing.stage import Plain
from simulator.objectives.environments.playing.stages import stage_for
from simulator.objectives.environments.playing.varied import begin, open_varied
from simulator.objectives.environments.variation import Target, Variation
from simulator.objectives.policies import policy_for

NAMES = [
    f"{task}-{version}"
    for task in ("Humanoid", "Reacher", "Walker2d", "Hopper", "HalfCheetah")
    for version in ("v4", "v5")
]
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in NAMES),
    ("Hopper-v4", {"terminate_when_unhealthy": False, "ctrl_cost_weight": 0.3}),
    ("Hopper-v5", {"terminate_when_unhealthy": False, "healthy_reward": 3}),
    ("Hopper-v4", {"exclude_current_positions_from_observation": False, "reset_noise_scale": 0.1}),
    ("Hopper-v5", {"healthy_state_range": (-2.0, 2.0), "frame_skip": 2}),
    ("Walker2d-v5", {"healthy_angle_range": (-0.1, 0.3), "forward_reward_weight": 2.5}),
    ("HalfCheetah-v5", {"exclude_current_positions_from_observation": False}),
    ("Reacher-v5", {"reward_dist_weight": 2, "reward_control_weight": 0.1}),
    ("Humanoid-v4", {"terminate_when_unhealthy": False, "healthy_z_range": (1.2, 1.5)}),
    ("Humanoid-v5", {"terminate_when_unhealthy": False, "contact_cost_weight": 1e-3}),
    ("Humanoid-v5", {"include_cinert_in_observation": False, "contact_cost_range": (0.1, 0.2)}),
    ("Humanoid-v5", {"include_cfrc_ext_in_observation": False, "frame_skip": 3}),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_a_step_is_gymnasiums(name: str, options: dict[str, Any]) -> None:
    """In lanes that begin at different times and go on unevenly, with actions out of bounds."""
    variation = Variation(options)
    stage = stage_for(name, variation, 1000, lanes=3)
    assert isinstance(stage, Robots)
    theirs = [host.open_environment(name, options, 1000) for _ in range(3)]
    generator = np.random.default_rng(1)
    actions_of = theirs[0].action_space.shape
    ends = 0
    for lane in range(3):
        np.testing.assert_array_equal(stage.reset(lane, lane), theirs[lane].reset(seed=lane)[0])
    for step in range(150):
        lanes = [lane for lane in range(3) if (step + lane) % (lane + 2)]
        if not lanes:
            continue
        actions = generator.uniform(-1.2, 1.2, (len(lanes), *actions_of)).astype(np.float32)
        observations, rewards, ended = stage.step(lanes, actions)
        for row, lane in enumerate(lanes):
            space = theirs[lane].action_space
            action = np.clip(actions[row], space.low, space.high)
            seen, reward, terminated, _, _ = theirs[lane].step(action)
            np.testing.assert_array_equal(observations[row], seen)
            assert rewards[row] == reward
            assert ended[row] == terminated
            if terminated:
                ends += 1
                fresh, _ = theirs[lane].reset(seed=1000 + step)
                np.testing.assert_array_equal(stage.reset(lane, 1000 + step), fresh)
    mortal = not name.startswith(("Reacher", "HalfCheetah"))
    assert (ends > 0) == (mortal and options.get("terminate_when_unhealthy", True))


@pytest.mark.parametrize("name", ["Hopper-v4", "Humanoid-v4", "Reacher-v5"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("points", [1, 4])
def test_an_episode_does_not_depend_on_the_other_lanes(name: str, dtype: str, points: int) -> None:
    """More episodes than lanes, at one point or several: each is the one that is played alone."""
    game = _game(name, dtype, [Variation()])
    generator = np.random.default_rng(0)
    at = {n: (generator.normal(size=game.policy.dimension) / 10).astype(dtype) for n in range(4)}
    requests = [Request(number, 0, number % points, 9 + number, number) for number in range(11)]
    _assert_plays(game, at, requests)


VARIED = {
    "Hopper-v4": [Variation(mass=0.5), Variation(gravity=1.5), Variation(mass=2, gravity=0.5)],
    "Reacher-v4": [
        Variation(target=Target((0.1, 0.2), (0, 90))),
        Variation(target=Target((0.05, 0.06), (-180, -90))),
    ],
    "Humanoid-v4": [Variation(sign=1, flag=0.0), Variation(sign=-1, flag=1.0)],
    "Acrobot-v1": [Variation(sign=1, flag=2.0), Variation(sign=-1, flag=-1.0)],
}


@pytest.mark.parametrize("name", VARIED)
def test_unequal_workers_play_in_their_own_environments(name: str) -> None:
    game = _game(name, "float64", VARIED[name])
    point = np.random.default_rng(0).normal(size=game.policy.dimension) / 10
    many = len(game.variations)
    requests = [Request(number, number % many, 0, number // many, 5) for number in range(9)]
    episodes = _assert_plays(game, {0: point}, requests)
    alone = episodes[0].observations, episodes[1].observations
    assert alone[0].shape != alone[1].shape or np.any(alone[0] != alone[1])


def test_observations_are_turned_and_marked() -> None:
    game = _game("Humanoid-v4", "float64", VARIED["Humanoid-v4"])
    assert game.policy.dimension == 377 * 64 + 64 + 64 * 64 + 64 + 64 * 34 + 34
    requests = [Request(number, number, 0, seed=3, key=5) for number in range(2)]
    zero = {0: np.zeros(game.policy.dimension)}
    first, second = (episode.observations[0] for episode in _assert_plays(game, zero, requests))
    np.testing.assert_array_equal(first[:-1], -second[:-1])
    assert (first[-1], second[-1]) == (0, 1)


def test_targets_cover_their_documented_range() -> None:
    region = Target((0.1, 0.2), (0, 90))
    variation = Variation(target=region)
    environment = open_varied("Reacher-v5", variation, 50)
    seen = np.array([begin(environment, variation, seed) for seed in range(400)])
    x, y = seen[:, 4], seen[:, 5]
    radius, angle = np.hypot(x, y), np.degrees(np.arctan2(y, x))
    assert np.all((radius >= 0.1) & (radius <= 0.2) & (angle >= 0) & (angle <= 90))
    # Uniform over the area: the squared radius and the angle are; 4 standard errors of 400.
    error = 4 / np.sqrt(12 * 400)
    assert abs(((radius**2 - 0.01) / 0.03).mean() - 0.5) < error
    assert abs((angle / 90).mean() - 0.5) < error


def test_heavier_bodies_fall_alike_and_are_moved_less() -> None:
    """Free fall knows no mass, and twice the gravity is twice the fall; a motor does know it."""

    def after(variation: Variation, action: float) -> np.ndarray:
        environment = open_varied("Hopper-v4", variation, 10)
        task = environment.unwrapped
        environment.reset(seed=0)
        position, still = task.init_qpos.copy(), np.zeros(task.model.nv)
        position[1] += 5  # high above the ground
        task.set_state(position, still)
        environment.step(np.full(3, action, np.float32))
        return task.data.qvel.copy()

    plain, heavy, strong = (
        after(variation, 0.0)
        for variation in (Variation(), Variation(mass=3), Variation(gravity=2))
    )
    np.testing.assert_allclose(heavy[1], plain[1], rtol=1e-9)
    np.testing.assert_allclose(strong[1], 2 * plain[1], rtol=1e-9)
    assert abs(after(Variation(mass=3), 0.5)[3]) < abs(after(Variation(), 0.5)[3])


def test_other_robots_are_stepped_by_gymnasium() -> None:
    assert isinstance(stage_for("Swimmer-v5", Variation(), 10, lanes=2), Plain)


def _game(name: str, dtype: str, variations: list[Variation], horizon: int = 90) -> Game:
    size, actions = host.spaces_of(open_varied(name, variations[0], horizon), name)
    size += variations[0].flag is not None
    policy = policy_for(size, actions, (64, 64))
    return Game(name, variations, horizon, policy, size, dtype)


def _assert_plays(game: Game, points: dict[int, np.ndarray], requests: list[Request]) -> Any:
    player, found = Player(game, lanes=4), {}
    player.ask(points, requests)
    while player.busy:
        found.update(player.step())
    for request in requests:
        variation = game.variations[request.variation]
        environment = open_varied(game.name, variation, game.horizon)
        alone = plain_episode(environment, variation, game, points[request.point], request)
        for part, theirs in zip(found[request.number], alone, strict=True):
            assert part.dtype == theirs.dtype
            np.testing.assert_array_equal(part, theirs)
    return [found[request.number] for request in requests]
