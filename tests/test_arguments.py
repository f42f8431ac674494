"""Are arguments of a wrong type refused in one line, by name, type and remedy?"""

import pandas as pd
import pytest
from test_plots import METHODS, results_of, scenario_of

import simulator
from simulator import Cluster, Stop, analysis
from simulator.mistakes import Mistake

SHORT = 'objective={kind="quadratic", dimension=5}', "stop={steps=3, target=0.5}"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return results_of(scenario_of(), tmp_path_factory.mktemp("arguments") / "results")


def refusal_of(function, *arguments, **named):
    with pytest.raises(Mistake) as caught:
        function(*arguments, **named)
    (line,) = caught.value.args
    assert "\n" not in line
    return line


KINDS = {"run": "Scenario", "complexity": "Scenario", "load": "Scenario", "sweep": "Sweep"}


@pytest.mark.parametrize("function", [*KINDS, "check"])
@pytest.mark.parametrize("source", [None, 3, Stop(steps=3), Cluster(workers=1, compute=1.0)])
def test_an_invalid_source_is_refused(function, source):
    line = refusal_of(getattr(simulator, function), source)
    kind = type(source).__name__.removesuffix("Table")
    wanted = KINDS.get(function, "Suite")
    assert line.startswith(
        f"{function}: source is a {kind}; give a {wanted}, the tables of its file"
    )


@pytest.mark.parametrize(
    ("named", "line"),
    [
        ({"methods": 3}, "run: methods is a int; give the labels of methods, such as ['afedpg']"),
        ({"methods": [3]}, "run: a method is a int; give the labels of methods"),
        ({"methods": "renala-nigt"}, "--methods renala-nigt: not in this scenario; did you mean"),
        ({"seeds": "0"}, "run: a seed is a str; give whole numbers"),
        ({"seeds": [0.5]}, "run: a seed is a float; give whole numbers"),
        ({"seeds": -1}, "run: seeds = -1: must be 0 or more"),
        ({"out": 3}, "out is a int; give the path of a directory"),
    ],
)
def test_invalid_choices_of_runs_are_refused_by_name(named, line):
    assert refusal_of(simulator.run, "straggler", *SHORT, **named).startswith(line)


def test_settings_are_text():
    line = refusal_of(simulator.run, "straggler", {"stop.seconds": 5})
    assert line == "run: a setting is a dict; write it as 'path=value'"


def test_one_label_and_one_seed_count_as_lists_of_one(tmp_path):
    results = simulator.run(
        "straggler", *SHORT, methods="rennala-nigt", seeds=7, out=tmp_path, quiet=True
    )
    assert results.runs[["method", "seed"]].to_numpy().tolist() == [["rennala-nigt", 7]]
    assert results.manifest["command"].endswith("--methods rennala-nigt --seeds 7")


def test_results_are_loaded_from_a_path(found):
    line = refusal_of(simulator.load_results, found)
    assert line.startswith("load: directory is a Results; give the path of a result directory")


FRAMES = {
    "plot_time_to": {},
    "plot_staleness": {},
    "plot_signal_to_noise": {},
    "plot_workers": {"method": "afedpg"},
    "plot_complexity": {},
    "plot_sensitivity": {"method": "afedpg"},
    "summarise": {},
    "speedups": {"of": "afedpg", "over": "rennala-nigt"},
    "exponents": {},
}


@pytest.mark.parametrize("name", FRAMES)
def test_functions_of_frames_name_the_right_frame(name, found):
    for given in (found, "results/straggler"):
        line = refusal_of(getattr(analysis, name), given, **FRAMES[name])
        assert line.startswith(f"{name}: ")
        assert f" is a {type(given).__name__}; give a data frame, such as " in line


@pytest.mark.parametrize("name", ["plot_metric", "time_to"])
def test_functions_of_results_or_steps_refuse_others(name):
    line = refusal_of(getattr(analysis, name), {"method": []})
    assert line.startswith(f"{name}: steps is a dict; give a data frame, such as results.steps, or")


def test_a_timeline_is_of_results(found):
    line = refusal_of(analysis.plot_timeline, found.steps, "afedpg")
    assert line == "plot_timeline: results is a DataFrame; give what run or load returns"


def test_axes_are_axes(found):
    line = refusal_of(analysis.plot_metric, found.steps, "gap", metric="gap")
    assert line == "ax is a str; give matplotlib's axes, and the rest by its name"


def test_plot_metric_takes_metric_and_target_of_the_scenario(found):
    of_results = analysis.plot_metric(found)
    of_steps = analysis.plot_metric(found.steps, metric="gap", target=0.5)
    assert of_results.get_ylabel() == of_steps.get_ylabel() == "optimality gap"
    dots = [[line.get_xydata().tolist() for line in axes.lines] for axes in (of_results, of_steps)]
    assert dots[0] == dots[1]


def test_a_frame_alone_does_not_know_its_metric(found):
    assert refusal_of(analysis.plot_metric, found.steps).startswith("plot_metric: needs metric=")


def test_one_label_chooses_one_curve(found):
    axes = analysis.plot_time_to(analysis.time_to(found), methods="afedpg")
    assert [text.get_text() for text in axes.get_yticklabels()] == ["afedpg"]
    assert "afedpg" in METHODS
    frame = pd.DataFrame({"method": ["a"], "seed": [0], "seconds": [1.0]})
    assert "no such method" in refusal_of(analysis.plot_time_to, frame, methods="b")
