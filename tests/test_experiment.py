"""Does a run train what its schedule says, and does nothing else change it?

Equivalence and invariance first, bit for bit: methods that must coincide, clocks that may be
scaled, workers that may be renamed, looks that change nothing.  Then how runs end and what they
keep; last, that the gap closes and a policy learns.
"""

import copy
from functools import cache
from math import inf

import jax
import numpy as np
import pytest
from compiled import compiled_once, run_scenario

from algorithms.methods import (
    METHODS,
    async_batch,
    async_local,
    buffered,
    delay_adaptive,
    greedy,
    local_until,
    mindflayer,
    queued,
    rennala,
    rescaled,
    ringleader,
    ringmaster,
)
from simulator.scenario.loading import check
from simulator.scenario.paths import override
from simulator.training.executor import BatchedExecutor, DebugExecutor, RunContext
from simulator.training.schedules import rule_of, simulation_of, stop_of, vector_of

__all__ = ["compiled_once"]  # the fixture

STEPS = {"step": 0.05, "momentum": 0.3}
NIGT = {
    "rennala-nigt": {"batch": 4, **STEPS},
    "malenia-nigt": {"batch": 4, **STEPS},
    "synchronous-nigt": STEPS,
}
AFEDPG = {"afedpg": {"step": 0.02, "momentum": 0.2}}
LIMITED = {"attempts": [2, 1, 1, 2], "limit": [1.0, 2.0, 3.0, 5.0], "probability": 0.8}
OWN_STEPS = {"step": 0.5, "local_step": 0.5, "local_steps": 3}
ALL = {
    **NIGT,
    **AFEDPG,
    "rennala-pg": {"batch": 4, "step": 0.5},
    "malenia-pg": {"batch": 4, "step": 0.5},
    "synchronous-pg": {"step": 0.5},
    "asynchronous-pg": {"step": 0.2},
    "synchronous-fedpg": STEPS,
    "vanilla-asynchronous-pg": {"step": 0.02, "momentum": 0.2},
    "delay-adaptive-pg": {"step": 0.2},
    "ringmaster-pg": {"threshold": 3, "step": 0.2},
    "ringmaster-nigt": {"threshold": 3, "stops": True, "step": 0.02, "momentum": 0.2},
    "ringleader-pg": {"step": 0.3},
    "ringleader-nigt": STEPS,
    "mindflayer-pg": {**LIMITED, "step": 0.5},
    "mindflayer-nigt": {**LIMITED, **STEPS},
    "fedbuff": {"buffer": 2, **OWN_STEPS},
    "fedsvrpg-m": {"momentum": 0.5, **OWN_STEPS},
    "fedhapg-m": {"momentum": 0.5, **OWN_STEPS},
    "local-sgd": {"batch": 6, "step": 1, "local_step": 0.3},
    "local-sgd-nigt": {"batch": 6, "local_step": 0.3, **STEPS},
    "async-local-pg": OWN_STEPS,
    "async-local-nigt": {**OWN_STEPS, "step": 0.05, "momentum": 0.3},
    "async-batch-pg": {"worker_batch": 2, "step": 0.2},
    "async-batch-nigt": {"worker_batch": 2, "step": 0.05, "momentum": 0.3},
    "queued-pg": {"batch": 4, "group": 2, "step": 0.2},
    "queued-nigt": {"batch": 3, "step": 0.05, "momentum": 0.3},
    "rescaled-pg": {"step": 0.2},
    "rescaled-nigt": {"step": 0.05, "momentum": 0.3},
}
# A barrier, senders of each gradient, a table of gradients, and local steps.
SOME = {
    label: ALL[label]
    for label in ("malenia-pg", "afedpg", "ringmaster-nigt", "ringleader-pg", "fedsvrpg-m")
}
SENDS_EACH = {
    *(async_batch, async_local, buffered, delay_adaptive),
    *(greedy, queued, rescaled, ringleader, ringmaster),
}
# The gap at the initial point (sqrt d, 0, ...) of the quadratic in d = 10 variables.
START = 10 / 4 + 10**0.5 / 4 + 10 / 88
UNEQUAL = [1.0, 1.7, 2.9, 5.3]
CARTPOLE = {
    "kind": "policy-gradient",
    "environment": "CartPole-v1",
    "horizon": 16,
    "policy": {"hidden": [4]},
}


