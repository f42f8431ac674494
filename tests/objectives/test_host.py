"""Any gymnasium environment on the host: what is played, and what is refused."""

import subprocess
import sys

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest

from algorithms.tickets import Ticket
from simulator.objectives.backward import SIZES, pieces
from simulator.objectives.environments import host
from simulator.objectives.environments.cartpole import State
from simulator.objectives.environments.catalogue import own_environment
from simulator.objectives.environments.playing.episode import (
    Episode,
    Game,
    Request,
    generator,
    plain_episode,
)
from simulator.objectives.environments.variation import Variation
from simulator.objectives.estimator import episode_keys
from simulator.objectives.hosted import _bits, key_of
from simulator.objectives.policies import Policy, perceptron, policy_for
from simulator.objectives.policy_gradient import policy_gradient
from simulator.objectives.spaces import Box, Discrete

ROOT = jax.random.key(11)
TICKETS = jnp.asarray([[0, 0, 0], [3, 0, 0], [3, 0, 1], [5, 2, 0]], jnp.int32)


def game_of(name: str, policy: Policy, size: int, horizon: int, dtype: str = "float64") -> Game:
    return Game(name, [Variation()], horizon, policy, size, dtype)


def played(environment: gymnasium.Env, game: Game, point: np.ndarray, seed: int = 0) -> Episode:
    return plain_episode(environment, Variation(), game, point, Request(0, 0, 0, seed, key=1))


def test_an_episode_is_the_environment_s_answer_to_the_policy() -> None:
    """Replayed by hand: the same seed and the recorded choices give the recorded rest."""
    environment = host.open_environment("MountainCarContinuous-v0", {}, horizon=130)
    size, actions = host.spaces_of(environment, "MountainCarContinuous-v0")
    policy = policy_for(size, actions, (8,))
    point = np.random.default_rng(0).normal(size=policy.dimension)
    episode = played(
        environment, game_of("MountainCarContinuous-v0", policy, size, 130), point, seed=5
    )
    raw, _ = environment.reset(seed=5)
    layers = policy.layers(point)
    noise = policy.host_noise(generator(1), 130, "float64")
    for observation, choice, reward, row in zip(*episode, noise, strict=True):
        np.testing.assert_array_equal(observation, raw)
        np.testing.assert_array_equal(choice, policy.choose(layers, observation, row, np))
        raw, replayed, *_ = environment.step(np.tanh(choice).astype(np.float32))
        assert replayed == reward
    assert len(episode.rewards) == 130


def test_an_episode_ends_with_its_environment() -> None:
    environment = host.open_environment("CartPole-v1", {}, horizon=500)
    policy = policy_for(4, Discrete(2), ())
    to_the_left = np.zeros(policy.dimension)
    to_the_left[-2] = 100
    episode = played(environment, game_of("CartPole-v1", policy, 4, 500), to_the_left)
    assert 8 <= len(episode.rewards) <= 11
    assert not np.any(episode.choices)


def test_nothing_to_do_is_zero() -> None:
    objective = policy_gradient("Acrobot-v1", policy=perceptron((8,)), horizon=5)
    point = objective.initial_point(ROOT)
    total, steps = one_run.gradient(objective, ROOT, point, TICKETS, jnp.zeros(4, jnp.float32))
    assert total.dtype == jnp.float32
    assert not np.any(total)
    assert steps == 0
    each = jnp.tile(point, (4, 1))
    assert not np.any(objective.episodes.lengths(ROOT, each, TICKETS, jnp.zeros(4, jnp.float32)))


