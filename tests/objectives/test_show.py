"""Is the episode that is shown the one that is counted, and the picture that of its state?"""

from types import SimpleNamespace

import gymnasium
import jax
import numpy as np
import pytest

from simulator.objectives.environments import graphics, host, stage
from simulator.objectives.environments.catalogue import OWN
from simulator.objectives.environments.screen import POSES, Drawn, Hosted, Stage, open_stage
from simulator.objectives.policy_gradient import PolicyGradient
from simulator.objectives.show import evaluated, show

HORIZON = 30


def unseen(name: str, options: dict[str, object]) -> Stage:
    """A stage of which nobody takes a picture, so that nothing needs to be drawn."""
    if name in OWN:
        return Drawn(name, options, host.open_environment(name, {}, 1))
    return Hosted(host.open_environment(name, options, HORIZON))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("CartPole-v1", {"length": 0.8, "tau": 0.05}),
        ("Pendulum-v1", {"max_torque": 5}),
        ("Acrobot-v1", {}),
        ("FrozenLake-v1", {}),
        ("Reacher-v5", {"frame_skip": 3}),
        ("Hopper-v5", {}),
    ],
)
def test_what_is_shown_is_what_is_counted(name: str, options: dict[str, object]) -> None:
    objective = PolicyGradient(
        name, environment_options=options, hidden=(8,), horizon=HORIZON, dtype="float64"
    )
    point = objective.initial_point(jax.random.key(1)) * 3
    counted = objective.play(point, 5, 3)
    place = unseen(name, options)
    for key, expected in zip(evaluated(5, 3), counted, strict=True):
        start, *rewards = show(place, objective.policy, np.asarray(point), key, HORIZON)
        assert start == 0
        assert len(rewards) == expected.length
        assert sum(rewards) == pytest.approx(expected.total, rel=1e-9, abs=1e-12)
    place.close()


def test_every_environment_of_ours_can_be_drawn() -> None:
    assert POSES.keys() == OWN.keys()


@pytest.mark.parametrize("name", OWN)
def test_the_twin_draws_our_state(name: str) -> None:
    twin = host.open_environment(name, {}, 1)
    posed: list[SimpleNamespace] = []

    def render() -> np.ndarray:
        posed.append(SimpleNamespace(**vars(twin.unwrapped)))
        return np.zeros((1, 1, 3), np.uint8)

    twin.unwrapped.render = render
    options = {"length": 0.8} | ({"max_torque": 4} if name == "Pendulum-v1" else {})
    place = Drawn(name, options, twin)
    observation = place.reset(jax.random.key(0), np.float64)
    place.picture()
    np.testing.assert_allclose(posed[0].state, _state(name, observation), rtol=1e-12)
    action = np.array([-3.0]) if name == "Pendulum-v1" else np.int32(1)
    observation, _, _ = place.step(action)
    place.picture()
    np.testing.assert_allclose(posed[1].state, _state(name, observation), rtol=1e-12)
    if name == "Pendulum-v1":
        assert [pose.last_u for pose in posed] == [None, -1.5]
    else:
        assert posed[1].length == 0.8


def _state(name: str, observation: np.ndarray) -> list[float]:
    if name == "CartPole-v1":
        return list(observation)
    cosine, sine, speed = observation
    return [np.arctan2(sine, cosine), speed]


def test_a_robot_that_walks_stays_in_the_picture() -> None:
    cheetah, reacher = (host.open_environment(n, {}, 1) for n in ("HalfCheetah-v5", "Reacher-v5"))
    for environment, camera in ((cheetah, 0), (reacher, -1)):
        stage._follow(environment.unwrapped)
        assert environment.unwrapped.mujoco_renderer.camera_id == camera


class Silent(gymnasium.Env[np.ndarray, object]):
    """An environment that writes what it does."""

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012 (gymnasium's own)


@pytest.mark.parametrize(
    ("creator", "message"), [(Silent, "it has ansi"), (lambda **_: Silent(), "it has none")]
)
def test_what_makes_no_pictures_is_refused(creator: object, message: str) -> None:
    gymnasium.register("Silent-v0", creator)
    try:
        with pytest.raises(ValueError, match=rf"has no render mode 'rgb_array'; {message}$"):
            open_stage("Silent-v0", {}, HORIZON)
    finally:
        del gymnasium.registry["Silent-v0"]


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1", "FrozenLake-v1"])
def test_a_missing_pygame_names_its_remedy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pygame", None)
    remedy = r"pygame is not installed; pip install 'straggle\[video\]' installs it$"
    with pytest.raises(ValueError, match=f"environment = '{name}': {remedy}"):
        open_stage(name, {}, HORIZON)


# Where nothing can draw


@pytest.fixture
def nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphics, "_works", lambda backend: False)
    monkeypatch.setattr(graphics.sys, "platform", "linux")
    monkeypatch.delenv("MUJOCO_GL", raising=False)


@pytest.mark.usefixtures("nothing_works")
def test_where_mujoco_cannot_draw_a_package_is_named() -> None:
    with pytest.raises(ValueError, match=r"^MuJoCo cannot draw here.* install libegl1 libgl1$"):
        open_stage("Reacher-v5", {}, HORIZON)


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
        open_stage("Reacher-v5", {}, HORIZON)


def test_the_first_that_works_is_taken_unless_the_user_has_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(graphics.sys, "platform", "linux")
    monkeypatch.setattr(graphics, "_works", lambda backend: backend != "egl")
    for wish, chosen in ((None, "osmesa"), ("glfw", "glfw")):
        monkeypatch.delenv("MUJOCO_GL", raising=False)
        if wish:
            monkeypatch.setenv("MUJOCO_GL", wish)
        graphics.prepare_mujoco()
        assert graphics.os.environ["MUJOCO_GL"] == chosen