def scenario(methods, *settings, compute=1.0, objective=None, **tables):
    """A tiny comparison on four workers; ``settings`` are as after ``--set``."""
    plain = {
        "seeds": [3],
        "cluster": {"workers": 4, "compute": compute},
        "objective": objective or {"kind": "quadratic", "dimension": 10, "scale": 0.1},
        "evaluation": {"every_steps": 1, "episodes": 2},
        "stop": {"steps": 12},
        "methods": methods,
        **tables,
    }
    plain = copy.deepcopy(plain)
    for setting in settings:
        override(plain, setting)
    return check(plain)


def play(checked, executor=BatchedExecutor):
    """Every run by its method's label, and its points by the number of steps looked at."""
    points = {label: {} for label in checked.methods}

    def watch(run):
        points[run.method][run.steps] = np.array(run.point)

    runs = {run.method: run for run in run_scenario(checked, watch=watch, executor=executor)}
    return runs, points


@cache
def baseline():
    """Every method for twenty steps on unequal workers, looked at after each."""
    return play(scenario(ALL, compute=UNEQUAL, stop={"steps": 20}))


def path(points):
    return np.array([points[number] for number in sorted(points)])


def same_path(one, other):
    assert one.keys() == other.keys()
    np.testing.assert_array_equal(path(one), path(other))


def moves(points):
    """Every step moves the point, so that equal paths mean something."""
    return (np.linalg.norm(np.diff(path(points), axis=0), axis=1) > 0).all()


# Methods that must coincide


@pytest.mark.parametrize("objective", [None, CARTPOLE], ids=["quadratic", "cartpole"])
def test_on_equal_workers_the_barrier_methods_are_one(objective):
    runs, points = play(scenario(NIGT, objective=objective))
    first, *others = (points[label] for label in NIGT)
    assert len(first) == 13
    assert moves(first)
    for other in others:
        same_path(first, other)
    assert {run.time for run in runs.values()} == {12.0}
    assert runs["rennala-nigt"].point.dtype == ("float32" if objective else "float64")
    for run in runs.values():
        steps = np.diff(run.columns()["environment_steps"])
        # Four episodes a step; from any start a pole needs some steps to fall.
        least, most = (4 * 8, 4 * 16) if objective else (0, 0)
        assert ((steps >= least) & (steps <= most)).all()


def test_alone_afedpg_is_rennala_with_batches_of_one():
    methods = {"afedpg": STEPS, "rennala-nigt": {"batch": 1, **STEPS}}
    cluster = {"workers": 1, "compute": 2.0}
    _, points = play(scenario(methods, cluster=cluster, stop={"steps": 30}))
    assert moves(points["afedpg"])
    same_path(points["afedpg"], points["rennala-nigt"])


STILL = {"kind": "quadratic", "dimension": 10, "scale": 0.0}
NEVER_LATE = {"attempts": 1, "limit": 1e9, "probability": 1.0}
ONE_STEP = {"local_steps": 1, "local_step": 0.25}
QUIET = {"objective": STILL, "stop": {"steps": 12}}


