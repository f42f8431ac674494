"""Do the numbers say what happened?  Against accounts, closed forms, and coverage by theory."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress
from test_plots import results_of, scenario_of

from simulator.analysis import exponents, interval, speedups, summarise, time_to
from simulator.mistakes import Mistake

NEVER = math.nan
INF = math.inf


# When


def steps_of(*runs):
    """Rows from (method, seed, [(time, metric), ...])."""
    rows = [
        (method, seed, number, time, 10 * number, value)
        for method, seed, pairs in runs
        for number, (time, value) in enumerate(pairs)
    ]
    return pd.DataFrame(rows, columns=["method", "seed", "step", "time", "gradients", "gap"])


def test_the_target_is_met_when_the_runs_say_so(tmp_path):
    found = results_of(scenario_of(), tmp_path)
    ours = time_to(found)
    assert ours["seconds"].notna().any()
    assert ours["seconds"].isna().any()
    theirs = found.runs["seconds_to_target"].astype(float)
    pd.testing.assert_series_equal(ours["seconds"], theirs, check_names=False)
    reached = found.runs[found.runs["end"] == "target"].reset_index()
    ours = ours.dropna().reset_index()
    assert ours["steps"].tolist() == reached["steps"].tolist()
    assert ours["gradients"].tolist() == reached["used"].tolist()
    frame = time_to(found.steps, found.scenario.stop.target, metric="gap")
    pd.testing.assert_frame_equal(frame, time_to(found))


def test_a_run_counts_once_from_its_first_step_at_the_target():
    steps = steps_of(
        ("b", 1, [(0.0, 9.0), (1.0, NEVER), (2.0, 3.0), (3.0, 5.0), (4.0, 1.0)]),
        ("a", 0, [(0.0, 9.0), (8.0, 4.0)]),
        ("a", 1, [(0.0, NEVER)]),
    )
    found = time_to(steps, 3.0, metric="gap")
    assert found[["method", "seed"]].to_numpy().tolist() == [["b", 1], ["a", 0], ["a", 1]]
    numbers = found[["seconds", "steps", "gradients"]].to_numpy()
    np.testing.assert_array_equal(numbers, [[2.0, 2.0, 20.0], [NEVER] * 3, [NEVER] * 3])
    # The other way round it is met by the initial point, where one was recorded.
    assert time_to(steps, 3.0, metric="gap", higher=True)["seconds"].tolist()[:2] == [0.0, 0.0]


def test_missing_or_misspelt_names_are_reported():
    steps = steps_of(("a", 0, [(0.0, 1.0)]))
    with pytest.raises(Mistake, match="did you mean 'gap'"):
        time_to(steps, 1.0, metric="gpa")
    with pytest.raises(Mistake, match="say higher=True"):
        time_to(steps.rename(columns={"gap": "regret"}), 1.0, metric="regret")
    with pytest.raises(Mistake, match="target and a metric"):
        time_to(steps)
    with pytest.raises(Mistake, match="did you mean 'afedpg'"):
        speedups(pd.DataFrame({"method": ["afedpg"], "seed": 0, "seconds": 1.0}), "a", "afedgp")


# How sure


def test_the_seed_is_honoured():
    values = np.random.default_rng(0).exponential(size=11)
    first = interval(values)
    assert interval(values) == first == interval(values, seed=0)
    others = {interval(values, statistic=np.mean, seed=seed) for seed in range(5)}
    assert len(others) == 5


def test_an_interval_is_that_of_all_resamples():
    # Of three values, 27 resamples are equally likely: their median is the smallest in 7, the
    # middle one in 13.  So the tail of 7/27 = 26% decides which end is which.
    values = [1.0, 2.0, 5.0]
    assert interval(values, confidence=0.9) == (1.0, 5.0)
    assert interval(values, confidence=0.4) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], (3.0, 3.0)),
        ([3.0] * 5, (3.0, 3.0)),
        ([NEVER], (INF, INF)),
        ([NEVER, INF, NEVER], (INF, INF)),
        ([1.0, 1.0, 1.0, NEVER], (1.0, INF)),
    ],
)
def test_a_missed_target_is_larger_than_every_number(values, expected):
    assert interval(values) == expected


def test_the_interval_of_a_mean_has_its_standard_error():
    values = np.random.default_rng(1).normal(size=400)
    low, high = interval(values, statistic=np.mean, resamples=4000)
    half = 1.6449 * values.std() / 20
    # An end is a quantile of 4000 resamples: its error has deviation sqrt(.05 .95 / 4000) / density
    # of the normal there, which is 0.103: 3.3% of a standard error; here five times as much.
    margin = 5 * 0.0334 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=margin)
    assert high == pytest.approx(values.mean() + half, abs=margin)


def test_a_summary_keeps_the_order_of_the_frame_and_counts_arrivals():
    frame = pd.DataFrame(
        {"method": list("bbba"), "n": [1, 1, 2, 2], "seconds": [1.0, NEVER, 4.0, NEVER]}
    )
    found = summarise(frame, ["method", "n"], "seconds")
    assert found[["method", "n"]].to_numpy().tolist() == [["b", 1], ["b", 2], ["a", 2]]
    assert found[["reached", "of"]].to_numpy().tolist() == [[1, 2], [1, 1], [0, 1]]
    assert found["median"].tolist() == [INF, 4.0, INF]
    assert found["low"].tolist() == [1.0, 4.0, INF]


# Speed-ups


def race(seeds=(0, 1, 2), **seconds):
    return pd.concat(
        [
            pd.DataFrame({"method": method, "seed": list(seeds), "seconds": each})
            for method, each in seconds.items()
        ]
    )


def test_seeds_that_both_share_are_resampled_together():
    # Three times sooner on every seed: whatever is drawn, the ratio is 3.
    frame = race(a=[1.0, 10.0, 100.0], b=[3.0, 30.0, 300.0])
    assert speedups(frame, "a", "b").iloc[0].tolist() == ["a", "b", 3.0, 3.0, 3.0]
    frame = pd.concat([frame[frame["method"] == "a"], race([7, 8, 9], b=[3.0, 30.0, 300.0])])
    apart = speedups(frame, ["a", "b"], "b").set_index("method").loc["a"]
    assert apart["low"] < 3.0 < apart["high"]


def test_a_method_that_misses_the_target_is_infinitely_later():
    frame = race(a=[1.0, 2.0, 3.0], b=[NEVER] * 3)
    assert speedups(frame, "a", "b")["ratio"].tolist() == [INF]
    assert speedups(frame, "b", "a")["ratio"].tolist() == [0.0]
    assert speedups(frame, "b", "b")[["ratio", "low", "high"]].isna().all(axis=None)
    # Where a resample decides nothing, its ratio may be anything.
    some = race(a=[1.0, 1.0, NEVER], b=[5.0, 5.0, NEVER])
    assert speedups(some, "a", "b").iloc[0, 2:].tolist() == [5.0, 0.0, INF]


# Exponents


def complexity(values=(1.0, 2.0, 4.0, 8.0), seeds=3, exponent=2.0, spread=0.0, **others):
    """Seconds of a power law, its seeds apart by factors that multiply to one."""
    rng = np.random.default_rng(5)
    factors = np.exp(spread * rng.normal(size=(len(values), seeds)))
    rows = [
        {"value": value, "seed": seed, "seconds": 3 * value**exponent * factors[at, seed]}
        for at, value in enumerate(values)
        for seed in range(seeds)
    ]
    message = {"method": "a", "parameter": "noise", "predicted": np.nan}
    return pd.DataFrame(rows).assign(**message | others)


def only(frame, **others):
    found = exponents(frame, **others)
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize("exponent", [-3.5, 0.0, 0.5, 2.0])
@pytest.mark.parametrize("seeds", [1, 3])
def test_a_power_law_has_its_exponent(exponent, seeds):
    frame = complexity(exponent=exponent, seeds=seeds)
    row = only(frame.assign(predicted=frame["value"] ** exponent))
    found = row[["measured", "low", "high", "predicted"]].astype(float)
    np.testing.assert_allclose(found, exponent, atol=1e-9)
    assert row["constant"] == pytest.approx(3.0)
    assert row["points"] == 4


def test_a_value_that_the_median_run_does_not_reach_is_left_out():
    frame = complexity(seeds=3)
    one, two = (frame["seed"] == 0), (frame["seed"] <= 1)
    bent = frame["seconds"].where(frame["value"] < 8, 1e6)
    most = frame.assign(seconds=bent.mask((frame["value"] == 8) & two))
    assert only(most)[["measured", "points"]].tolist() == pytest.approx([2.0, 3])
    # Where one of three does not, the median is the larger of the others.
    some = frame.assign(seconds=frame["seconds"].mask((frame["value"] == 8) & one))
    assert only(some)[["measured", "points"]].tolist() == pytest.approx([2.0, 4])


def test_too_few_points_give_no_exponent():
    alone = only(complexity(values=(2.0,)).assign(predicted=1.0))
    assert alone["points"] == 1
    assert np.isnan(alone[["measured", "low", "high", "predicted"]].astype(float)).all()
    two = only(complexity(values=(1.0, 2.0), seeds=1))
    assert two["measured"] == pytest.approx(2.0)
    assert np.isnan([two["low"], two["high"]]).all()


def test_more_confidence_is_a_wider_interval():
    for seeds in (1, 5):
        frame = complexity(spread=0.3, seeds=seeds)
        rows = [only(frame, confidence=confidence) for confidence in (0.5, 0.9, 0.99)]
        widths = [row["high"] - row["low"] for row in rows]
        assert widths == sorted(widths)
        assert widths[0] < widths[2]
        assert all(row["low"] <= row["measured"] <= row["high"] for row in rows)


def test_the_interval_of_one_seed_is_that_of_a_regression():
    frame = complexity(spread=0.5, seeds=1)
    line = linregress(np.log(frame["value"]), np.log(frame["seconds"]))
    # Four points leave two degrees of freedom: 2.92 standard errors to either side are 90%.
    margin = 2.919986 * line.stderr
    row = only(frame, confidence=0.9)
    expected = [line.slope, line.slope - margin, line.slope + margin]
    assert row[["measured", "low", "high"]].tolist() == pytest.approx(expected, rel=1e-6)


def test_data_without_an_exponent_are_refused():
    with pytest.raises(Mistake, match="positive values"):
        exponents(complexity(values=(0.0, 1.0)))
    with pytest.raises(Mistake, match="2 different ones"):
        exponents(pd.concat([complexity(), complexity(parameter="workers")]))


# A notebook
