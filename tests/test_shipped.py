"""Does every shipped scenario work, and does one see what its comment says?"""

import math
import re
from functools import cache
from statistics import median

import jax
import numpy as np
import pytest
from compiled import compiled_once, run_scenario, run_schedules

from simulator import complexity
from simulator.analysis import exponents
from simulator.estimate.remarks import remarks
from simulator.scenario.files import shipped
from simulator.scenario.loading import load

__all__ = ["compiled_once"]  # the fixture

COMPARED = [name for name in shipped() if "/" not in name]
"""The panels of the paper have tests of their own (``test_paper.py``)."""
FOUR = ["rennala-nigt", "malenia-nigt", "afedpg", "synchronous-nigt"]
SMALLER = {
    "hundred-thousand": [
        "cluster.workers=50",
        "methods.malenia-nigt.batch=50",
        "methods.rennala-nigt.batch=50",
    ],
    "straggler": [
        "methods.rennala-nigt.batch=10",
        "methods.malenia-nigt.batch=10",
        "objective.horizon=20",
    ],
}
"""What makes a few steps of a scenario short, besides fewer of them."""


@cache
def schedule(name, method, *settings):
    """The times of a method's run on the first seed."""
    scenario = load(name, settings)
    (run,) = run_schedules(scenario.restrict([method], scenario.seeds[:1]))
    return run


def rounds(name, method, *settings):
    """How long each server step took."""
    return np.diff(schedule(name, method, *settings).times, prepend=0.0)


@cache
def seconds_to_target(name):
    """Of the methods that are compared, by median over the seeds, as in the table."""
    compared = dict.fromkeys(method for case in AHEAD if case[0] == name for method in case[1:3])
    reached = {}
    for run in run_scenario(load(name).restrict(compared, None)):
        reached.setdefault(run.method, []).append(math.inf if run.reached is None else run.reached)
    return {method: median(seconds) for method, seconds in reached.items()}


# Of every one


@pytest.mark.parametrize("name", shipped())
def test_it_is_valid_and_every_setting_has_an_effect(name):
    scenario = load(name)
    assert remarks(scenario) == []
    assert scenario.title


@pytest.mark.parametrize("name", sorted(shipped().keys() - {"straggler"}))
def test_three_lines_of_comment_describe_the_result(name):
    lines = shipped()[name].read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"#:schema {'../' * name.count('/')}schema.json"
    assert all(line.startswith("# ") for line in lines[1:4])
    assert lines[4].startswith("title = ")
    assert any(re.search(r"\d", line) for line in lines[1:4])


@pytest.mark.parametrize(
    "name",
    sorted(
        {*COMPARED}
        - {"straggler", "short-episodes", "time-complexity", "regimes/costly"}
        - {"language-model", "long-episodes"}
    ),
)
def test_the_four_methods_are_compared(name):
    assert list(load(name).methods) == FOUR


@pytest.mark.parametrize(
    "name",
    [
        "straggler",
        "flaky",
        "hundred-thousand",
        pytest.param("short-episodes", marks=pytest.mark.nightly),
    ],
)
def test_every_method_makes_a_few_steps(name):
    """The other scenarios are run to their target below."""
    settings = ["stop={steps=3}", "evaluation={every_steps=3, episodes=2}"]
    scenario = load(name, [*settings, *SMALLER.get(name, [])])
    scenario = scenario.restrict(None, scenario.seeds[:1])
    runs = list(run_scenario(scenario))
    assert [run.method for run in runs] == list(scenario.methods)
    for run in runs:
        assert (run.end, run.steps) == ("stop", 3), run.message
        first, last = ({name: run.evaluations[name][at] for name in run.metrics} for at in (0, 3))
        assert first != last
        assert all(map(math.isfinite, last.values()))


# The first to arrive

AHEAD = [
    ("sqrt-workers", "rennala-nigt", "synchronous-nigt", 1.3),
    ("sqrt-workers", "rennala-nigt", "malenia-nigt", 1.0),
    ("sqrt-workers", "malenia-nigt", "synchronous-nigt", 1.0),
    ("sqrt-workers", "afedpg", "rennala-nigt", 1.0),
    ("one-straggler", "rennala-nigt", "synchronous-nigt", 20),
    ("one-straggler", "afedpg", "synchronous-nigt", 20),
    ("one-straggler", "malenia-nigt", "synchronous-nigt", 2),
    ("two-speed", "rennala-nigt", "synchronous-nigt", 4),
    ("two-speed", "rennala-nigt", "malenia-nigt", 4),
    ("heavy-tail", "rennala-nigt", "synchronous-nigt", 8),
    ("day-and-night", "rennala-nigt", "synchronous-nigt", 2),
    ("slow-network", "rennala-nigt", "afedpg", 2),
    ("language-model", "asynchronous", "synchronous", 4),
    ("language-model", "one-step-off", "synchronous", 2),
    ("slow-network", "rennala-nigt", "synchronous-nigt", 2),
]


