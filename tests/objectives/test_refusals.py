"""An environment that cannot be had is refused in one line: the field, the value, the remedy."""

import subprocess
import sys
from pathlib import Path

import gymnasium
import mujoco
import pytest

from simulator.mistakes import Mistake
from simulator.objectives.environments import host
from simulator.objectives.environments.catalogue import spaces
from simulator.scenario.loading import load
from simulator.system.install import install_command, install_packages

NO_MODULE = (
    "cannot be made: there is no module '{0}' on Python's path; "
    "if {0}.py is yours, --plugin {0}.py loads it"
)
NO_NAME = "gymnasium has no environment of this name"
OWN = "--plugin FILE registers your own"
OLD_TASK = "gymnasium no longer has MuJoCo's tasks of versions 2 and 3; use"
ATARI = f"Atari's games are ale-py's; {install_packages('gymnasium[atari]')}, and write"
BOX2D, FLAX = "gymnasium[box2d]", "gymnasium[jax]"


def refused(name: str, **options: object) -> str:
    with pytest.raises(ValueError, match=r"^environment") as refusal:
        spaces(name, options)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Acrobat-v1", f"{NO_NAME}; near it are Acrobot-v1"),
        ("Acrobot-v7", f"{NO_NAME}; near it are Acrobot-v1"),
        ("Hopper-v9", f"{NO_NAME}; near it are Hopper-v5"),
        ("Zzz/Qqq-v1", f"{NO_NAME}; {OWN}"),
        ("no name", f"{NO_NAME}; {OWN}"),
        ("", f"{NO_NAME}; {OWN}"),
        ("Hopper", "names no version; use 'Hopper-v5'"),
        ("nowhere:Thing-v0", f"{NO_MODULE.format('nowhere')}"),
        ("nowhere.deep:Thing-v0", f"{NO_MODULE.format('nowhere')}"),
        ("ALE/Pong-v5", f"{ATARI} 'ale_py:ALE/Pong-v5'"),
        ("ale_py:ALE/Pong-v5", f"{ATARI} 'ale_py:ALE/Pong-v5'"),
        ("PongNoFrameskip-v4", f"{ATARI} 'ale_py:ALE/Pong-v5'"),
        ("CartPole-v0", "is out of date; use 'CartPole-v1'"),
        ("Pendulum-v0", "this version is gone; use 'Pendulum-v1'"),
        ("LunarLander-v2", "this version is gone; use 'LunarLander-v3'"),
        ("Hopper-v2", f"{OLD_TASK} 'Hopper-v5'"),
        ("Humanoid-v3", f"{OLD_TASK} 'Humanoid-v5'"),
    ],
)
def test_a_name(name: str, message: str) -> None:
    assert refused(name) == f"environment = {name!r}: {message}"


def test_a_task_that_is_wrong_since_mujoco_3() -> None:
    need = f"needs MuJoCo before 3, and {mujoco.__version__} is installed; use 'Pusher-v5'"
    assert refused("Pusher-v4") == f"environment = 'Pusher-v4': {need}"


MISSING = {
    "HalfCheetah-v5": f"MuJoCo is not installed; {install_command('mujoco')}",
    "Pusher-v4": f"MuJoCo is not installed; {install_command('mujoco')}",
    "LunarLander-v3": f"Box2D is not installed; {install_packages(BOX2D)}",
    "phys2d/CartPole-v1": f"flax is not installed; {install_packages(FLAX)}",
}


def test_a_package_that_is_missing() -> None:
    """In a fresh interpreter, where it cannot be imported, whether it is installed or not."""
    script = (
        "import sys; sys.modules |= dict.fromkeys(['mujoco', 'Box2D', 'flax'])\n"
        "from simulator.objectives.environments.catalogue import spaces\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        spaces(name, {})\n"
        "    except ValueError as refusal:\n"
        "        print(refusal)"
    )
    command = [sys.executable, "-c", script, *MISSING]
    done = subprocess.run(command, capture_output=True, text=True)
    expected = [
        f"environment = {name!r}: {printed} installs it" for name, printed in MISSING.items()
    ]
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")


@pytest.mark.parametrize(
    ("name", "option", "value", "message"),
    [
        ("Hopper-v5", "control_cost_wight", 1, ".*; did you mean 'ctrl_cost_weight'"),
        ("Hopper-v4", "frame_skip", 1, ": Hopper-v4 has no such option; known: "),
        ("Hopper-v5", "model_path", "hopper.xml", ": Hopper-v5 has no such option"),
        ("MountainCarContinuous-v0", "goal_velocty", 1, ".*did you mean 'goal_velocity'"),
        ("MountainCarContinuous-v0", "goal_velocity", "x", " = 'x': must be a number"),
        ("Hopper-v5", "forward_reward_weight", "1", " = '1': must be a number"),
        ("Hopper-v5", "forward_reward_weight", True, " = True: must be a number"),
        ("Hopper-v5", "frame_skip", 2.5, r" = 2\.5: must be a whole number"),
        ("Hopper-v5", "frame_skip", 0, " = 0: must be at least 1"),
        ("Hopper-v5", "terminate_when_unhealthy", 3, " = 3: must be true or false"),
        ("Hopper-v5", "healthy_z_range", 3, " = 3: must be a list of 2"),
        ("FrozenLake-v1", "is_slippery", "no", " = 'no': must be true or false"),
        ("FrozenLake-v1", "map_name", 4, " = 4: must be a string"),
        ("Hopper-v5", "max_episode_steps", 9, ": leave it out; the horizon says"),
        ("Hopper-v5", "render_mode", "human", ": leave it out; straggle evaluate RUN --video"),
        ("Hopper-v5", "xml_file", "no.xml", " = 'no.xml': there is no such file; "),
        ("Hopper-v5", "xml_file", "/no/such.xml", " = '/no/such.xml': there is no such file; "),
    ],
)
def test_an_option(name: str, option: str, value: object, message: str) -> None:
    pattern = rf"environment_options\.{option}{message}"
    with pytest.raises(ValueError, match=pattern):
        raise ValueError(refused(name, **{option: value}))


