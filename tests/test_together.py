"""Is a run that goes along with others the run that it would be alone?

Alone is the reference: every number agrees to the bit, with an XLA that is not too old.
"""

from itertools import product

import jax
import numpy as np
import pytest
from compiled import compiled_once

from simulator.scenario.loading import check
from simulator.scenario.paths import override
from simulator.training.checkpoint import Member
from simulator.training.laboratory import laboratory_of
from simulator.training.schedules import schedule_key, simulation_of, stop_of, vector_of

__all__ = ["compiled_once"]  # the fixture

ROUNDING = 0.0 if jax.__version_info__ >= (0, 10) else 1e-10
"""Older versions of XLA play an episode beside others with other last bits."""
UNEQUAL = [1.0, 1.7, 2.9, 5.3]
QUADRATIC = {"kind": "quadratic", "dimension": 10, "scale": 0.1}
POLICY = {"kind": "policy-gradient", "horizon": 8, "dtype": "float64", "policy": {"hidden": [3]}}
CARTPOLE = {**POLICY, "environment": "CartPole-v1"}
STEPS = {"step": 0.1, "momentum": 0.3}
OWN_STEPS = {"local_step": 0.1, "local_steps": 2}


def member(method, said, *settings, objective=QUADRATIC, seed=1, **tables):
    plain = {
        "seeds": [seed],
        "cluster": {"workers": 4, "compute": UNEQUAL},
        "objective": dict(objective),
        "stop": {"steps": 8},
        "methods": {method: dict(said)},
        **tables,
    }
    for setting in settings:
        override(plain, setting)
    return Member(check(plain))


def key(member):
    return schedule_key(member.scenario)


def alone(member):
    return laboratory_of(member.scenario).run(member.scenario)


def together(members):
    runs = {}
    laboratory_of(members[0].scenario).train(members, lambda at, run: runs.update({at: run}))
    assert sorted(runs) == list(range(len(members)))
    return [runs[at] for at in range(len(members))]