@pytest.mark.filterwarnings("ignore:.*out of date:DeprecationWarning")
def test_the_host_and_jax_play_the_same_cartpole(monkeypatch: pytest.MonkeyPatch) -> None:
    """From gymnasium's own first states, seen in gymnasium's float32, on the same noise."""
    hosted = policy_gradient("CartPole-v0", policy=perceptron((16,)), horizon=40, dtype="float64")
    starts = gymnasium.make("CartPole-v0")
    words = lambda row: np.asarray(_bits(episode_keys(ROOT, row[None])))[0].tolist()  # noqa: E731

    def reset(parameters: object, key: jax.Array, dtype: object) -> State:
        starts.reset(seed=seed)
        return State(*jnp.asarray(starts.unwrapped.state))

    ours = own_environment("CartPole-v1", {})
    seen = ours.observe
    as_theirs = ours._replace(
        reset=reset, observe=lambda *at: seen(*at).astype("float32").astype("float64")
    )
    twin = policy_gradient(as_theirs, policy=perceptron((16,)), horizon=40, dtype="float64")
    point = hosted.initial_point(ROOT) * 3
    lengths = set()
    for row in TICKETS[:3]:
        seed, *key = words(row)
        noise = hosted.policy.host_noise(generator(key_of(key)), 40, "float64")
        monkeypatch.setattr(type(twin.policy), "noise", lambda *_, noise=noise: jnp.asarray(noise))
        expected, length = twin.sample(ROOT, point, Ticket(*row.tolist()))
        theirs, steps = one_run.gradient(hosted, ROOT, point, row[None], jnp.ones(1))
        assert steps == length
        np.testing.assert_allclose(theirs, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
        lengths.add(length)
    assert len(lengths) > 1


def test_pieces_are_all_rows_and_zeros() -> None:
    for rows in (1, 64, 65, 1023, 1024, 1025, 2500):
        record = np.arange(1.0, 2 * rows + 1).reshape(rows, 2)
        parts = [(part,) for part in np.array_split(record, 1 + rows // 100)]
        cut = [part for (part,) in pieces(parts)]
        assert all(len(part) in SIZES for part in cut)
        np.testing.assert_array_equal(np.concatenate(cut)[:rows], record)
        assert not np.any(np.concatenate(cut)[rows:])


def test_evaluation_plays_the_policy() -> None:
    objective = policy_gradient("Acrobot-v1", policy=perceptron((8,)), horizon=20)
    point = objective.initial_point(ROOT)
    assert one_run.evaluate(objective, ROOT, point, 0, 3)["return"] == -20
    assert [tuple(episode) for episode in objective.episodes.play(point, 4, 2)] == [(-20.0, 20)] * 2


class Strange(gymnasium.Env[np.ndarray, object]):
    """An environment with the given spaces."""

    def __init__(self, actions: object, observations: object = None) -> None:
        self.action_space = actions
        self.observation_space = observations or gymnasium.spaces.Discrete(3, start=-1)
        self.taken: list[object] = []

    def reset(self, *, seed: int | None = None, options: object = None) -> tuple[object, dict]:
        return 1, {}

    def step(self, action: object) -> tuple[object, float, bool, bool, dict]:
        self.taken.append(action)
        return 0, 1.0, False, False, {}


def test_spaces_are_flattened_and_numbered_as_the_environment_does() -> None:
    strange = Strange(gymnasium.spaces.Discrete(2, start=5))
    assert host.spaces_of(strange, "Strange") == (3, Discrete(2, start=5))
    policy = policy_for(3, Discrete(2, start=5), ())
    point = np.zeros(policy.dimension)
    point[2:4] = point[4:6] = -50, 50  # at first the third observation, afterwards the second
    point[2:4] *= -1
    episode = played(strange, game_of("Strange", policy, 3, 2), point)
    assert strange.taken == [6, 5]
    np.testing.assert_array_equal(episode.observations, [[0, 0, 1], [0, 1, 0]])
    matrix = gymnasium.spaces.Box(np.float32(-0.3), np.float32(0.7), (2, 2))
    strange = Strange(matrix)
    size, box = host.spaces_of(strange, "Strange")
    assert isinstance(box, Box)
    policy = policy_for(size, box, ())
    point = np.zeros(policy.dimension, np.float32)
    point[-8:] = 99, -99, 0, 0, -99, -99, -99, -99  # the means, and hardly any deviation
    played(strange, game_of("Strange", policy, size, 1, "float32"), point)
    assert matrix.contains(strange.taken[0])
    np.testing.assert_allclose(strange.taken[0], [[0.7, -0.3], [0.2, 0.2]], atol=1e-7)


def test_checking_imports_no_jax_and_for_ours_no_gymnasium() -> None:
    script = (
        "import sys; from simulator.objectives.environments.catalogue import spaces as check\n"
        "check('CartPole-v1', {'tau': 0.01}); check('Pendulum-v1', {'g': 9.81})\n"
        "assert not {'jax', 'gymnasium'} & set(sys.modules)\n"
        "check('Acrobot-v1', {})\n"
        "assert 'gymnasium' in sys.modules\n"
        "import simulator.objectives.policies\n"
        "from simulator.objectives.environments.playing import player_process, robots\n"
        "assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
