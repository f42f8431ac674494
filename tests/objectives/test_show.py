"""Is the episode that is shown the one that is counted, and the picture that of its state?"""

import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simulator.objectives import show
from simulator.objectives.environments import host
from simulator.objectives.environments.catalogue import OWN
from simulator.objectives.environments.playing import screen
from simulator.objectives.environments.playing.screen import POSES, drawing, prepare
from simulator.objectives.environments.playing.varied import open_varied
from simulator.objectives.environments.variation import ALIKE, Target, Variation
from simulator.objectives.estimator import evaluation_key, plain_episode
from simulator.objectives.objective import Played
from simulator.objectives.policies import perceptron
from simulator.objectives.policy_gradient import policy_gradient
from simulator.system.install import install_command

HORIZON = 30
HOPPERS = (
    Variation(),
    Variation(mass=1.5, sign=-1),
    Variation(gravity=0.5),
    Variation(options={"healthy_z_range": [0.0, 9.0]}),
)
REACHERS = (
    Variation(flag=0.5, target=Target(radius=(0.1, 0.2), angle=(0.0, 90.0))),
    Variation(flag=-2.0, sign=-1, options={"frame_skip": 3}),
)
CARTS = (Variation(options={"length": 0.8}, flag=1.5), Variation(sign=-1, flag=-1))
STRONG = {"max_torque": 4.0}
PENDULA = (Variation(options=STRONG), Variation(options=STRONG | {"mass": 2.0}, sign=-1))


def played(name: str, variations: Sequence[Variation], dtype: str) -> tuple[list[Played], ...]:
    """The same episodes, counted and shown; one more than there are workers."""
    objective = policy_gradient(
        name, policy=perceptron((8,)), horizon=HORIZON, dtype=dtype, variations=variations
    )
    point = objective.initial_point(jax.random.key(1)) * 3
    many, shown = len(variations) + 1, []
    for number in range(many):
        place = objective.episodes.show(number % len(variations))
        looks: list[None] = []
        shown.append(place.play(np.asarray(point), 5, number, lambda: looks.append(None)))  # noqa: B023
        assert len(looks) == shown[-1].length + 1
        place.close()
    return objective.episodes.play(point, 5, many)[:many], shown


@pytest.fixture
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture is taken, so nothing needs to be drawn."""
    monkeypatch.setattr(show, "drawing", open_varied)


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize(
    ("name", "variations"),
    [
        ("MountainCarContinuous-v0", ALIKE),
        ("FrozenLake-v1", (Variation(), Variation(options={"is_slippery": False}))),
        ("Reacher-v5", REACHERS),
        ("Hopper-v5", HOPPERS),
    ],
)
def test_shown_episodes_are_the_counted_ones(name: str, variations: Sequence[Variation]) -> None:
    """To the last bit, in each worker's environment and as each policy sees it."""
    counted, shown = played(name, variations, "float32")
    assert shown == counted


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize(
    ("name", "variations"),
    [("CartPole-v1", CARTS), ("Pendulum-v1", PENDULA)],
)
def test_so_it_is_with_ours_up_to_rounding(name: str, variations: Sequence[Variation]) -> None:
    counted, shown = played(name, variations, "float64")
    assert [each.length for each in shown] == [each.length for each in counted]
    for one, other in zip(shown, counted, strict=True):
        assert one.total == pytest.approx(other.total, rel=1e-9)


def test_every_environment_of_ours_can_be_drawn() -> None:
    assert POSES.keys() == OWN.keys()


def test_one_of_the_callers_own_cannot() -> None:
    objective = policy_gradient(OWN["CartPole-v1"].make(OWN["CartPole-v1"].parameters()))
    with pytest.raises(ValueError, match=r"^an environment of one's own has no picture; name"):
        objective.episodes.show(0)


