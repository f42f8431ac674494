"""Are environments and wrappers of a plug-in played, recorded and refused as they should be?"""

import json

import gymnasium
import numpy as np
import pytest
from plugged import plugins_as_before
from test_cli import one_line, straggle, written

import simulator
from simulator.mistakes import Mistake
from simulator.objectives.environments.playing.stage import Plain
from simulator.objectives.environments.playing.stages import stage_for
from simulator.objectives.environments.variation import Variation
from simulator.objectives.environments.wrappers import wrappers_of
from simulator.plugins import load_plugin
from simulator.scenario.loading import load

MY_ENVS = """
import gymnasium
import numpy as np


class Corridor(gymnasium.Env):
    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Dict(
        place=gymnasium.spaces.Box(-9, 9, (1,)), lamp=gymnasium.spaces.Discrete(2)
    )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.uniform(-1, 1)
        return self.seen(), {}

    def step(self, action):
        self.place += 0.1 if action else -0.1
        return self.seen(), 1.0, False, False, {}

    def seen(self):
        return {"place": np.array([self.place], np.float32), "lamp": int(self.place > 0)}


class Scaled(gymnasium.RewardWrapper):
    def __init__(self, env, factor):
        super().__init__(env)
        self.factor = factor

    def reward(self, reward):
        return self.factor * reward


gymnasium.register(id="Corridor-v0", entry_point=Corridor)
WRAPPERS = {"scaled": Scaled}
"""
SCENARIO = """
seeds = [0]
cluster = { workers = 2, compute = 1 }
stop = { steps = 2 }
evaluation = { episodes = 3 }
[objective]
kind = "policy-gradient"
environment = "Corridor-v0"
horizon = 6
policy = { hidden = [3] }
wrappers = ["FlattenObservation", { wrapper = "scaled", factor = 0.5 }]
[methods.synchronous-pg]
step = 0.1
"""


@pytest.fixture(autouse=True)
def as_before():
    with plugins_as_before():
        yield


@pytest.fixture
def mine(tmp_path):
    written(tmp_path / "s.toml", SCENARIO)
    return written(tmp_path / "my_envs.py", MY_ENVS)


@pytest.mark.parametrize(("cores", "horizon"), [(1, 6), (2, 8)])
def test_an_environment_of_a_plug_in_is_played_in_its_wrappers(mine, cores, horizon, monkeypatch):
    monkeypatch.setenv("STRAGGLE_CORES", str(cores))  # with two, other processes play
    out, plugin = mine.parent / "out", ("--plugin", mine)
    words = ["--out", out, "--quiet", "--figures", "none", "--jobs", 1, *plugin]
    words += ["--set", f"objective.horizon={horizon}"]
    answer = straggle("run", mine.parent / "s.toml", *words)
    assert (answer.code, answer.err) == (0, "")
    manifest = json.loads((out / "manifest.json").read_text())
    assert {*manifest["plugins"]} == {"environments.Corridor-v0", "wrappers.scaled"}
    assert straggle("verify", out, *plugin).code == 0
    (row,) = json.loads(straggle("evaluate", out, "--json", *plugin).out)
    assert (row["return"], row["mean length"]) == (horizon / 2, horizon)
    policy = simulator.load_results(out).policy("synchronous-pg")
    assert policy.act(np.zeros(3)) in (0, 1)


def test_a_run_without_its_environment_names_the_plug_in(mine):
    out = mine.parent / "out"
    words = ["--out", out, "--quiet", "--figures", "none", "--jobs", 1]
    with plugins_as_before():
        assert straggle("run", mine.parent / "s.toml", *words, "--plugin", mine).code == 0
    refusal = one_line(straggle("evaluate", out))
    assert "comes from the plug-in my_envs.py" in refusal
    assert "--plugin FILE_OR_MODULE names it" in refusal


def refusal(*settings):
    with pytest.raises(Mistake) as refused:
        load(
            "straggler", ["objective={kind='policy-gradient', environment='Acrobot-v1'}", *settings]
        )
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("wrappers", "message"),
    [
        ("'FlatenObservation'", "did you mean 'FlattenObservation'?"),
        ("'NormalizeObservation'", "policy.observations = 'standardised' takes constants"),
        ("'TimeLimit'", "leave it out; objective.horizon ends the episodes"),
        ("{wrapper='FrameStackObservation'}", "wrappers[0].stack_size: is missing; write {"),
        ("{wrapper='ClipReward', min_rewards=1}", "[0].min_rewards: ClipReward has no such"),
        ("'TransformReward'", "wrappers[0].func: is a function, which a scenario cannot hold"),
        ("{stack_size=3}", "wrappers[0].wrapper: is missing"),
        ("'RescaleAction'", "wrappers[0].min_action: is missing"),
        ("{wrapper='RescaleAction', min_action=0, max_action=1}", "wrappers[0] = 'RescaleAction'"),
    ],
)  # fmt: skip
def test_a_wrong_wrapper_is_refused_in_a_line(wrappers, message):
    assert message in refusal(f"objective.wrappers=[{wrappers}]")


def test_wrappers_of_an_environment_in_jax_are_refused_with_its_twin():
    asked = "objective.wrappers=['FlattenObservation']"
    message = refusal("objective.environment=CartPole-v1", asked)
    assert "name 'gymnasium:CartPole-v1', which runs on the host" in message
    assert load("straggler", ["objective.environment='gymnasium:CartPole-v1'", asked])


@pytest.mark.parametrize(
    ("space", "reason"),
    [
        (gymnasium.spaces.Dict(a=gymnasium.spaces.Discrete(2)), "a dictionary of 'a'"),
        (gymnasium.spaces.Tuple([gymnasium.spaces.Discrete(2)] * 3), "a tuple of 3 spaces"),
        (gymnasium.spaces.Box(0, 255, (8, 8, 3), np.uint8), "arrays of shape (8, 8, 3)"),
    ],
)
def test_observations_of_several_shapes_need_a_wrapper(space, reason):
    from simulator.objectives.environments.catalogue import spaces

    class Seen(gymnasium.Env):
        action_space, observation_space = gymnasium.spaces.Discrete(2), space

        def reset(self, *, seed=None, options=None):
            return self.observation_space.sample(), {}

        def step(self, action):
            return self.observation_space.sample(), 0.0, False, False, {}

    gymnasium.register(id="Seen-v0", entry_point=Seen)
    with pytest.raises(ValueError, match=r"'FlattenObservation'\] makes them one") as refused:
        spaces("Seen-v0", {})
    assert f"its observations are {reason}, and a policy sees a vector" in str(refused.value)
    size, _ = spaces("Seen-v0", {}, wrappers_of(["FlattenObservation"]))
    assert size == gymnasium.spaces.flatdim(space)


def test_a_quick_stage_is_left_out_under_a_wrapper():
    wrappers = wrappers_of([{"wrapper": "ClipReward", "min_reward": -0.1}])
    stage = stage_for("Reacher-v5", Variation(wrappers=wrappers), 5, 2)
    assert isinstance(stage, Plain)
    stage.reset(0, seed=1)
    _, rewards, _ = stage.step([0], np.ones((1, 2)))
    assert rewards == [-0.1]


def test_a_plug_in_cannot_replace_an_environment_in_jax(tmp_path):
    text = MY_ENVS.replace("Corridor-v0", "CartPole-v1")
    with pytest.raises(Mistake, match=r"environments.CartPole-v1: straggle itself has one"):
        load_plugin(written(tmp_path / "more_envs.py", text))
