"""Is training the loop that it says it is, for one run or several, with observers or without?"""

from itertools import groupby

import numpy as np
import pytest
from compiled import compiled_once
from test_resume import assert_same, scenario_of

from algorithms.methods import rennala
from algorithms.updates import nigt
from simulator.campaign.task import tasks_of
from simulator.cluster import Cluster, Fixed
from simulator.engine import Simulation, Stop
from simulator.training.checkpoint import Keeper, Member
from simulator.training.executor import BatchedExecutor
from simulator.training.finite import Finite
from simulator.training.laboratory import laboratory_of
from simulator.training.lanes import lanes_of
from simulator.training.learner import Learner
from simulator.training.observer import Observer
from simulator.training.record import Run
from simulator.training.train import follow, train

__all__ = ["compiled_once"]  # the fixture

TIMES = [1.0, 1.7, 2.9, 5.3]
STEPS = (0.05, 0.1, 0.2)


def schedule():
    return Simulation(Cluster(4, Fixed(TIMES)), rennala(batch=3))


class Diary(Observer):
    """Records the moments that it observes."""

    def __init__(self):
        self.moments = []

    def begin(self, lane):
        self.moments.append("begin")

    def group(self, lane, turns):
        self.moments.append("group")

    def step(self, lane, turn):
        self.moments.append("step")

    def rest(self, lanes):
        self.moments.append("rest")

    def end(self, lane):
        self.moments.append("end")

    def interrupted(self, lane):
        self.moments.append("interrupted")


class Interrupting(Observer):
    def __init__(self, after):
        self.after = after

    def step(self, lane, turn):
        if turn.step.number == self.after:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def quadratic():
    return laboratory_of(scenario_of("rennala-nigt", "cluster.compute=[1,1.7,2.9,5.3]")).objective


def test_a_run_by_hand_is_the_run_of_the_scenario(quadratic):
    scenario = scenario_of("rennala-nigt", "cluster.compute=[1,1.7,2.9,5.3]")
    whole = laboratory_of(scenario).run(scenario)
    run = train(schedule(), Stop(steps=14), quadratic, nigt(step=0.1, momentum=0.3), seed=3)
    np.testing.assert_array_equal(run.point, whole.point)
    assert list(run.times) == list(whole.times)
    assert (run.end, run.steps) == ("stop", 14)
    assert not run.evaluations  # no metric was wanted


def test_an_observer_sees_every_moment_in_order(quadratic):
    diary = Diary()
    rule = nigt(step=0.1, momentum=0.3)
    run = train(schedule(), Stop(steps=6), quadratic, rule, observers=[diary])
    assert diary.moments.count("step") == run.steps == 6
    order = [moment for moment, _ in groupby(diary.moments)]
    groups = (len(order) - 2) // 3
    assert order == ["begin", *["group", "step", "rest"] * groups, "end"]


def test_observers_see_an_interruption_which_goes_on(quadratic):
    diary = Diary()
    rule = nigt(step=0.1, momentum=0.3)
    with pytest.raises(KeyboardInterrupt):
        train(schedule(), Stop(steps=6), quadratic, rule, observers=[diary, Interrupting(4)])
    assert diary.moments.count("step") == 4
    assert diary.moments[-1] == "interrupted"


def test_a_point_that_is_not_finite_ends_its_run_and_no_other(quadratic):
    runs, ended = [Run("", seed, tuple(quadratic.metrics)) for seed in (0, 1)], []
    learner = Learner(lambda numbers: nigt(numbers["step"], 0.3))
    numbers = {"step": [np.inf, 0.1]}
    lanes = lanes_of(runs, numbers, learner, BatchedExecutor(quadratic), ended.append)
    for lane in lanes:
        lane.start(quadratic.initial_point)
    follow(schedule(), Stop(steps=5), lanes, [Finite()])
    assert ended == runs
    wild, tame = runs
    assert (wild.end, wild.steps, tame.end, tame.steps) == ("failed", 1, "stop", 5)
    assert wild.message.startswith("the rule made a point that is not finite (server step 1)")
    alone = train(schedule(), Stop(steps=5), quadratic, nigt(step=0.1, momentum=0.3), seed=1)
    np.testing.assert_array_equal(tame.point, alone.point)


# Runs that train side by side and are stopped


def members(folder=None):
    found = []
    for step in STEPS:
        scenario = scenario_of("rennala-nigt", f"methods.*.step={step}", stop={"steps": 40})
        (task,) = tasks_of(scenario.model_dump(), folder, scenario)
        keeper = folder and Keeper(folder, task.key, scenario.fingerprint())
        found.append(Member(scenario, keeper or None))
    return found


def trained(asked, watch=lambda run: None):
    runs = {}
    laboratory_of(asked[0].scenario).train(asked, lambda at, run: runs.update({at: run}), watch)
    return runs


def interrupting(steps):
    def watch(run):
        if run.steps == steps:
            raise KeyboardInterrupt

    return watch


@pytest.fixture
def rarely(monkeypatch):
    """No checkpoint is due by itself."""
    monkeypatch.setenv("STRAGGLE_CHECKPOINT_SECONDS", "1000")


def test_interrupted_runs_leave_checkpoints_and_go_on_side_by_side(tmp_path, rarely):
    whole = trained(members())
    with pytest.raises(KeyboardInterrupt):
        trained(members(tmp_path), interrupting(17))
    steps = {step for member in members(tmp_path) for step in member.keeper.found()}
    assert steps <= {16, 17}
    assert len(steps) == 1
    resumed = trained(members(tmp_path))
    for at, run in resumed.items():
        assert_same(run, whole[at])


def test_runs_with_checkpoints_of_different_steps_continue_apart(tmp_path, rarely):
    whole = trained(members())
    first, *others = members(tmp_path)
    for part, steps in (([first], 9), (others, 23)):
        with pytest.raises(KeyboardInterrupt):
            trained(part, interrupting(steps))
    resumed = trained(members(tmp_path))
    assert sorted(resumed) == [0, 1, 2]
    for at, run in resumed.items():
        assert_same(run, whole[at])