def test_alone_and_without_noise_every_method_of_plain_ascent_is_gradient_ascent():
    """Local steps have random keys of their own, so with noise theirs would be another path."""
    methods = {
        "synchronous-pg": {},
        "rennala-pg": {"batch": 1},
        "malenia-pg": {"batch": 1},
        "asynchronous-pg": {},
        "delay-adaptive-pg": {},
        "ringmaster-pg": {"threshold": 1, "stops": True},
        "ringleader-pg": {},
        "mindflayer-pg": NEVER_LATE,
        "fedbuff": {"buffer": 1, **ONE_STEP, "step": 1.0},
        "fedsvrpg-m": {"momentum": 0.3, **ONE_STEP},
        "fedhapg-m": {"momentum": 0.3, **ONE_STEP},
    }
    methods = {label: {"step": 0.25, **said} for label, said in methods.items()}
    _, points = play(scenario(methods, cluster={"workers": 1, "compute": 2.0}, objective=STILL))
    assert moves(points["synchronous-pg"])
    for label in methods:
        np.testing.assert_allclose(
            path(points[label]), path(points["synchronous-pg"]), rtol=0, atol=1e-13
        )


@pytest.mark.parametrize(
    ("one", "other", "more"),
    [
        # Nothing is ever too old, too late, or older than there are workers.
        ({"ringmaster-pg": {"threshold": 999}}, {"asynchronous-pg": {}}, {}),
        ({"ringmaster-pg": {"threshold": 999, "stops": True}}, {"asynchronous-pg": {}}, {}),
        ({"ringmaster-nigt": {"threshold": 999}}, {"afedpg": {}}, {}),
        ({"mindflayer-pg": NEVER_LATE}, {"synchronous-pg": {}}, {}),
        ({"mindflayer-nigt": NEVER_LATE}, {"synchronous-nigt": {}}, {}),
        ({"delay-adaptive-pg": {}}, {"asynchronous-pg": {}}, {"compute": 1.0}),
        # Without momentum there is no lag, and nothing to look ahead for.
        (
            {"synchronous-fedpg": {"momentum": 1.0}},
            {"synchronous-nigt": {"momentum": 1.0}},
            {"compute": 1.0},
        ),
        ({"vanilla-asynchronous-pg": {"momentum": 1.0}}, {"afedpg": {"momentum": 1.0}}, {}),
        # A constant curvature is the change of a gradient, whatever the noise.
        ({"fedhapg-m": OWN_STEPS}, {"fedsvrpg-m": OWN_STEPS}, {}),
        # The kept direction, moved by the change of the gradient, is the gradient again.
        ({"fedsvrpg-m": {**ONE_STEP, "step": 0.5}}, {"synchronous-pg": {"step": 0.5}}, QUIET),
    ],
)
def test_two_methods_are_one(one, other, more):
    methods = {**one, **other}
    for label, said in methods.items():
        methods[label] = {"step": 0.1, **said}
        if "momentum" in METHODS[label].parameters():
            methods[label].setdefault("momentum", 0.3)
    runs, points = play(scenario(methods, **{"compute": UNEQUAL, "stop": {"steps": 20}, **more}))
    (mine, theirs), (my_run, their_run) = points.values(), runs.values()
    assert moves(mine)
    np.testing.assert_allclose(path(mine), path(theirs), rtol=0, atol=1e-13)
    np.testing.assert_array_equal(my_run.columns()["time"], their_run.columns()["time"])


def test_a_client_of_fedbuff_weighs_less_by_its_age_only():
    """With a buffer of one and one local step it is asynchronous, but for 1/sqrt(1 + delay).

    On two equal workers every gradient but the very first is one step old.
    """
    methods = {
        "fedbuff": {"buffer": 1, **ONE_STEP, "step": 1.0},
        "asynchronous-pg": {"step": 0.25},
    }
    _, points = play(
        scenario(
            methods, cluster={"workers": 2, "compute": 1.0}, objective=STILL, stop={"steps": 3}
        )
    )
    buffered, plain = (path(points[label]) for label in methods)
    # The second gradient was computed at the start by both, the third after the same first step.
    moved, expected = np.diff(buffered, axis=0), np.diff(plain, axis=0)
    np.testing.assert_allclose(moved[0], expected[0], rtol=0, atol=1e-13)
    np.testing.assert_allclose(moved[1:] * np.sqrt(2), expected[1:], rtol=0, atol=1e-13)


# What may not change a path


