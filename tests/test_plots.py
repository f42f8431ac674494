"""Do the figures show what happened?  Curves against quantiles by hand, bars against accounts."""

import math
from itertools import pairwise

import numpy as np
import pytest
from compiled import compiled_once

from simulator.engine import Stalled, Stop
from simulator.figures import drawing, plots, style
from simulator.figures.drawing import draw_files
from simulator.figures.opening import opening_seconds, replay, some_workers
from simulator.results import results
from simulator.results.directory import claim_directory
from simulator.results.writer import Writer
from simulator.scenario.loading import check
from simulator.statistics import curves
from simulator.training.record import Run
from simulator.training.schedules import Rhythm, simulation_of, stop_of, vector_of

__all__ = ["compiled_once"]  # the fixture

METHODS = {
    "rennala-nigt": {"batch": 20, "step": 0.1, "momentum": 0.1},
    "malenia-nigt": {"batch": 20, "step": 0.1, "momentum": 0.1},
    "afedpg": {"step": 0.1, "momentum": 0.1},
    "synchronous-nigt": {"step": 0.1, "momentum": 0.1},
}
STRAGGLER = [1.0] * 9 + [100.0]
LADDER = [1.0, 1.3, 1.7, 2.2]
RANDOM = {"law": "log-normal", "mean": 1.0, "sigma": 0.5}
CARTPOLE = {"kind": "policy-gradient", "environment": "CartPole-v1"}


def scenario_of(compute=STRAGGLER, *, workers=None, network=None, **others):
    cluster = {"workers": workers or len(compute), "compute": compute}
    for key in ("in_flight", "outages", "in_outage"):
        if key in others:
            cluster[key] = others.pop(key)
    tables = {
        "seeds": [0, 1, 2],
        "cluster": cluster,
        "network": network or {},
        "objective": {"kind": "quadratic", "dimension": 4},
        "evaluation": {"every_seconds": 10.0},
        "stop": {"seconds": 120.0, "target": 0.5},
        "methods": METHODS,
    }
    return check(tables | others)


def results_of(scenario, directory):
    """A result directory whose times are simulated and whose metric only counts steps."""
    folder, vector = claim_directory(directory), vector_of(scenario)
    writer = Writer(folder, scenario, "test", vector)
    for seed in scenario.seeds:
        for label in scenario.methods:
            writer.add(run_of(scenario, label, seed))
    writer.write("complete")
    return results.load(directory)


def run_of(scenario, label, seed):
    run = Run(label, seed, tuple(scenario.objective.metrics))
    due = Rhythm(scenario.evaluation, stop_of(scenario))
    vector = vector_of(scenario)
    simulation = simulation_of(scenario, label, seed, vector=vector, account_when=due)
    sampled = int(scenario.metric == "return")
    look(run, scenario)
    try:
        for step in simulation.steps(stop_of(scenario)):
            run.point = np.zeros(2)
            run.close(step, 25 * sampled * len(step.tickets))
            if step.accounts is not None and look(run, scenario):
                run.end, run.reached, run.accounts = "target", step.time, step.accounts
                return run
    except Stalled as stalled:
        run.end, run.message = "stalled", str(stalled)
    run.accounts = simulation.accounts()
    return run


def look(run, scenario):
    progress = (1 + 0.1 * run.seed) * run.steps
    value = progress if scenario.higher_is_better else math.exp(-progress / 100)
    run.record_metrics(dict.fromkeys(run.metrics, value))
    target = scenario.stop.target
    return target is not None and (value >= target) == scenario.higher_is_better


# Curves


def frame(*seeds):
    """Rows of one method, from (time, value) pairs."""
    rows = [(seed, time, value) for seed, pairs in enumerate(seeds) for time, value in pairs]
    return dict(zip(["seed", "time", "return"], np.array(rows, float).T, strict=True))


