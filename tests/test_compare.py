"""Which method is ahead, by how much, and how sure is that?  And were all methods tuned alike?"""

import json
import math

import numpy as np
import pandas as pd
import pytest
from compiled import compiled_once
from scipy.stats import binom
from test_cli import one_line, straggle, written
from test_sweep import SCENARIO

from simulator.comparison.comparison import conduct
from simulator.mistakes import Mistake
from simulator.results.columns import Columns
from simulator.statistics.ahead import Arrival, arrivals, interval, levels_of, ratio, standings
from simulator.sweeps.sweep_file import read
from simulator.sweeps.trials import settings_of

__all__ = ["compiled_once"]  # the fixture

SEEDS = range(5)


def steps(curves: dict[str, list[list[float]]]) -> Columns:
    """A row per second: the metric of every method and seed."""
    rows = [
        (method, seed, float(time), 10 * time, value)
        for method, runs in curves.items()
        for seed, values in enumerate(runs)
        for time, value in enumerate(values)
    ]
    names = "method", "seed", "time", "gradients", "return"
    return {
        name: np.array(column, object if name == "method" else None)
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }


def late(seconds: float, seed: int = 0) -> list[float]:
    """A run that is at 10 after so many seconds, and ends after 100."""
    return [0.0] * round(seconds + seed) + [10.0] * round(101 - seconds - seed)


# Statistics


def test_a_method_that_needs_twice_as_long_on_every_seed_is_behind_by_two():
    columns = steps(
        {"slow": [late(40, 2 * s) for s in SEEDS], "fast": [late(20, s) for s in SEEDS]}
    )
    fast, slow = standings(columns, "return", True, [10.0], 0.9)
    assert (fast.method, fast.verdict, fast.times) == ("fast", "leads", 1.0)
    assert (slow.method, slow.verdict) == ("slow", "behind")
    assert slow.times == pytest.approx(2)
    assert (slow.times_low, slow.times_high) == pytest.approx((2, 2))
    assert (slow.seconds, slow.gradients) == (44, 440)


def test_equal_methods_are_not_told_apart():
    columns = steps({name: [late(20, s) for s in SEEDS] for name in ("one", "other")})
    assert [each.verdict for each in standings(columns, "return", True, [10.0], 0.9)] == [
        "leads",
        "not told apart",
    ]


def test_methods_that_win_on_some_seeds_each_are_not_told_apart():
    columns = steps(
        {
            "one": [late(t) for t in (20, 30, 20, 30, 20)],
            "other": [late(t) for t in (30, 20, 30, 20, 25)],
        }
    )
    _, other = standings(columns, "return", True, [10.0], 0.9)
    assert other.times_low < 1 < other.times_high
    assert other.verdict == "not told apart"


def test_the_leader_is_the_method_with_the_least_geometric_mean():
    """So no other method is ahead of it by the ratios."""
    columns = steps(
        {
            "median": [late(t) for t in (80, 80, 20, 20, 20)],
            "mean": [late(t) for t in (10, 10, 21, 21, 21)],
        }
    )
    first, second = standings(columns, "return", True, [10.0], 0.9)
    assert (first.method, second.method) == ("mean", "median")
    assert second.seconds < first.seconds
    assert second.times == pytest.approx((8 * 8 * (20 / 21) ** 3) ** 0.2)


def test_a_method_that_half_of_its_runs_never_bring_there_does_not_lead_one_that_arrives():
    rare = {"rare": [late(1), late(1), [0.0] * 101, [0.0] * 101, [0.0] * 101]}
    found = standings(steps({**rare, "sure": [late(90)] * 5}), "return", True, [10.0], 0.9)
    assert [each.method for each in found] == ["sure", "rare"]


def test_at_a_level_without_arrivals_no_method_leads():
    columns = steps({name: [[0.0] * 101] * 3 for name in ("one", "other")})
    assert [each.verdict for each in standings(columns, "return", True, [10.0], 0.9)] == [
        "never",
        "never",
    ]