def test_another_unit_of_time_scales_only_the_clock():
    slow = [8 * seconds for seconds in UNEQUAL]
    ones, points = play(scenario(SOME, compute=UNEQUAL, stop={"seconds": 20.0}))
    eights, scaled = play(scenario(SOME, compute=slow, stop={"seconds": 160.0}))
    for label in SOME:
        same_path(points[label], scaled[label])
        one, eight = ones[label].columns(), eights[label].columns()
        np.testing.assert_array_equal(8 * one["time"], eight["time"])
        assert one["time"][-1] > 0


def test_renaming_workers_changes_nothing_without_noise():
    renamed = [UNEQUAL[i] for i in (2, 0, 3, 1)]
    some = {label: ALL[label] for label in ("malenia-pg", "afedpg", "ringleader-pg")}
    runs, points = play(scenario(some, compute=UNEQUAL, objective=STILL))
    others, permuted = play(scenario(some, compute=renamed, objective=STILL))
    for label in some:
        assert runs[label].time == others[label].time
        # Malenia's weights follow their workers, so its sum is taken in another order.
        np.testing.assert_allclose(path(points[label]), path(permuted[label]), rtol=0, atol=1e-13)
    # With noise each worker has its own gradients: the names do matter then.
    _, noisy = play(scenario(AFEDPG, compute=UNEQUAL))
    _, other = play(scenario(AFEDPG, compute=renamed))
    assert not np.allclose(path(noisy["afedpg"]), path(other["afedpg"]), atol=1e-3)


@pytest.mark.parametrize(
    "evaluation", [{"every_steps": 7}, {"every_seconds": 25.0}, {}], ids=["7", "25 s", "default"]
)
def test_evaluations_change_no_number(evaluation):
    _, often = baseline()
    checked = scenario(SOME, compute=UNEQUAL, stop={"steps": 20}, evaluation=evaluation)
    runs, seldom = play(checked)
    for label in SOME:
        measured = np.isfinite(runs[label].columns()["gap"])
        assert measured[20]  # the end is always looked at
        # What is exact is looked at after every step, unless the scenario says how often.
        assert (1 < measured.sum() < 21) if evaluation else measured.all()
        for number, point in seldom[label].items():
            np.testing.assert_array_equal(point, often[label][number])


# What the methods of a scenario share


class Spy:
    """A batched executor that remembers what it was asked to compute."""

    def __init__(self, objective):
        self.inner, self.asked, self.known = BatchedExecutor(objective), [], []

    def evaluate(self, runs, group):
        self.asked += [ticket for step in group for ticket in step.fresh]
        self.known.append(len(runs.points))
        return self.inner.evaluate(runs, group)


def spied(checked):
    """Its spies, the first on plain gradients and one more for each method of local steps."""
    spies = []

    def make(objective):
        spies.append(Spy(objective))
        return spies[-1]

    runs, points = play(checked, executor=make)
    return spies, runs, points


def test_methods_start_at_one_point_and_seeds_at_their_own():
    start = {"objective": CARTPOLE, "stop": {"steps": 1}}
    _, points = play(scenario({**NIGT, **AFEDPG}, **start))
    first, *others = (seen[0] for seen in points.values())
    for other in others:
        np.testing.assert_array_equal(first, other)
    _, points = play(scenario(AFEDPG, "seeds=[4]", **start))
    assert not np.array_equal(points["afedpg"][0], first)


def test_a_tickets_gradient_is_the_same_under_every_method():
    """The first gradient of worker 0 is the first step of each of these, and only that."""
    methods = {
        "asynchronous-pg": {"step": 1.0},
        "rennala-pg": {"batch": 1, "step": 1.0},
        "another": {"method": "rennala-pg", "batch": 1, "step": 0.5},
    }
    _, points = play(scenario(methods, compute=UNEQUAL, stop={"steps": 1}))
    moved = {label: points[label][1] - points[label][0] for label in methods}
    np.testing.assert_array_equal(moved["asynchronous-pg"], moved["rennala-pg"])
    np.testing.assert_allclose(2 * moved["another"], moved["rennala-pg"], rtol=0, atol=1e-14)
    assert np.abs(moved["another"]).min() > 0