def agree(members):
    """Run all of them both ways; returns the runs."""
    assert len({schedule_key(each.scenario) for each in members}) == 1
    runs = together(members)
    for run, single in zip(runs, map(alone, members), strict=True):
        assert (run.method, run.seed) == (single.method, single.seed)
        assert (run.end, run.reached, run.evaluated) == (
            single.end,
            single.reached,
            single.evaluated,
        )
        mine, theirs = run.columns(), single.columns()
        assert mine.keys() == theirs.keys()
        assert list(run.times) == list(single.times)
        for name in mine.keys() - {"method"}:
            np.testing.assert_allclose(mine[name], theirs[name], rtol=ROUNDING, atol=ROUNDING)
        for one, other in zip(run.accounts, single.accounts, strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(run.parameters(), single.parameters(), rtol=0, atol=ROUNDING)
    return runs


METHODS = {
    "rennala-nigt": {**STEPS, "batch": 3},
    "asynchronous-pg": {"step": 0.1},
    "afedpg": STEPS,
    "ringleader-nigt": STEPS,
    "fedsvrpg-m": {**STEPS, **OWN_STEPS},
}


@pytest.mark.parametrize("method", METHODS)
def test_a_run_among_others_is_the_same(method):
    among_others(method, METHODS[method], QUADRATIC)


@pytest.mark.parametrize(
    "method",
    [
        "rennala-nigt",
        *(pytest.param(name, marks=pytest.mark.nightly) for name in [*METHODS][1:]),
    ],
)
def test_a_run_that_plays_among_others_is_the_same(method):
    among_others(method, METHODS[method], CARTPOLE)


def among_others(method, said, objective):
    rhythm = {} if objective is QUADRATIC else {"every_steps": 3, "episodes": 2}
    members = [
        member(method, {**said, "step": step}, objective=objective, seed=seed, evaluation=rhythm)
        for step, seed in product((0.1, 0.4), (1, 2))
    ]
    runs = agree(members)
    ends = [run.parameters() for run in runs]
    for at, end in enumerate(ends):
        assert all(np.abs(end - other).max() > 1e-6 for other in ends[:at])


def test_an_environment_on_the_host_plays_one_run_after_another():
    objective = {**POLICY, "environment": "MountainCar-v0"}
    evaluation = {"every_steps": 4, "episodes": 1}
    agree(
        [
            member("rennala-pg", {"step": step, "batch": 2}, objective=objective,
                   evaluation=evaluation, stop={"steps": 4})
            for step in (0.1, 0.2)
        ]
    )  # fmt: skip


@pytest.mark.parametrize("evaluation", [{}, {"every_steps": 3}], ids=["always", "now and then"])
@pytest.mark.parametrize(
    ("method", "said"), [("rennala-pg", {"batch": 3}), ("asynchronous-pg", {})]
)
def test_each_ends_in_its_own_way(method, said, evaluation):
    stop = {"steps": 30, "target": 1.5}
    members = [
        member(method, {**said, "step": step}, evaluation=evaluation, stop=stop)
        for step in (1e-3, 1e60, 0.5, 1.0, 1e80, 1.5)
    ]
    runs = agree(members)
    assert [run.end for run in runs] == ["stop", "failed", "target", "target", "failed", "target"]
    assert len({run.reached for run in runs}) > (1 if evaluation else 2)


def test_more_runs_than_a_lane_holds():
    steps = np.geomspace(0.01, 0.2, 14)
    runs = agree([member("rennala-pg", {"step": step, "batch": 3}) for step in steps.tolist()])
    assert len({float(run.newest["gap"]) for run in runs}) == len(steps)


def test_the_accounts_of_runs_that_shared_the_time_add_up():
    runs = together([member("afedpg", {**STEPS, "step": step}) for step in (0.1, 0.2)])
    assert all(run.real_seconds > 0 for run in runs)


def test_an_interruption_ends_all(monkeypatch):
    members = [member("rennala-pg", {"step": step, "batch": 3}) for step in (0.1, 0.2)]

    def interrupt(self, step, environment_steps):
        raise KeyboardInterrupt

    monkeypatch.setattr("simulator.training.record.Run.close", interrupt)
    runs = []
    with pytest.raises(KeyboardInterrupt):
        laboratory_of(members[0].scenario).train(members, lambda at, run: runs.append(run))
    assert [run.end for run in runs] == ["interrupted"] * 2


# Which runs share a schedule

BASE = ("rennala-nigt", {**STEPS, "batch": 3})
RANDOM = 'cluster.compute={law = "exponential", mean = 1.0}'


@pytest.mark.parametrize(
    "settings",
    [
        ["methods.rennala-nigt.step=0.2"],
        ["methods.rennala-nigt.momentum=1.0"],
        ["seeds=[2]"],
        ["title=another"],
    ],
)
def test_settings_that_no_schedule_depends_on(settings):
    assert key(member(*BASE)) == key(member(*BASE, *settings))


@pytest.mark.parametrize(
    "settings",
    [
        ["methods.rennala-nigt.batch=4"],
        ["cluster.workers=3", "cluster.compute=1.0"],
        ["cluster.compute=1.0"],
        ['cluster.in_flight="finish"'],
        ["network.upload=0.1"],
        ["stop.steps=9"],
        ["stop.target=1.0"],
        ["evaluation.every_steps=2"],
        ["objective.scale=0.2"],
    ],
)
def test_settings_that_a_schedule_or_the_numbers_depend_on(settings):
    assert key(member(*BASE)) != key(member(*BASE, *settings))


@pytest.mark.parametrize(
    "random",
    [
        RANDOM,
        'cluster.compute={law = "permuted", of = [1.0, 2.0, 3.0, 4.0]}',
        "cluster.failures={mean_time_between_failures = 9.0, mean_time_to_repair = 1.0}",
        'network.upload={law = "log-normal", mean = 1.0, sigma = 1.0}',
        'cluster.speed={law = "random-walk", every = 5.0, sigma = 0.3, low = 0.2, high = 2.0}',
    ],
)
def test_seeds_matter_if_times_are_random_without_a_seed_of_their_own(random):
    one, other = (key(member(*BASE, random, seed=seed)) for seed in (1, 2))
    assert one != other
    fixed = [member(*BASE, random, "cluster.seed=5", seed=seed) for seed in (1, 2)]
    assert key(fixed[0]) == key(fixed[1])
    assert schedule(fixed[0]) == schedule(fixed[1])


def schedule(member):
    scenario = member.scenario
    simulation = simulation_of(scenario, member.label, member.seed, vector=vector_of(scenario))
    return [(step.time, step.tickets, step.weights) for step in simulation.steps(stop_of(scenario))]


@pytest.mark.parametrize(
    "cluster",
    [
        {"compute": UNEQUAL},
        {"compute": {"law": "power", "exponent": 0.5}},
        {"compute": {"law": "two-speed", "fast": 1.0, "slow": 3.0}},
        {"compute": 1.0, "speed": {"law": "drift", "end": 0.5, "seconds": 9.0}},
        {"compute": {"law": "exponential", "mean": 1.0}},
        {"compute": {"law": "exponential", "mean": 1.0}, "seed": 4},
    ],
)
def test_equal_keys_mean_equal_schedules(cluster):
    members = [
        member("afedpg", {**STEPS, "step": step}, seed=seed, cluster={"workers": 4, **cluster})
        for step, seed in product((0.1, 0.2), (1, 2))
    ]
    keys, found = list(map(key, members)), list(map(schedule, members))
    for one, other in product(range(4), repeat=2):
        if keys[one] == keys[other]:
            assert found[one] == found[other]
    assert len(set(keys)) < len(members)


def test_time_per_environment_step_is_not_shared():
    members = [
        member("rennala-nigt", {**STEPS, "batch": 3, "step": step}, objective=CARTPOLE,
               cluster={"workers": 4, "compute": 1.0, "per": "environment-step"})
        for step in (0.1, 0.2)
    ]  # fmt: skip
    assert key(members[0]) != key(members[1])
    for each in members:
        agree([each, each])