@pytest.mark.parametrize(("name", "first", "later", "times"), AHEAD)
def test_one_method_reaches_the_target_sooner_by_the_stated_factor(name, first, later, times):
    seconds = seconds_to_target(name)
    assert times * seconds[first] < seconds[later] < math.inf


# Times that are known

KNOWN = [
    ("sqrt-workers", "rennala-nigt", 5.0, 20),
    ("sqrt-workers", "synchronous-nigt", math.sqrt(10), 10),
    ("one-straggler", "rennala-nigt", 2.0, 18),
    ("one-straggler", "synchronous-nigt", 100.0, 10),
    # Malenia's number of gradients depends on ties: the workers that deliver at the end of a step.
    ("sqrt-workers", "malenia-nigt", 6.0, None),
    ("one-straggler", "malenia-nigt", 100.0, None),
    ("two-speed", "rennala-nigt", 2.0, 20),
    ("two-speed", "malenia-nigt", 10.0, 110),
    ("two-speed", "synchronous-nigt", 10.0, 20),
    ("day-and-night", "rennala-nigt", 1800.0, 24),
    ("day-and-night", "synchronous-nigt", 6000.0, 24),
    # Ten rounds of computing, the latency, and all vectors one after the other.
    ("slow-network", "rennala-nigt", 10 * 1 + 0.1 + 10 * 1, 100),
    ("slow-network", "malenia-nigt", 10 * 1 + 0.1 + 10 * 1, 100),
    ("slow-network", "synchronous-nigt", 1 + 0.1 + 10 * 1, 10),
]


@pytest.mark.parametrize(("name", "method", "seconds", "gradients"), KNOWN)
def test_every_step_has_the_stated_seconds_and_gradients(name, method, seconds, gradients):
    took = rounds(name, method, "stop={steps=100}")
    assert took == pytest.approx([seconds] * 100)
    if gradients is not None:
        assert set(schedule(name, method, "stop={steps=100}").tickets) == {gradients}


def test_in_one_straggler_afedpg_uses_nine_gradients_a_second_and_the_stragglers():
    run = schedule("one-straggler", "afedpg", "stop={seconds=1000}")
    assert run.gradients == 9 * 1000 + 10


def test_in_two_speed_rennala_wastes_the_gradients_of_the_slow_half():
    accounts = schedule("two-speed", "rennala-nigt", "stop={steps=100}").accounts
    assert accounts.wasted.sum() / accounts.busy.sum() == pytest.approx(0.5)
    assert not accounts.used[10:].any()
    assert accounts.recalled[10:].tolist() == [100] * 10


def test_in_slow_network_the_uplink_passes_one_gradient_a_second_for_afedpg():
    run = schedule("slow-network", "afedpg", "stop={steps=100}")
    # The first is computed in 1 s and passes the latency and the uplink; then one a second.
    assert list(run.times) == pytest.approx([1 + 0.1 + 1 + k for k in range(100)])
    # Ten are under way: nine others are used while one waits in the queue.
    assert max(run.delays) == 9


# Times that are drawn at random


def test_in_heavy_tail_synchronous_waits_for_the_longest_rollout():
    steps = 400
    took = rounds("heavy-tail", "synchronous-nigt", f"stop={{steps={steps}}}")
    scenario = load("heavy-tail")
    drawn = scenario.build_cluster().computations(0)
    longest = [drawn.all(np.full(64, k)).max() for k in range(steps)]
    assert took == pytest.approx(longest)
    # Pareto: a rollout is longer than t with probability t^-1.5; the longest of 64, in half
    # of the steps, longer than (1 - 2^(-1/64))^(-1/1.5) = 20.5.
    middle = (1 - 0.5 ** (1 / 64)) ** (-1 / 1.5)
    assert middle > 20
    assert abs(np.sum(took > middle) - steps / 2) < 4 * math.sqrt(steps) / 2
    rollouts = np.concatenate([drawn.all(np.full(64, k)) for k in range(steps)])
    many = len(rollouts)
    assert abs(np.sum(rollouts < 2 ** (1 / 1.5)) - many / 2) < 4 * math.sqrt(many) / 2
    assert 2 ** (1 / 1.5) < 1.6