def test_seeds_differ_and_a_seed_does_not_depend_on_its_neighbours():
    checked = scenario(AFEDPG, "seeds=[3, 4]", compute=UNEQUAL)
    both = [np.array(run.point) for run in run_scenario(checked)]
    (alone,) = run_scenario(scenario(AFEDPG, "seeds=[4]", compute=UNEQUAL))
    np.testing.assert_array_equal(both[1], alone.point)
    assert not np.array_equal(*both)


# The whole loop against a plain one

NETWORK = {"upload": [0.5, 0.1, 2.0, 0.3], "download": [0.1, 0.7, 0.2, 0.4]}


def plainly(checked, label):
    """The same run with every point kept and every ticket computed by itself."""
    objective, rule, root = checked.build_objective(), rule_of(checked, label), jax.random.key(3)
    executor, state = DebugExecutor(objective), rule.init(objective.initial_point(root))
    runs = RunContext(root[None], {0: rule.query(state)[None]}, np.array([True]), {})
    simulation = simulation_of(checked, label, 3, vector=vector_of(checked))
    for step in simulation.steps(stop_of(checked)):
        ((gradient, _),) = executor.evaluate(runs, [step])
        state = rule.update(state, gradient[0], step.dispatched)
        runs.points[step.number] = rule.query(state)[None]
    return np.array(rule.iterate(state))


@pytest.mark.parametrize(("network", "in_flight"), [({}, "recall"), (NETWORK, "finish")])
@pytest.mark.parametrize("label", ["afedpg", "rennala-nigt", "ringleader-nigt", "mindflayer-pg"])
def test_a_run_agrees_with_a_plain_loop(label, network, in_flight):
    cluster = {"workers": 4, "compute": UNEQUAL, "in_flight": in_flight}
    checked = scenario({label: ALL[label]}, cluster=cluster, network=network, stop={"steps": 24})
    runs, _ = play(checked)
    np.testing.assert_allclose(runs[label].point, plainly(checked, label), rtol=0, atol=1e-12)


def test_old_points_are_forgotten():
    """A dispatched point is kept until its gradient was used, however long that takes."""
    compute = [1.0, 1.7, 29.0, 153.0]
    (spy,), runs, points = spied(scenario(AFEDPG, compute=compute, stop={"steps": 300}))
    assert runs["afedpg"].columns()["max_delay"].max() > 100
    # n + 1 can be live; they are cleared when there are twice as many.
    assert max(spy.known) <= 2 * (4 + 1)
    assert len(points["afedpg"]) == 301


# How a run ends


def test_a_run_has_a_row_per_step_and_one_for_the_start():
    runs, _ = baseline()
    for label, run in runs.items():
        columns = run.columns()
        assert {len(column) for column in columns.values()} == {21}
        assert columns["step"].tolist() == list(range(21))
        assert columns["method"].tolist() == [label] * 21
        for name in ("time", "tickets", "gradients", "max_delay", "environment_steps"):
            assert columns[name][0] == 0
        assert (np.diff(columns["time"]) > 0).all()
        # Ringleader names the gradients of its table in several steps, and uses them once.
        again = METHODS[label].aggregation is ringleader
        assert (columns["gradients"][-1] < columns["tickets"].sum()) == again
        if not again:
            np.testing.assert_array_equal(columns["gradients"], np.cumsum(columns["tickets"]))
        assert run.end == "stop"
        assert np.isfinite(columns["gap"]).all()
        assert (columns["max_delay"].max() > 0) == (METHODS[label].aggregation in SENDS_EACH)