def test_options_that_only_the_environment_can_refuse() -> None:
    """Some is noticed when it is made, some only when it is played."""
    start = "environment = '{}': cannot be made with environment_options = "
    unknown = refused("FrozenLake-v1", map_name="9x9")
    assert unknown == start.format("FrozenLake-v1") + "{'map_name': '9x9'}: KeyError: '9x9'"
    assert refused("Hopper-v5", healthy_z_range=[0.5, "x"]).startswith(start.format("Hopper-v5"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Hopper-v5", {"frame_skip": 5, "healthy_z_range": [0.5, 2], "width": 64}),
        ("Hopper-v4", {"ctrl_cost_weight": 1}),
        ("Ant-v5", {"main_body": "torso", "forward_reward_weight": 0.5}),
        ("MountainCarContinuous-v0", {"goal_velocity": 0.1}),
        ("FrozenLake-v1", {"desc": ["SF", "HG"]}),
    ],
)
def test_options_that_will_do(name: str, options: dict[str, object]) -> None:
    spaces(name, options)


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    model = tmp_path / "mine.xml"
    model.write_text("<mujoco", encoding="utf-8")
    printed = refused("Hopper-v5", xml_file=str(model))
    assert printed.startswith(
        f"environment_options.xml_file = {str(model)!r}: MuJoCo cannot read it:"
    )
    assets = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"
    model.write_text((assets / "hopper.xml").read_text(encoding="utf-8"), encoding="utf-8")
    spaces("Hopper-v5", {"xml_file": str(model)})


class Strange(gymnasium.Env[object, object]):
    """An environment with the given spaces."""

    def __init__(self, actions: object, observations: object = None) -> None:
        self.action_space = actions
        self.observation_space = observations or gymnasium.spaces.Discrete(3)


ACTIONS = "a policy needs a Discrete space, or a Box of floats with finite bounds"


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (gymnasium.spaces.MultiDiscrete([2, 3]), "MultiDiscrete([2 3]), are neither one of n"),
        (gymnasium.spaces.MultiBinary(2), "MultiBinary(2), are neither one of n"),
        (gymnasium.spaces.Box(0, 5, (2,), "int32"), "Box(0, 5, (2,), int32), are neither one of n"),
    ],
)
def test_actions_that_no_policy_has(space: object, message: str) -> None:
    printed = f"environment = 'Strange': its actions, {message} nor real numbers; {ACTIONS}"
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 (compared in full below)
        host.spaces_of(Strange(space), "Strange")
    assert str(refusal.value) == printed


def test_unbounded_actions_and_observations_that_are_no_vector() -> None:
    unbounded = Strange(gymnasium.spaces.Box(-float("inf"), 1, (2,)))
    with pytest.raises(ValueError, match="are unbounded; a squashed Gaussian needs finite bounds"):
        host.spaces_of(unbounded, "Strange")
    words = gymnasium.spaces.Sequence(gymnasium.spaces.Discrete(2))
    with pytest.raises(ValueError, match="do not make a vector; numbers and boxes of them do"):
        host.spaces_of(Strange(gymnasium.spaces.Discrete(2), words), "Strange")


@pytest.mark.parametrize("setting", ["environment=Hoper-v5", "environment_options={frame_skip=0}"])
def test_a_scenario_says_the_same_before_any_work(setting: str) -> None:
    base = "objective={kind='policy-gradient', environment='Hopper-v5'}"
    with pytest.raises(Mistake, match=rf"^objective\.{setting.partition('=')[0]}"):
        load("straggler", [base, f"objective.{setting}"])


def test_warnings_of_outdated_models_are_suppressed(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HalfCheetah's makes MuJoCo 4 warn, on stderr and into a file of the current folder."""
    monkeypatch.chdir(tmp_path)
    host.open_environment("HalfCheetah-v5", {}, horizon=1).close()
    host.open_environment("Hopper-v4", {}, horizon=1).close()
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_other_warnings_of_mujoco_are_shown(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make, before = gymnasium.make, mujoco.get_mju_user_warning()

    def warn(*arguments: object, **options: object) -> object:
        listener = mujoco.get_mju_user_warning()
        listener("this is\nserious")
        listener("this is deprecated")
        return make(*arguments, **options)

    monkeypatch.setattr(gymnasium, "make", warn)
    host.open_environment("Reacher-v5", {}, horizon=1).close()
    assert capfd.readouterr().err == "straggle: MuJoCo: this is serious\n"
    assert mujoco.get_mju_user_warning() is before