def test_in_heavy_tail_most_of_the_cluster_is_idle_under_synchronous_and_none_under_rennala():
    settings = "stop={steps=400}"
    synchronous = schedule("heavy-tail", "synchronous-nigt", settings).accounts
    rennala = schedule("heavy-tail", "rennala-nigt", settings)
    assert synchronous.share(synchronous.idle) > 0.9
    assert rennala.accounts.share(rennala.accounts.idle) < 1e-9
    assert rennala.time / rennala.steps < 3


def test_in_flaky_each_worker_is_away_for_an_eleventh_of_the_time():
    seconds, workers = 20_000, 20
    failing, repairing = 1 / 600, 1 / 60
    # The variance of the time away in an alternating process, over the time squared.
    variance = 2 * failing * repairing / (failing + repairing) ** 3 / seconds
    tolerance = 4 * math.sqrt(variance / workers)
    assert tolerance < 1 / 22  # or this would hold for almost any share
    runs = [schedule("flaky", method, f"stop={{seconds={seconds}}}") for method in FOUR]
    downs = [run.accounts.share(run.accounts.down) for run in runs]
    assert downs == pytest.approx([1 / 11] * 4, abs=tolerance)
    assert downs == pytest.approx([downs[0]] * 4)  # the failures are the same for all methods


def test_in_flaky_the_longer_a_method_holds_gradients_the_more_it_loses():
    settings = "stop={seconds=20000}"
    runs = {method: schedule("flaky", method, settings) for method in FOUR}
    seconds = {method: run.time / run.steps for method, run in runs.items()}
    assert seconds["synchronous-nigt"] > 3 * seconds["rennala-nigt"]
    lost = {method: run.accounts.lost.sum() for method, run in runs.items()}
    assert lost["malenia-nigt"] > lost["afedpg"] > 0
    # AFedPG loses what is being computed: half of 10 s every 660 s.
    wasted = runs["afedpg"].accounts.wasted.sum() / runs["afedpg"].accounts.busy.sum()
    assert 0 < wasted < 0.02
    # As failures during a computation are about as many as failures, it loses one each time.
    failures = 20_000 * 20 / 660
    assert abs(lost["afedpg"] - failures) < 5 * math.sqrt(failures)


def test_in_flaky_a_permanent_outage_stalls_methods_that_need_all_workers():
    settings = ["stop={seconds=5000}", "cluster.outages=[{worker=7, begin=1000}]"]
    runs = {method: schedule("flaky", method, *settings) for method in FOUR}
    for method in ("synchronous-nigt", "malenia-nigt"):
        assert runs[method].end == "stalled"
        assert runs[method].message.startswith(
            f"{method} waits for worker 7, which left permanently"
        )
    for method in ("rennala-nigt", "afedpg"):
        assert runs[method].end == "stop"
        assert runs[method].time > 4900


@cache
def drawn_together(workers):
    """The runs of so many workers, and when each worker has done its first 16 gradients."""
    name, part = "hundred-thousand", 100_000 // workers
    settings = (
        f"cluster.workers={workers}",
        f"stop.gradients={200_000 // part}",
        f"methods.rennala-nigt.batch={50_000 // part}",
        f"methods.malenia-nigt.batch={workers}",
    )
    drawn = load(name, settings).build_cluster().computations(0)
    done = np.cumsum([drawn.all(np.full(workers, k)) for k in range(16)], axis=0)
    return {method: schedule(name, method, *settings) for method in FOUR}, done


SIZES = [1_000, pytest.param(100_000, marks=pytest.mark.nightly)]


@pytest.mark.parametrize("workers", SIZES)
def test_in_a_hundred_thousand_each_step_closes_when_the_drawn_durations_say(workers):
    runs, done = drawn_together(workers)
    rennala, malenia, afedpg, synchronous = (runs[method] for method in FOUR)
    assert done[-1].min() > 3  # no worker makes more than these in the time considered here
    half, all_ = workers // 2 - 1, 2 * workers - 1
    assert synchronous.times[0] == pytest.approx(done[0].max())
    assert rennala.times[0] == pytest.approx(np.partition(done.ravel(), half)[half])
    assert malenia.times[0] == pytest.approx(done[0].max())  # by then it has enough
    assert malenia.tickets[0] == np.sum(done <= done[0].max())
    assert afedpg.times[-1] == pytest.approx(np.partition(done.ravel(), all_)[all_])

    assert (synchronous.steps, rennala.steps, afedpg.steps) == (2, 4, 2 * workers)
    assert {run.gradients for run in (synchronous, rennala, afedpg)} == {2 * workers}
    assert malenia.gradients > 2 * workers