def test_a_run_ends_at_its_last_second_inclusive():
    runs, _ = play(scenario(NIGT, stop={"seconds": 5.0}))
    for run in runs.values():
        assert run.columns()["time"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    runs, _ = play(scenario(SOME, compute=UNEQUAL, stop={"seconds": 17.0}))
    for run in runs.values():
        assert 0 < run.time <= 17.0
        assert run.accounts.time == 17.0


@pytest.mark.parametrize(
    ("stop", "steps"),
    [
        ({"steps": 4, "gradients": 10}, 3),  # batches of four: the first count of ten or more
        ({"steps": 2, "gradients": 10}, 2),
        ({"seconds": 1.0, "gradients": 10, "steps": 9}, 1),
    ],
)
def test_whichever_end_comes_first(stop, steps):
    runs, _ = play(scenario({"rennala-nigt": NIGT["rennala-nigt"]}, stop=stop))
    run = runs["rennala-nigt"]
    assert (run.steps, run.gradients) == (steps, 4 * steps)


def balanced(run):
    """Every gradient that was begun has one fate, and as many were used as the rows say."""
    accounts = run.accounts
    thrown_away = accounts.recalled + accounts.dropped + accounts.lost
    fates = accounts.used + thrown_away + accounts.unfinished
    np.testing.assert_array_equal(fates, accounts.started)
    assert accounts.used.sum() == run.gradients == run.columns()["gradients"][-1]
    total = accounts.busy + accounts.communicating + accounts.down + accounts.idle
    np.testing.assert_allclose(total, accounts.time, rtol=1e-12)
    return True


def test_full_runs_compute_only_used_gradients():
    spies, runs, _ = spied(scenario(SOME, compute=UNEQUAL, stop={"seconds": 33.0}))
    for run in runs.values():
        assert run.evaluated == run.gradients > 0
        assert balanced(run)
    asked = [ticket for spy in spies for ticket in spy.asked]
    assert len(asked) == sum(run.evaluated for run in runs.values())


@pytest.mark.parametrize("label", SOME)
def test_a_run_ends_at_its_target_although_the_schedule_ran_ahead(label):
    run = baseline()[0][label]
    # The gap after ten steps is reached at the latest there: for afedpg within a group.
    target = run.columns()["gap"][10]
    stop = {"steps": 20, "target": float(target)}
    cut = play(scenario({label: ALL[label]}, compute=UNEQUAL, stop=stop))[0][label]
    reached = int(np.argmax(run.columns()["gap"] <= target))
    assert (cut.end, cut.steps) == ("target", reached)
    assert cut.reached == cut.time == cut.accounts.time == run.columns()["time"][reached]
    np.testing.assert_array_equal(cut.columns()["gap"], run.columns()["gap"][: reached + 1])
    assert balanced(cut)
    assert cut.gradients <= cut.evaluated < cut.gradients + 4


def test_only_the_last_group_of_a_run_cut_at_its_target_is_computed_in_vain():
    """Equal workers: groups of four steps, and the target is the first step of the second."""
    full, _ = play(scenario(AFEDPG))
    gaps = full["afedpg"].columns()["gap"]
    assert gaps[5] < gaps[:5].min()
    runs, _ = play(scenario(AFEDPG, stop={"steps": 12, "target": float(gaps[5])}))
    run = runs["afedpg"]
    assert (run.steps, run.gradients, run.evaluated) == (5, 5, 8)
    assert balanced(run)


@pytest.mark.parametrize(
    ("target", "every", "expected"),
    [
        (START - 1e-6, 7, ("target", 7.0, 7)),  # an evaluation meets a target
        (START - 1e-6, 50, ("target", 12.0, 12)),  # the end is always looked at
        (1e9, 1, ("target", 0.0, 0)),
        (-1.0, 1, ("stop", None, 12)),
    ],
)
def test_a_target_is_met_at_an_evaluation(target, every, expected):
    stop, evaluation = {"steps": 12, "target": target}, {"every_steps": every}
    runs, _ = play(scenario(NIGT, stop=stop, evaluation=evaluation))
    assert {(run.end, run.reached, run.steps) for run in runs.values()} == {expected}


def test_a_method_that_waits_for_a_dead_worker_stalls_alone():
    runs, _ = play(scenario(ALL, compute=[1.0, inf, 2.0, 3.0], stop={"steps": 8}))
    alone = {rennala, local_until, mindflayer, *SENDS_EACH} - {ringleader}
    waiting = {label for label in ALL if METHODS[label].aggregation not in alone}
    for label, run in runs.items():
        assert run.end == ("stalled" if label in waiting else "stop")
        assert run.steps == (0 if label in waiting else 8)
        if label in waiting:
            assert "waits for worker 1, which never finishes" in run.message


def test_a_method_that_diverges_fails_alone():
    wild = {"rennala-pg": {"batch": 4, "step": 1e60}, "asynchronous-pg": {"step": 1e60}}
    runs, _ = play(scenario({**wild, "rennala-nigt": NIGT["rennala-nigt"]}, compute=UNEQUAL))
    for label in wild:
        run = runs[label]
        assert run.end == "failed"
        assert balanced(run)
        for word in ("gap = ", f"after server step {run.steps}", "smaller"):
            assert word in run.message
    assert (runs["rennala-nigt"].end, runs["rennala-nigt"].steps) == ("stop", 12)


def test_an_interrupted_run_is_the_last():
    def interrupt(run):
        if run.steps == 5:
            raise KeyboardInterrupt

    (run,) = run_scenario(scenario(NIGT), watch=interrupt)
    assert (run.end, run.steps) == ("interrupted", 5)


# Results that would look wrong


def test_a_network_costs_time_and_changes_no_point():
    network = {"upload": 0.5, "download": 0.25}
    runs, points = play(scenario(NIGT))
    slower, same = play(scenario(NIGT, network=network))
    for label in NIGT:
        same_path(points[label], same[label])
        assert slower[label].time == pytest.approx(12 * 1.75)
        assert runs[label].time == 12.0


def test_every_method_closes_the_gap():
    assert METHODS.keys() == ALL.keys()
    runs, _ = play(scenario(ALL, compute=UNEQUAL, stop={"steps": 60}))
    for label, run in runs.items():
        gap = run.columns()["gap"]
        assert run.end == "stop"
        assert gap[-1] < 0.5 * gap[0], label


def test_a_policy_learns():
    """CartPole from a mean return of about 20 to 150 within 100 server steps of 20 episodes."""
    checked = scenario(
        {"rennala-nigt": {"step": 0.02, "momentum": 0.1, "batch": 20}},
        cluster={"workers": 20, "compute": 1.0},
        objective={**CARTPOLE, "horizon": 200, "policy": {"hidden": [64, 64]}},
        evaluation={"every_steps": 5, "episodes": 32},
        stop={"steps": 100, "target": 150.0},
    )
    (run,) = run_scenario(checked)
    returns = run.columns()["return"]
    assert 10 < returns[0] < 35
    assert run.end == "target"
    assert returns[-1] >= 150


# Steps without a gradient

NEVER_IN_TIME = {"attempts": 2, "limit": 0.5, "probability": 0.9, "step": 0.1}
IN_VAIN = {"mindflayer-pg": NEVER_IN_TIME, "mindflayer-nigt": NEVER_IN_TIME | {"momentum": 0.1}}


@pytest.mark.parametrize("evaluation", [{}, {"every_steps": 100}], ids=["always", "rarely"])
def test_rounds_without_success_leave_the_point(evaluation):
    runs, points = play(scenario(IN_VAIN, evaluation=evaluation, stop={"steps": 300}))
    for label, run in runs.items():
        assert (run.end, run.steps, run.gradients, run.evaluated) == ("stop", 300, 0, 0)
        np.testing.assert_array_equal(points[label][300], points[label][0])


def test_a_run_that_waits_for_gradients_and_gets_none_ends():
    runs, _ = play(scenario(IN_VAIN, stop={"gradients": 10}))
    for label, run in runs.items():
        assert run.end == "stalled"
        assert run.message.startswith(f"{label} has closed 1,000 steps without a gradient")
