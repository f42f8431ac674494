"""Do figures on axes show the numbers, and a method always alike?  Artists against frames."""

import math
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from test_plots import results_of, scenario_of

from algorithms.methods import METHODS
from simulator import analysis
from simulator.analysis import (
    exponents,
    plot_complexity,
    plot_metric,
    plot_signal_to_noise,
    plot_staleness,
    plot_time_to,
    plot_timeline,
    plot_workers,
)
from simulator.figures import drawing, looks, plots
from simulator.figures.workers import shares
from simulator.mistakes import Mistake

NEVER = math.nan
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Results in which some methods reach the target."""
    return results_of(scenario_of(), tmp_path_factory.mktemp("race"))


def complexity(methods=("rennala-nigt", "afedpg"), seconds=lambda value, seed: value * (1 + seed)):
    rows = [
        (method, "noise_scale", value, seed, seconds(value, seed), value**1.5)
        for method in methods
        for value in (1.0, 2.0, 4.0)
        for seed in range(3)
    ]
    columns = ["method", "parameter", "value", "seed", "seconds", "predicted"]
    return pd.DataFrame(rows, columns=columns)


def arrivals_of(**seconds):
    rows = [
        (label, seed, each) for label, them in seconds.items() for seed, each in enumerate(them)
    ]
    return pd.DataFrame(rows, columns=["method", "seed", "seconds"])


def line_of(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def drawn_as(axes, marker):
    """Where lines with this marker begin."""
    return [line.get_xdata()[0] for line in axes.lines if line.get_marker() == marker]


# Looks

NAMED = looks.looks(METHODS)


def test_a_known_method_looks_the_same_beside_any_other():
    assert all(method.mark for method in METHODS.values())
    for label, look in NAMED.items():
        assert looks.looks([label]) == {label: look}
        assert looks.looks(["mine", label, "yours", *METHODS])[label] == look
    order = list(looks.looks(["b", "afedpg", "a"]).items())
    assert order[::2] == [("b", looks.looks(["b"])["b"]), ("a", looks.looks(["b", "a"])["a"])]


def test_no_two_methods_look_alike():
    many = looks.looks([*NAMED, *map(str, range(40))]).values()
    assert len({(look.colour, look.dashes) for look in many}) == len(many) == len(METHODS) + 40
    assert len({(look.colour, look.marker) for look in many}) == len(many)
    most = ("rennala", "malenia", "synchronous")
    labels = [f"{name}-{rule}" for name in most for rule in ("nigt", "pg")]
    named = [NAMED[label] for label in (*labels, "afedpg", "asynchronous-pg")]  # compared most
    for mark in zip(*named, strict=True):  # colours, dashes, markers: each suffices
        assert len(set(mark)) == len(named)
    known = {look.colour for look in NAMED.values()}
    assert not known & set(looks.OTHER_COLOURS)


def test_a_method_looks_the_same_in_every_kind_of_figure(found):
    label = "afedpg"
    noisy = found.steps.assign(signal_to_noise=2.0)
    look = NAMED[label]
    for axes in (
        plot_metric(found.steps, metric="gap"),
        plot_metric(found.steps, metric="gap", methods=[label]),
        plot_signal_to_noise(noisy),
        plot_staleness(found.steps),
        plot_complexity(complexity(), methods=[label]),
    ):
        # Of the line itself, as its legend may tell more than the label.
        name = next(text for text in axes.get_legend_handles_labels()[1] if text.startswith(label))
        line = line_of(axes, name)
        assert line.get_color() == look.colour
        expected = plt.Line2D([], [], linestyle=look.dashes, linewidth=line.get_linewidth())
        assert line._unscaled_dash_pattern == expected._unscaled_dash_pattern
    titles = plot_workers(found.workers, method=label), plot_timeline(found, label)
    assert [axes._left_title.get_color() for axes in titles] == [look.colour] * 2


@pytest.mark.parametrize("given", [True, False])
def test_each_draws_on_the_axes_it_is_given_or_in_a_new_figure(given, found):
    noisy = found.steps.assign(signal_to_noise=2.0)
    swept = pd.DataFrame({"method": "afedpg", "seed": 0, "case": 0, "setting": [0, 1]}).assign(
        step=[0.1, 0.2], score=[3.0, 4.0], final=[3.0, 4.0], reached=False, end="stop"
    )
    swept = swept.assign(round=1, score_kind="value", metric="return", better="higher")
    draws = [
        lambda ax: plot_metric(found.steps, ax, metric="gap", target=0.5),
        lambda ax: plot_signal_to_noise(noisy, ax),
        lambda ax: plot_staleness(found.steps, ax),
        lambda ax: plot_time_to(analysis.time_to(found), ax),
        lambda ax: plot_workers(found.workers, ax, method="afedpg"),
        lambda ax: plot_complexity(complexity(), ax),
        lambda ax: plot_timeline(found, "afedpg", ax),
        lambda ax: analysis.plot_sensitivity(swept, ax, method="afedpg"),
    ]
    assert len(draws) == sum(name.startswith("plot_") for name in analysis.__all__)
    before = plt.rcParams.copy()
    for draw in draws:
        own = plt.subplots()[1] if given else None
        axes = draw(own)
        assert axes.get_xlabel()
        assert axes.get_ylabel() or axes.get_yticklabels()
        assert (axes is own) == given
        axes.figure.draw_without_rendering()
    assert plt.rcParams == before


# Curves


def test_a_metric_is_drawn_as_the_run_draws_it(found):
    axes = plot_metric(found.steps, metric="gap", target=0.5)
    theirs = drawing.draw(plots.metric_over(found, "time")).axes[0]
    for mine, other in zip(axes.lines, theirs.lines, strict=True):
        assert mine.get_xydata().tolist() == other.get_xydata().tolist()
        assert mine.get_color() == other.get_color()
    assert axes.get_xlim() == theirs.get_xlim()


def test_methods_are_chosen_and_ordered(found):
    chosen = ["synchronous-nigt", "afedpg"]
    axes = plot_metric(found.steps, metric="gap", methods=chosen)
    assert [line.get_label() for line in axes.lines] == chosen
    with pytest.raises(Mistake, match="did you mean 'afedpg'"):
        plot_metric(found.steps, metric="gap", methods=["afepdg"])
    with pytest.raises(Mistake, match="did you mean 'time'"):
        plot_metric(found.steps, metric="gap", x="tine")
    with pytest.raises(Mistake, match="nothing to draw"):
        plot_metric(found.steps[:0], metric="gap")


def test_an_axis_is_logarithmic_if_less_is_better():
    steps = pd.DataFrame({"method": "a", "seed": 0, "time": [0.0, 1.0], "m": [3.0, 2.0]})
    scales = {
        higher: plot_metric(steps, metric="m", higher=higher).get_yscale()
        for higher in (True, False, None)
    }
    assert scales == {True: "linear", False: "log", None: "linear"}


def test_signal_to_noise_is_drawn_if_it_was_recorded():
    steps = pd.DataFrame({"method": "a", "seed": 0, "time": [0.0, 1.0, 2.0]})
    with pytest.raises(Mistake, match="signal_to_noise"):
        plot_signal_to_noise(steps)
    axes = plot_signal_to_noise(steps.assign(signal_to_noise=[NEVER, 4.0, NEVER]))
    assert set(line_of(axes, "a").get_ydata()) == {4.0}
    assert axes.get_yscale() == "log"


# Arrivals at the target


def test_a_seed_is_a_dot_and_the_median_a_larger_one():
    axes = plot_time_to(arrivals_of(afedpg=[3.0, 5.0, 4.0], mine=[NEVER, 6.0, NEVER]))
    seeds = [np.ma.getdata(each.get_offsets())[:, 0].tolist() for each in axes.collections]
    assert seeds[0] == [3.0, 5.0, 4.0]
    assert drawn_as(axes, NAMED["afedpg"].marker) == [4.0]
    assert drawn_as(axes, looks.looks(["mine"])["mine"].marker) == []
    assert [text.get_text() for text in axes.texts] == ["1 of 3 seeds"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["afedpg", "mine"]


def test_an_interval_without_end_has_an_arrow_at_the_edge():
    axes = plot_time_to(arrivals_of(a=[3.0, 4.0, NEVER]))
    assert drawn_as(axes, ">") == [axes.get_xlim()[1]]
    assert drawn_as(plot_time_to(arrivals_of(a=[3.0, 4.0])), ">") == []


def test_times_far_apart_have_a_logarithmic_axis():
    assert plot_time_to(arrivals_of(a=[3.0], b=[29.0])).get_xscale() == "linear"
    assert plot_time_to(arrivals_of(a=[3.0], b=[30.0])).get_xscale() == "log"
    assert plot_time_to(arrivals_of(a=[0.0], b=[30.0])).get_xscale() == "linear"
    assert plot_time_to(arrivals_of(a=[NEVER])).get_xscale() == "linear"


# Staleness


def test_delays_are_counted_by_gradient():
    steps = pd.DataFrame({"method": "a", "step": range(4), "tickets": [0, 3, 1, 4]})
    axes = plot_staleness(steps.assign(max_delay=[0, 0, 2, 0]))
    assert line_of(axes, "a").get_xydata().tolist() == [
        [0, 0], [0, 7 / 8], [2, 1], [2.6, 1]
    ]  # fmt: skip
    assert axes.get_xlabel() == "largest delay in a step (server steps)"
    both = steps.assign(max_delay=[0, 0, 2, 0], mean_delay=[0.0, 0.0, 1.5, 0.0])
    assert line_of(plot_staleness(both), "a").get_xdata()[2] == 1.5
    early = both.assign(arrival_delay=[0.0, 0.0, 0.5, 0.0])
    axes = plot_staleness(early, when="arrival")
    assert line_of(axes, "a").get_xdata()[2] == 0.5
    assert axes.get_xlabel() == "mean delay of a step's gradients on arrival (server steps)"
    with pytest.raises(Mistake, match=r"only results\.steps have these delays"):
        plot_staleness(both, when="arrival")
    with pytest.raises(Mistake, match="did you mean 'arrival'"):
        plot_staleness(early, when="arival")


def test_tickets_tell_the_delay_of_those_that_were_used():
    tickets = pd.DataFrame(
        {
            "method": "a",
            "version": [0, 0, 1, 1],
            "used_in_step": pd.array([1, 3, None, 2], dtype="Int64"),
        }
    )
    line = line_of(plot_staleness(tickets), "a")
    assert line.get_xydata()[1:3].tolist() == [[0, pytest.approx(2 / 3)], [2, 1]]


def test_runs_without_delays_are_refused():
    with pytest.raises(Mistake, match="needs tickets"):
        plot_staleness(pd.DataFrame({"method": ["a"], "tickets": [1]}))


def test_long_delays_have_a_logarithmic_axis():
    steps = pd.DataFrame({"method": "a", "step": [1, 2], "tickets": 1})
    scales = [plot_staleness(steps.assign(max_delay=[0, d])).get_xscale() for d in (19, 20)]
    assert scales == ["linear", "symlog"]


# Workers


def test_shares_are_those_of_the_accounts(found):
    mine = found.workers[found.workers["method"] == "rennala-nigt"]
    parts = shares(mine)
    rest = mine.groupby("worker")["idle"].sum() / mine.groupby("worker")["seconds"].sum()
    np.testing.assert_allclose(parts.sum(axis=1) + rest, 1.0)
    runs = found.runs[found.runs["method"] == "rennala-nigt"]
    weights = runs["simulated_seconds"]
    wasted = np.average(runs["wasted_share"].astype(float), weights=weights)
    assert parts["wasted"].mean() == pytest.approx(wasted)


def test_bars_stand_on_each_other():
    workers = pd.DataFrame({"method": "a", "worker": [0, 1], "busy": [6.0, 9.0], "wasted": 3.0})
    axes = plot_workers(workers.assign(communicating=1.0, down=0.0, seconds=10.0))
    useful, wasted, sending = axes.collections[:3]
    tops = [each.get_paths()[0].get_extents().y1 for each in (useful, wasted, sending)]
    assert tops == pytest.approx([0.6, 0.9, 1.0])
    keys = [text.get_text() for text in axes.get_legend().get_texts()]
    assert keys == ["computing", "computing for nothing", "communication", "idle"]


def test_a_figure_of_workers_needs_a_method(found):
    with pytest.raises(Mistake, match="say whose"):
        plot_workers(found.workers)


def test_an_unknown_run_has_no_timeline(found):
    with pytest.raises(Mistake, match="did you mean 'afedpg'"):
        plot_timeline(found, "afedgp")
    with pytest.raises(Mistake, match="seed 7"):
        plot_timeline(found, "afedpg", seed=7)


# Complexity


def test_the_legend_tells_the_exponents():
    frame = complexity()
    axes = plot_complexity(frame)
    fit = exponents(frame).set_index("method").loc["afedpg"]
    message = [text.get_text() for text in axes.get_legend().get_texts()]
    assert message[1] == f"afedpg: 1.00 [{fit['low']:.2f}, {fit['high']:.2f}], theory 1.50"
    assert message[-1] == "theory, fitted constant"
    assert axes.get_xlabel() == "noise scale"
    assert axes.get_xscale() == axes.get_yscale() == "log"
    line = line_of(axes, message[1])
    assert line.get_xydata().tolist() == [[1, 2], [2, 4], [4, 8]]


def test_theory_is_drawn_at_its_fitted_constant():
    frame = complexity(["afedpg"])
    constant = exponents(frame)["constant"][0]
    drawn = [line.get_ydata() for line in plot_complexity(frame).lines if line.get_linewidth() < 1]
    np.testing.assert_allclose(drawn[0], constant * np.array([1.0, 2.0, 4.0]) ** 1.5)


def test_a_method_that_misses_the_target_is_marked_at_the_edge():
    frame = complexity(["afedpg"], lambda value, seed: NEVER if value > 2 and seed else value)
    axes = plot_complexity(frame)
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata()[0] for line in hollow] == [4.0]
    assert np.isnan(axes.lines[0].get_ydata()[2])


def test_a_band_goes_to_seeds_that_there_are():
    frame = complexity(["afedpg"], lambda value, seed: [value, 2 * value, NEVER][seed])
    [band] = plot_complexity(frame).collections
    bounds = band.get_paths()[0].get_extents()
    assert bounds.y0 == 1.0
    assert bounds.y1 > 1000  # far beyond the axes


def test_a_target_that_no_method_reaches_can_be_drawn():
    axes = plot_complexity(complexity(seconds=lambda value, seed: NEVER))
    axes.figure.draw_without_rendering()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["rennala-nigt", "afedpg"]


def test_no_exponent_is_minus_zero():
    flat = complexity(["afedpg"], lambda value, seed: 2.0 - 1e-6 * value)
    assert plot_complexity(flat).get_legend().get_texts()[0].get_text().startswith("afedpg: 0.00 [")


def test_axes_that_are_named_are_those_of_the_results(found):
    assert {"time", "step", "gradients", "gap"} <= plots.NAMES.keys() & {*found.steps}


def test_the_shipped_scenarios_show_known_methods_first():
    for path in ROOT.glob("scenarios/*.toml"):
        labels = tomllib.loads(path.read_text(encoding="utf-8"))["methods"]
        assert len({look.colour for look in looks.looks(labels).values()}) == len(labels)