def test_a_band_is_of_the_values_that_hold():
    curve = curves.band(
        frame(
            [(0, 0.0), (1, 10.0), (4, 20.0)],
            [(0, 1.0), (2, 11.0)],
            [(0, 2.0)],
            [(0, 3.0), (3, 13.0)],
            [(0, 4.0)],
        ),
        "time",
        "return",
    )
    assert curve["x"].tolist() == [0, 1, 2, 3, 4]
    # Five seeds: the 20% and 80% quantiles lie 0.8 of the way from the first to the second
    # smallest value, and 0.2 from the second largest to the largest.
    sorted_values = np.array(
        [
            [0, 1, 2, 3, 4],
            [1, 2, 3, 4, 10],
            [2, 3, 4, 10, 11],
            [2, 4, 10, 11, 13],
            [2, 4, 11, 13, 20],
        ]
    )
    assert curve["median"].tolist() == sorted_values[:, 2].tolist()
    np.testing.assert_allclose(curve["low"], sorted_values[:, :2] @ [0.2, 0.8])
    np.testing.assert_allclose(curve["high"], sorted_values[:, 3:] @ [0.8, 0.2])


def test_a_seed_counts_to_its_end_if_it_is_not_held():
    steps = frame([(0, 0.0), (2, 4.0)], [(0, 0.0), (1, 1.0), (3, 9.0)])
    curve = curves.band(steps, "time", "return", hold=False)
    assert curve["median"].tolist() == [0.0, 0.5, 2.5, 9.0]
    assert curves.band(steps, "time", "return")["median"].tolist() == [0.0, 0.5, 2.5, 6.5]


def test_steps_that_were_not_evaluated_do_not_count():
    looks = frame([(0, 5.0), (1, math.nan), (2, 7.0), (3, math.inf)])
    curve = curves.band(looks, "time", "return")
    assert (curve["x"].tolist(), curve["median"].tolist()) == ([0.0, 2.0], [5.0, 7.0])


def test_a_method_that_was_never_evaluated_has_no_curve():
    assert curves.band(frame([(0, math.nan)]), "time", "return")["x"].size == 0


def test_simultaneous_steps_show_the_last():
    curve = curves.band(frame([(0, 0.0), (1, 1.0), (1, 2.0), (1, 3.0)]), "time", "return")
    assert curve["median"].tolist() == [0.0, 3.0]


def test_a_thinned_curve_is_still_exact():
    many = [[(i / 7, float((i * seed) % 11)) for i in range(3000)] for seed in (1, 2, 3)]
    curve = curves.band(frame(*many), "time", "return")
    exact = {
        pairs[0][0]: np.median([value for _, value in pairs]) for pairs in zip(*many, strict=True)
    }
    assert len(curve["x"]) <= curves.POINTS
    assert curve["x"][[0, -1]].tolist() == [0.0, 2999 / 7]
    assert curve["median"].tolist() == [exact[x] for x in curve["x"]]


def test_a_dot_marks_the_arrival_of_the_median_seed(tmp_path):
    found = results_of(scenario_of(), tmp_path)
    runs = found.runs.set_index(["method", "seed"])["seconds_to_target"]
    dots = curves.arrivals(found.step_columns, "time", 0.5, "gap")
    assert dots["afedpg"] == runs["afedpg"].median()
    assert runs["rennala-nigt"].isna().all()
    assert list(dots) == ["afedpg"]
    gradients = curves.arrivals(found.step_columns, "gradients", 0.5, "gap")["afedpg"]
    assert gradients == found.runs.groupby("method")["used"].median()["afedpg"]


# The timeline

NETWORK = {"upload": [0.25, 0.5], "download": 0.125}
CLUSTERS = {
    "free": {},
    "finish": {"in_flight": "finish"},
    "network": {"network": {"upload": [0.5, 0.1, 0.9, 0.3], "download": 0.25}},
    "random": {"compute": RANDOM, "workers": 6, "network": {"upload": RANDOM, "download": 0.1}},
}


def opening_of(directory, compute=LADDER, seconds=23.456, label="rennala-nigt", **others):
    """What two runs or more begin with, of which the first is replayed."""
    others = {"seeds": [0], "stop": {"seconds": 120.0}} | others
    found = results_of(scenario_of(compute, **others), directory)
    return replay(found, label, 0, seconds, range(found.scenario.cluster.workers))