@pytest.mark.parametrize(("name", "variations"), [("CartPole-v1", CARTS), ("Pendulum-v1", PENDULA)])
def test_the_twin_draws_our_state(
    name: str, variations: Sequence[Variation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is, not as the worker sees it, and with the worker's constants."""
    twin = host.open_environment(name, {}, 1)
    posed: list[SimpleNamespace] = []

    def render() -> np.ndarray:
        posed.append(SimpleNamespace(**vars(twin.unwrapped)))
        return np.zeros((1, 1, 3), np.uint8)

    twin.reset()
    twin.unwrapped.render = render
    monkeypatch.setattr(show, "drawing", lambda *_, **__: twin)
    objective = policy_gradient(
        name, policy=perceptron((4,)), horizon=5, dtype="float64", variations=variations
    )
    point = objective.initial_point(jax.random.key(1))
    engine: Any = objective
    for worker, variation in enumerate(variations):
        posed.clear()
        place = objective.episodes.show(worker)
        place.play(np.asarray(point), 5, worker, place.picture)
        key = evaluation_key(jax.random.key(5), jnp.int32(0), jnp.int32(worker))
        seen, choices, _ = plain_episode(
            engine.worlds.of(worker), engine.policy, point, key, engine.horizon
        )
        for pose, observation in zip(posed, seen, strict=False):
            state = _state(name, variation.sign * np.asarray(observation))
            np.testing.assert_allclose(pose.state, state, rtol=1e-12)
        if name == "Pendulum-v1":
            torques = 2 * np.tanh(np.ravel(choices))  # a share of the largest, which is 2
            assert posed[0].last_u is None
            np.testing.assert_allclose([pose.last_u for pose in posed[1:]], torques, rtol=1e-12)
        else:
            assert posed[0].length == variation.options.get("length", 0.5)


def _state(name: str, observation: np.ndarray) -> list[float]:
    if name == "CartPole-v1":
        return list(observation[:4])
    cosine, sine, speed = observation
    return [np.arctan2(sine, cosine), speed]


def test_a_robot_that_walks_stays_in_the_picture() -> None:
    cheetah, reacher = (host.open_environment(n, {}, 1) for n in ("HalfCheetah-v5", "Reacher-v5"))
    for environment, camera in ((cheetah, 0), (reacher, -1)):
        screen._follow(environment.unwrapped)
        assert environment.unwrapped.mujoco_renderer.camera_id == camera


class Silent(gymnasium.Env[np.ndarray, object]):
    """An environment that writes what it does."""

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012 (gymnasium's own)


@pytest.mark.parametrize(
    ("creator", "message"), [(Silent, "it has ansi"), (lambda **_: Silent(), "it has none")]
)
def test_environments_without_pictures_are_refused(creator: object, message: str) -> None:
    gymnasium.register("Silent-v0", creator)
    try:
        with pytest.raises(ValueError, match=rf"has no render mode 'rgb_array'; {message}$"):
            prepare("Silent-v0", {})
    finally:
        del gymnasium.registry["Silent-v0"]


@pytest.mark.parametrize("name", ["CartPole-v1", "FrozenLake-v1"])
def test_a_missing_pygame_names_its_remedy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pygame", None)
    remedy = re.escape(f"pygame is not installed; {install_command('video')} installs it")
    with pytest.raises(ValueError, match=f"environment = '{name}': {remedy}$"):
        drawing(name, Variation(), HORIZON)


# Where nothing can draw


@pytest.fixture
def nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "_works", lambda backend: False)
    monkeypatch.setattr(screen.sys, "platform", "linux")
    monkeypatch.delenv("MUJOCO_GL", raising=False)


@pytest.mark.usefixtures("nothing_works")
def test_a_missing_drawing_library_is_named() -> None:
    with pytest.raises(ValueError, match=r"^MuJoCo cannot draw here.* install libegl1 libgl1$"):
        prepare("Reacher-v5", {})


@pytest.mark.usefixtures("nothing_works")
@pytest.mark.parametrize(
    ("wish", "remedy"),
    [("osmesa", "unset it, or .*apt-get install libosmesa6$"), ("nonsense", "unset it$")],
)
def test_a_wish_that_cannot_be_granted(
    wish: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUJOCO_GL", wish)
    with pytest.raises(ValueError, match=rf"^MUJOCO_GL = '{wish}': .*; {remedy}"):
        prepare("Reacher-v5", {})


def test_the_first_that_works_is_taken_unless_the_user_has_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(screen.sys, "platform", "linux")
    monkeypatch.setattr(screen, "_works", lambda backend: backend != "egl")
    for wish, chosen in ((None, "osmesa"), ("glfw", "glfw")):
        monkeypatch.delenv("MUJOCO_GL", raising=False)
        if wish:
            monkeypatch.setenv("MUJOCO_GL", wish)
        screen.prepare_mujoco()
        assert screen.os.environ["MUJOCO_GL"] == chosen