def test_a_run_that_never_arrives_makes_a_ratio_no_larger_than_it_was_watched():
    columns = steps({"fast": [late(20) for _ in SEEDS], "never": [[0.0] * 101 for _ in SEEDS]})
    _, never = standings(columns, "return", True, [10.0], 0.9)
    assert (never.verdict, never.reached, never.at_least) == ("never", 0, True)
    assert never.times == pytest.approx(100 / 20)
    failed = {("never", seed) for seed in SEEDS}
    _, lost = standings(columns, "return", True, [10.0], 0.9, failed)
    assert (lost.verdict, lost.times) == ("never", math.inf)


def test_seeds_on_which_neither_arrives_say_nothing():
    there, never = Arrival(10.0, 1.0, reached=True), Arrival(50.0, 1.0, reached=False)
    runs, leader = {0: there, 1: never, 2: there}, {0: there, 1: never, 2: there}
    assert ratio(runs, leader, 0.9) == (1.0, 1.0, 1.0)
    assert all(map(math.isnan, ratio({1: never}, {1: never}, 0.9)))


@pytest.mark.parametrize("count", [5, 12])
def test_intervals_hold_the_truth_as_often_as_they_say(count):
    """The number of hits is binomial; a true 90% lies outside these bounds once in 10,000."""
    trials, rng = 400, np.random.default_rng(3)
    samples = rng.normal(size=(trials, count))
    found = [interval(values, 0.9, seed) for seed, values in enumerate(samples)]
    hits = sum(low <= 0 <= high for low, high in found)
    assert binom.ppf(5e-5, trials, 0.9) <= hits <= binom.ppf(1 - 5e-5, trials, 0.9)


def test_levels_lead_to_the_target_or_to_the_best_method_s_end():
    columns = steps({"good": [late(20)] * 3, "bad": [[0.0] * 101] * 3})
    assert levels_of(columns, "return", True, None) == [2.5, 5, 7.5, 10]
    assert levels_of(columns, "return", True, 8.0) == [2, 4, 6, 8]
    falls = dict(columns, gap=np.where(columns["return"] > 0, 1e-4, 1.0))
    assert levels_of(falls, "gap", False, None) == [0.1, 0.01, 0.001, 1e-4]


def test_an_arrival_is_the_first_evaluation_at_the_level():
    columns = steps({"one": [[0.0, math.nan, 5.0, 3.0, 9.0]]})
    assert arrivals(columns, "return", True, 4.0)["one"][0] == Arrival(2.0, 20, True)
    assert arrivals(columns, "return", True, 6.0)["one"][0] == Arrival(4.0, 40, True)


# The whole