@pytest.mark.nightly
def test_in_a_hundred_thousand_steps_take_as_long_as_the_comment_says():
    runs, _ = drawn_together(100_000)
    rennala, malenia, afedpg, synchronous = (runs[method] for method in FOUR)
    assert np.diff(rennala.times, prepend=0) == pytest.approx([0.97] * 4, abs=0.005)
    assert synchronous.time / 2 == pytest.approx(2.8, abs=0.05)
    assert malenia.steps == 1
    assert malenia.time == pytest.approx(2.6, abs=0.05)
    assert afedpg.time == pytest.approx(2.5, abs=0.05)


# Episodes that differ in length


@pytest.mark.nightly  # that it is so, one batch shows (``test_lengths.py``)
def test_in_short_episodes_the_first_to_finish_are_the_short_ones():
    seeds = list(range(100))
    first_step = ["stop={steps=1}", "evaluation={episodes=1}"]
    scenario = load("short-episodes", first_step).restrict(None, seeds)
    objective = scenario.objective.build(workers=2)
    lengths, seconds = {}, {}
    for run in run_scenario(scenario):
        lengths.setdefault(run.method, []).append(int(run.environment_steps[0]) / run.tickets[0])
        seconds.setdefault(run.method, []).append(run.times[0])
    # Other episodes of the same policies: an evaluation's random numbers are its own.
    points = [objective.initial_point(jax.random.key(seed)) for seed in seeds]
    played = zip(points, seeds, strict=True)
    true = [
        np.mean([p.length for p in objective.episodes.play(point, seed, 100)])
        for point, seed in played
    ]

    def bias(method):
        """How much longer the gradients' episodes are, and the standard error of that."""
        excess = np.array(lengths[method], dtype=float) - true
        return excess.mean(), excess.std(ddof=1) / math.sqrt(len(seeds))

    biased, error = bias("first-finished")
    assert biased < -3 - 4 * error
    unbiased, error = bias("earliest-started")
    assert abs(unbiased) < 4 * error
    assert 4 * error < 1.5  # so that a third of the other's bias would be seen
    assert np.mean(lengths["first-finished"]) == pytest.approx(18, abs=1)
    assert np.mean(true) == pytest.approx(22, abs=1)
    longer = np.mean(seconds["earliest-started"]) / np.mean(seconds["first-finished"])
    assert longer == pytest.approx(1.7, abs=0.15)


@pytest.mark.nightly
def test_in_short_episodes_the_unbiased_gradients_lead_further():
    # A sign test: were neither better, six seeds of one sign had a probability of 1/64.
    scenario = load("short-episodes", ["stop.steps=20"]).restrict(None, [0, 1, 2, 3, 4, 5])
    runs = {(run.method, run.seed): run for run in run_scenario(scenario)}
    for seed in scenario.seeds:
        biased, unbiased = runs["first-finished", seed], runs["earliest-started", seed]
        assert unbiased.evaluations["return"][20] > biased.evaluations["return"][20]
        assert unbiased.time > biased.time


# More and more workers


BARRIERS = {
    "synchronous-nigt": 0.5,
    "synchronous-pg": 0.4,
    "rennala-nigt": -0.1,
    "rennala-pg": 0.0,
}


def measured(methods, vary, out, seeds):
    asked = {"seeds": seeds, "out": out, "quiet": True, "jobs": 1}
    frame = complexity("time-complexity", vary, methods=[*methods], **asked).frame
    assert frame["reached"].all()
    return frame


@pytest.mark.parametrize(
    ("workers", "seeds", "tolerance"),
    [
        ("20,80,320", [0], 0.1),
        pytest.param("10:1000:log8", [0, 1, 2], 0.05, marks=pytest.mark.nightly),
    ],
)
def test_in_time_complexity_methods_that_wait_for_all_slow_down_as_workers_join(
    workers, seeds, tolerance, tmp_path
):
    frame = measured(BARRIERS, f"cluster.workers={workers}", tmp_path / "out", seeds)
    slopes = exponents(frame).set_index("method")["measured"]
    for method, slope in BARRIERS.items():
        assert slopes[method] == pytest.approx(slope, abs=tolerance)


@pytest.mark.nightly
def test_in_time_complexity_afedpg_gains_from_workers_up_to_a_point(tmp_path):
    frame = measured(["afedpg"], "cluster.workers=10,500,1000", tmp_path / "out", [0, 1, 2])
    afedpg = frame.groupby("value")["seconds"].median()
    assert 4 * afedpg[500] < afedpg[10]
    assert afedpg[500] < 0.9 * afedpg[1000]