@pytest.mark.parametrize(
    ("cluster", "label"),
    [
        *((cluster, "malenia-nigt") for cluster in ("free", "finish", "network")),
        *(("random", label) for label in METHODS),
    ],
)
def test_bars_agree_with_the_accounts(cluster, label, tmp_path):
    scenario = scenario_of(**{"compute": LADDER} | CLUSTERS[cluster])
    found = results_of(scenario, tmp_path)
    opening = replay(found, label, 0, 23.456, range(scenario.cluster.workers))
    simulation = simulation_of(scenario, label, 0, vector=vector_of(scenario))
    steps = list(simulation.steps(Stop(seconds=23.456)))
    accounts = simulation.accounts()
    assert opening.step_times == [step.time for step in steps]
    assert (opening.end, opening.used, opening.stalled) == (23.456, accounts.used.sum(), False)
    for worker, row in opening.bars.items():
        assert all(before.finish <= after.start + 1e-9 for before, after in pairwise(row))
        seconds, many = totals(row)
        assert seconds.pop("communicating", 0.0) == pytest.approx(accounts.communicating[worker])
        assert sum(seconds.values()) == pytest.approx(accounts.busy[worker])
        assert many.get("used", 0) == accounts.used[worker]
        assert many.get("dropped", 0) == accounts.dropped[worker]
        assert many.get("pending", 0) == accounts.unfinished[worker]
        assert many.get("recalled", 0) <= accounts.recalled[worker]


def totals(row):
    seconds, many = {}, {}
    for bar in row:
        seconds[bar.kind] = seconds.get(bar.kind, 0.0) + bar.finish - bar.start
        many[bar.kind] = many.get(bar.kind, 0) + 1
    return seconds, many


def rounded(row):
    return [(round(bar.start, 9), round(bar.finish, 9), bar.kind) for bar in row]


def test_uploads_of_a_collective_start_when_the_batch_is_complete(tmp_path):
    opening = opening_of(tmp_path, [1.0, 3.0], 4.0, "synchronous-nigt", network=NETWORK)
    assert rounded(opening.bars[0]) == [
        (0.0, 0.125, "communicating"),
        (0.125, 1.125, "used"),
        (3.125, 3.375, "communicating"),
        (3.625, 3.75, "communicating"),
        (3.75, 4.0, "pending"),
    ]
    assert rounded(opening.bars[1])[1:3] == [
        (0.125, 3.125, "used"),
        (3.125, 3.625, "communicating"),
    ]


@pytest.mark.parametrize(
    ("in_flight", "seconds", "kind"), [("recall", 3.0, "recalled"), ("finish", 120.0, "dropped")]
)
def test_gradients_of_a_straggler_are_recalled_or_dropped(in_flight, seconds, kind, tmp_path):
    opening = opening_of(tmp_path, STRAGGLER, seconds, in_flight=in_flight)
    assert opening.bars[9][0].kind == kind


def test_outages_and_their_losses_are_drawn(tmp_path):
    outages = [{"worker": 0, "begin": 1.5, "end": 2.5}]
    lost = opening_of(tmp_path / "lost", [1.0, 1.0], 4.0, "afedpg", outages=outages)
    assert rounded(lost.bars[0]) == [
        (0.0, 1.0, "used"),
        (1.0, 1.5, "lost"),
        (1.5, 2.5, "down"),
        (2.5, 3.5, "used"),
        (3.5, 4.0, "pending"),
    ]
    paused = {"outages": outages, "in_outage": "continued"}
    opening = opening_of(tmp_path / "paused", [1.0, 1.0], 4.0, "afedpg", **paused)
    assert rounded(opening.bars[0]) == [
        (0.0, 1.0, "used"),
        (1.0, 1.5, "used"),
        (1.5, 2.5, "down"),
        (2.5, 3.0, "used"),
        (3.0, 4.0, "used"),
    ]


def test_a_standstill_ends_a_replay(tmp_path):
    dead = opening_of(tmp_path / "dead", [1.0, math.inf], 9.0, "synchronous-nigt")
    assert dead.stalled
    alive = opening_of(tmp_path / "alive", [1.0, math.inf], 9.0, "rennala-nigt")
    assert not alive.stalled
    assert [bar.kind for bar in alive.bars[1]] == ["pending"]


def test_a_run_is_drawn_to_its_end(tmp_path):
    opening = opening_of(tmp_path, [1.0, 1.0], 9.0, "afedpg", stop={"steps": 5})
    assert opening.end == 3.0
    assert max(bar.finish for row in opening.bars.values() for bar in row) == 3.0
    assert opening.used == 5


def test_the_opening_shows_a_full_round_of_every_method(tmp_path):
    # A synchronous round waits 100 s for the straggler.
    assert opening_seconds(results_of(scenario_of(), tmp_path / "straggler")) == 104.0
    equal = results_of(scenario_of([1.0] * 10), tmp_path / "equal")
    assert opening_seconds(equal) == 8.0