TUNE = {"methods.*.step": [0.05, 0.2]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    written(folder / "small.toml", SCENARIO)
    return folder


def compare(folder, out, **others):
    asked = {"tune": TUNE, "out": out, "quiet": True, "jobs": 1} | others
    return conduct(folder / "small.toml", **asked)


@pytest.fixture(scope="module")
def done(folder, tmp_path_factory):
    return compare(folder, tmp_path_factory.mktemp("done") / "out")


def test_methods_race_at_their_best_settings_on_fresh_seeds(done):
    assert {*done.swept.frame["seed"]} == {0, 1}
    assert done.race.scenario.seeds == [2, 3, 4, 5, 6]
    best = done.swept.frame.groupby(["method", "step"])["score"].mean().unstack()
    raced = {label: table.step for label, table in done.race.scenario.methods.items()}
    assert raced == best.idxmin(axis=1).to_dict()
    frame = pd.read_parquet(done.directory / "comparison.parquet")
    assert len(frame) == len(done.levels) * 3
    assert set(frame["verdict"]) <= {"leads", "behind", "never", "not told apart"}


def test_an_interrupted_comparison_continues(folder, done, tmp_path, monkeypatch):
    from simulator.campaign import run

    resume, ended = run._Directory.add, []

    def interrupted(self, task, outcome):
        resume(self, task, outcome)
        ended.append(task.key)
        if len(ended) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(run._Directory, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare(folder, tmp_path / "out")
    again = compare(folder, tmp_path / "out")
    pd.testing.assert_frame_equal(again.frame, done.frame)
    assert len(ended) == len(set(ended)) == 15


def test_a_comparison_grows_by_settings_and_seeds(folder, tmp_path):
    few = compare(folder, tmp_path / "out", tune={"methods.*.step": [0.05]}, seeds=[2])
    more = compare(folder, tmp_path / "out", seeds=[2, 3])
    kept = {path.stem for path in (tmp_path / "out/tuning/runs").iterdir()}
    assert len(kept) == 2 * len(few.swept.frame) == len(more.swept.frame)
    assert more.race.scenario.seeds == [2, 3]
    assert (tmp_path / "out/race-1/manifest.json").exists()
    with pytest.raises(Mistake, match="it is tuned; give --tune"):
        compare(folder, tmp_path / "out", tune=None, seeds=[2, 3])


def test_the_command_shows_every_method_at_every_level_and_a_sentence_for_each(folder, tmp_path):
    words = "compare", folder / "small.toml", "--levels", "1,0.9", "--out", tmp_path / "out"
    answer = straggle(*words, "--seeds", "0-2")
    assert answer.code == 0
    assert answer.out.count("synchronous-pg") >= 2 + 2
    assert "gap 0.9: " in answer.out
    assert "the settings were not tuned here; --tune tunes all methods alike" in answer.out
    assert (tmp_path / "out" / "figures" / "comparison.png").stat().st_size > 10_000
    message = json.loads(straggle(*words, "--seeds", "0-2", "--json").out)
    assert [row["level"] for row in message["levels"]] == [1] * 3 + [0.9] * 3


def test_many_settings_are_halved_and_few_are_not(folder):
    from simulator.comparison.tune import sweep_of
    from simulator.scenario.loading import load

    scenario = load(folder / "small.toml")
    few, many = (
        sweep_of(scenario, f"methods.*.step={values}") for values in ("0.1,0.2", "0.01:1:log6")
    )
    assert few.table.halving is None
    assert many.table.halving.rounds == 3


def test_the_shipped_sweep_tries_as_many_settings_of_each_method():
    sweep = read("straggler-steps")
    counts: dict[str, int] = {}
    for setting in settings_of(sweep).values():
        counts[setting.method] = counts.get(setting.method, 0) + 1
    assert len(set(counts.values())) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--tune", "methods.afedpg.step=0.1,0.2"],
            "different numbers of settings: rennala-nigt 1",
        ),
        (["--tune", "cluster.workers=2,3"], "--tune cluster.workers: is no setting of a method"),
        (
            ["--tune", "methods.*.step"],
            "--tune methods.*.step: needs values, such as methods.*.step=0.1,0.2",
        ),
        (["--tune", "methods.*.step=a"], "--tune methods.*.step=a: 'a' is not a number"),
        (["--tune", "methods.*.step=1", "--tune", "methods.*.step=2"], "is given twice"),
        (
            ["--tune", "methods.*.step=0.1,0.2", "--seeds", "1-3"],
            "--seeds: the methods are tuned on 1;",
        ),
        (["--methods", "afedpg"], "compare: needs two methods or more"),
        (["--levels", "a"], "--levels a: must be numbers"),
    ],
)
def test_unfair_comparisons_are_refused_before_any_run(folder, tmp_path, words, message):
    said = "compare", folder / "small.toml", "--out", tmp_path / "out", *words
    assert message in one_line(straggle(*said))
    assert not (tmp_path / "out" / "race").exists()


def test_a_directory_holds_one_comparison(folder, done, tmp_path):
    words = "compare", folder / "small.toml", "--out", done.directory
    assert "holds another comparison" in one_line(straggle(*words))
    written(tmp_path / "note.txt", "mine")
    assert "holds something else" in one_line(straggle(*words[:2], "--out", tmp_path))