def test_the_opening_of_one_slow_method_is_its_rounds(tmp_path):
    alone = {"synchronous-nigt": METHODS["synchronous-nigt"]}
    scenario = scenario_of(methods=alone, stop={"seconds": 900.0})
    assert opening_seconds(results_of(scenario, tmp_path)) == 400.0


def test_of_many_workers_some_are_shown_from_the_fastest_to_the_slowest():
    speeds = [2.0] * 50
    speeds[17], speeds[31] = 1.0, 9.0
    some = some_workers(scenario_of(speeds).build_cluster(), 0)
    assert len(set(some)) == 20
    assert (some[0], some[-1]) == (17, 31)
    assert some_workers(scenario_of([1.0] * 40).build_cluster(), 0) == list(range(40))


# Files

GAP = ["gap-time", "gap-gradients", "steps-time", "timeline"]
RETURN = ["return-time", "return-environment-steps", "steps-time", "timeline"]
SCENARIOS = {
    "return": (RETURN, {"objective": CARTPOLE, "stop": {"seconds": 120.0, "target": 150.0}}),
    "network": (GAP, {"compute": LADDER, "network": {"upload": 0.5, "download": 0.1}}),
    "one run, many workers": (
        GAP,
        {
            "compute": {"law": "power", "exponent": 0.5},
            "workers": 60,
            "in_flight": "finish",
            "seeds": [3],
            "methods": {"mine": METHODS["rennala-nigt"] | {"method": "rennala-nigt"}},
            "stop": {"seconds": 40.0},
        },
    ),
    "standstill": (GAP, {"compute": [1.0, math.inf]}),
    "nothing but standstill": (
        GAP,
        {"compute": [math.inf] * 5, "methods": dict(list(METHODS.items())[1:2])},
    ),
}


@pytest.fixture
def coarse(monkeypatch):
    monkeypatch.setitem(style.STYLE, "savefig.dpi", 40)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.usefixtures("coarse")
def test_every_figure_is_written(name, tmp_path):
    names, settings = SCENARIOS[name]
    drawn = plots.pictures(results_of(scenario_of(**settings), tmp_path / "run"))
    paths = draw_files(drawn, tmp_path, ("png",))
    assert [path.name for path in paths] == [f"{each}.png" for each in names]
    assert all(path.stat().st_size > 2000 for path in paths)


@pytest.mark.usefixtures("coarse")
def test_drawing_twice_gives_the_same_bytes(tmp_path):
    drawn = plots.pictures(results_of(scenario_of(seeds=[0]), tmp_path / "run"))
    assert list(drawn) == GAP
    some = {name: drawn[name] for name in ("gap-time", "timeline")}
    starts = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml ve", "pdf": b"%PDF-1."}
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        directory.mkdir()
    paths = [draw_files(some, where, tuple(starts)) for where in (first, second)]
    for one, other in zip(*paths, strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()
        assert one.read_bytes().startswith(starts[one.suffix[1:]])
    words = (first / "gap-time.svg").read_text()
    assert "simulated time (s)" in words
    assert "rennala-nigt" in words


def test_results_without_runs_have_no_figures(tmp_path):
    scenario = scenario_of()
    folder, vector = claim_directory(tmp_path), vector_of(scenario)
    writer = Writer(folder, scenario, "test", vector)
    writer.write("interrupted")
    assert plots.pictures(results.load(tmp_path)) == {}


def test_a_method_looks_the_same_in_every_figure(tmp_path):
    found = results_of(scenario_of(), tmp_path)
    figures = [drawing.draw(picture) for picture in list(plots.pictures(found).values())[:3]]
    looks = [
        {line.get_label(): (line.get_color(), line.get_linestyle()) for line in lines(figure)}
        for figure in figures
    ]
    assert looks[0] == looks[1] == looks[2]
    assert list(looks[0]) == list(METHODS)
    assert len({colour for colour, _ in looks[0].values()}) == len(METHODS)


def lines(figure):
    return figure.legends[0].get_lines()


def test_ticks_are_labelled_in_figures_one_can_read():
    values = [0.0, 0.05, 20.0, 20_000.0, 1e6, 1e8, 2e-5]
    expected = ["0", "0.05", "20", "20,000", "1,000,000", "$10^{8}$", r"$2\cdot10^{-5}$"]
    assert [style.number(value) for value in values] == expected
