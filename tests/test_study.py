"""Does a study measure what is known, keep what it has run, and predict what theory says?"""

import json
import math
import re
import signal
from math import nan, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from children import ended, start_sending
from compiled import compiled_once
from test_cli import straggle, written

import simulator
from algorithms.methods import METHODS
from algorithms.theory import Problem
from simulator import analysis
from simulator.analysis import exponents
from simulator.mistakes import Mistake
from simulator.scenario.loading import load
from simulator.scenario.prescription import problem_of
from simulator.study import growth, study
from simulator.study.prediction import DRAWS, predicted
from simulator.study.varying import read

__all__ = ["compiled_once"]  # the fixture

EXACT = """
seeds = [0]
cluster = { workers = 4, compute = 1 }
objective = { kind = "quadratic", dimension = 4, scale = 0 }
evaluation = { metric = "gradient_norm" }
stop = { seconds = 100_000, target = 0.1 }
[methods.synchronous-pg]
step = 0.5
[methods.rennala-pg]
step = 0.5
batch = 3
[methods.asynchronous-pg]
step = 0.1
[methods.afedpg]
step = 0.05
momentum = 0.5
"""
NOISY = [
    'objective={kind="quadratic", dimension=4, scale=0.05}',
    "cluster.compute={law='exponential', mean=2}",
]
"""Every seed has other times, and another path."""


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    return written(tmp_path_factory.mktemp("exact") / "exact.toml", EXACT)


def run(exact, out, vary, settings=(), methods=("synchronous-pg",), **others):
    asked = {"methods": list(methods), "quiet": True, "jobs": 1} | others
    return simulator.complexity(exact, vary, *settings, out=out, **asked).frame


def same(frame, other):
    """All but how long it took."""
    pd.testing.assert_frame_equal(
        frame.drop(columns="real_seconds"), other.drop(columns="real_seconds")
    )


def files(directory):
    """Which file it is and when it was written, by its name."""
    found = [(path, path.stat()) for path in (directory / "runs").glob("*.json")]
    return {path.name: (stat.st_ino, stat.st_mtime_ns) for path, stat in found}


# Known answers: without noise the path is known, and only the time of a step changes


def fitted(frame):
    return exponents(frame).set_index("method")


def test_a_synchronous_step_waits_for_the_slowest_of_more_and_more_workers(exact, tmp_path):
    settings = ["cluster.compute={law='power', exponent=0.5}"]
    frame = run(exact, tmp_path / "out", "cluster.workers=4,25,100", settings)
    assert frame["steps"].nunique() == 1
    np.testing.assert_allclose(frame["seconds"], frame["steps"] * np.sqrt(frame["value"]))
    found = fitted(frame).loc["synchronous-pg"]
    assert found["measured"] == pytest.approx(0.5, abs=1e-9)
    assert found["predicted"] == pytest.approx(0.5, abs=1e-9)


def test_a_straggler_slows_only_methods_that_wait_for_it(exact, tmp_path):
    vary, settings = "cluster.compute[-1]=10:1000:log3", ["cluster.compute=[1, 1, 1, 1]"]
    frame = run(exact, tmp_path / "out", vary, settings, ("synchronous-pg", "rennala-pg"))
    found = fitted(frame)
    for column in ("measured", "predicted"):
        assert found[column]["synchronous-pg"] == pytest.approx(1.0, abs=1e-9)
        assert found[column]["rennala-pg"] == pytest.approx(0.0, abs=1e-9)


def test_a_slow_network_lengthens_the_cycle_of_methods_that_send_each_gradient(exact, tmp_path):
    vary, methods = "network.upload=0.5:50:log3", ("asynchronous-pg", "afedpg")
    frame = run(exact, tmp_path / "out", vary, methods=methods)
    for _, mine in frame.groupby("method"):
        cycles = mine["seconds"] / (1 + mine["value"])
        assert cycles.min() > 1
        np.testing.assert_allclose(cycles, cycles.iloc[0], rtol=1e-12)
    found = fitted(frame)
    np.testing.assert_allclose(found["measured"], found["predicted"], rtol=1e-9)


def test_the_time_is_that_of_the_first_step_at_the_target(exact, tmp_path):
    """By hand: x <- x - A x / 2 from the same point, all workers alike."""
    frame = run(exact, tmp_path / "out", "eps=0.5,0.1")
    matrix = (2 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1)) / 4
    point, known = np.array([2.0, 0, 0, 0]), np.array([-0.25, 0, 0, 0])
    norms = []
    for _ in range(60):
        norms.append(np.linalg.norm(matrix @ point - known))
        point -= 0.5 * (matrix @ point - known)
    first = [next(k for k, norm in enumerate(norms) if norm <= eps) for eps in (0.5, 0.1)]
    assert frame["steps"].tolist() == first
    assert frame["seconds"].tolist() == first
    assert frame["gradients"].tolist() == [4 * steps for steps in first]
    assert frame["target"].tolist() == [0.5, 0.1]
    assert frame["reached"].all()


# Which run it is


def keys(exact, vary, settings=(), **others):
    points = study.plan(str(exact), read(vary), list(settings), **others)
    return {(p.task.method, p.value, p.task.seed): p.task.key for p in points}


def test_every_run_has_a_key_of_its_own_and_keeps_it(exact):
    found = keys(exact, "cluster.workers=3,4", seeds=[0, 1])
    assert len(set(found.values())) == len(found) == 4 * 2 * 2
    assert keys(exact, "cluster.workers=4,3", seeds=[1, 0]) == found
    some = keys(exact, "cluster.workers=4", methods=["afedpg"])
    assert some == {("afedpg", 4, 0): found["afedpg", 4, 0]}
    # A batch that a method does not have shares the run.
    found = keys(exact, "batch=2,3", methods=["afedpg", "rennala-pg"])
    assert found["afedpg", 2, 0] == found["afedpg", 3, 0]
    assert found["rennala-pg", 2, 0] != found["rennala-pg", 3, 0]


def test_a_shared_run_is_run_once_and_has_a_row_for_each_value(exact, tmp_path):
    methods = ("afedpg", "rennala-pg")
    frame = run(exact, tmp_path / "out", "batch=2,3", methods=methods)
    rows = frame[["method", "value"]].to_numpy().tolist()
    assert rows == [[method, value] for value in (2, 3) for method in methods]
    assert len(files(tmp_path / "out")) == 3


# What was run is not run again


def test_a_finished_study_is_only_read(exact, tmp_path):
    first = run(exact, tmp_path / "out", "cluster.workers=2,3")
    before = files(tmp_path / "out")
    again = run(exact, tmp_path / "out", "cluster.workers=2,3")
    pd.testing.assert_frame_equal(first, again)
    assert files(tmp_path / "out") == before
    wider = run(exact, tmp_path / "out", "cluster.workers=2,3,4")
    assert {**files(tmp_path / "out"), **before} == files(tmp_path / "out")
    pd.testing.assert_frame_equal(wider[:2], first)
    pd.testing.assert_frame_equal(wider, pd.read_parquet(tmp_path / "out" / "complexity.parquet"))


@pytest.mark.parametrize("broken", ["", '{"method": "synchr', "{}", None])
def test_a_broken_file_is_run_again(broken, exact, tmp_path):
    first = run(exact, tmp_path / "out", "cluster.workers=2,3")
    spoiled, whole = sorted((tmp_path / "out" / "runs").glob("*.json"))
    kept = files(tmp_path / "out")
    if broken is None:  # as a killed process leaves it
        spoiled.rename(f"{spoiled}.partial")
    else:
        spoiled.write_text(broken)
    same(run(exact, tmp_path / "out", "cluster.workers=2,3"), first)
    assert files(tmp_path / "out").keys() == kept.keys()
    assert files(tmp_path / "out")[whole.name] == kept[whole.name]


# Processes

LONG = ("cluster.workers=2:6:lin5", NOISY, ("synchronous-pg",))
RUNS = 10
"""Each a job; two processes have about half of them when the first one has ended."""
FIRST_ENDED = "simulator.campaign.progress:Progress.ended"


def words_of(exact, out):
    """The long study, by two processes at a time."""
    vary, settings, (method,) = LONG
    words = ["complexity", exact, "--vary", vary, "--methods", method, "--seeds", "0,1"]
    words += [word for setting in settings for word in ("--set", setting)]
    return [*words, "--jobs", "2", "--out", out, "--quiet"]


def test_an_interrupt_from_the_terminal_is_one_line_and_leaves_no_process(exact, tmp_path):
    out = tmp_path / "out"
    # All processes in the foreground get it.
    printed = ended(
        start_sending(signal.SIGINT, FIRST_ENDED, words_of(exact, out), group=True), 130
    )
    # Where Python waits for what a process had half written, it also warns of its semaphores.
    assert printed.splitlines()[0] == "straggle: interrupted; the same command goes on where it was"
    assert "Traceback" not in printed
    assert 0 < len(files(out)) < RUNS
    assert not (out / "complexity.parquet").exists()


# What goes wrong


def test_a_run_that_fails_is_a_row_and_the_others_go_on(exact, tmp_path):
    words = ["complexity", exact, "--vary", "cluster.workers=2,3", "--out", tmp_path / "out"]
    words += ["--methods", "synchronous-pg,rennala-pg", "--set", "methods.synchronous-pg.step=1e3"]
    answer = straggle(*words, "--jobs", "1", "--quiet")
    assert (answer.code, answer.out, answer.err) == (3, "", "")
    frame = pd.read_parquet(tmp_path / "out" / "complexity.parquet")
    failed = frame["method"] == "synchronous-pg"
    assert set(frame["end"][failed]) == {"failed"}
    assert frame["message"][failed].str.len().min() > 10
    assert frame["seconds"][failed].isna().all()
    assert set(frame["end"][~failed]) == {"target"}
    assert frame["reached"].tolist() == (~failed).tolist()
    notes = growth.notes(frame, 0.9)
    assert [note for note in notes if note.startswith("synchronous-pg failed at workers n = 2")]
    assert growth.fitted(frame, 0.9)["reached"].tolist() == [0, 2]
    drawn = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert drawn == {"complexity.png"}


def test_exponents_far_from_theory_point_to_the_page_that_explains_them():
    rows = [
        {"method": method, "value": n, "seed": seed, "seconds": n**power, "predicted": n**1.0}
        for method, power in (("near", 1.1), ("far", -0.4))
        for n in (10, 100, 1000)
        for seed in (0, 1)
    ]
    frame = pd.DataFrame(rows).assign(parameter="workers n", reached=True, end="target")
    (note,) = (note for note in growth.notes(frame, 0.9) if "docs/tables.md" in note)
    assert "far apart for far:" in note


def test_unwritable_directories_and_impossible_runs_are_refused_in_a_line(exact, tmp_path):
    (tmp_path / "full").mkdir()
    written(tmp_path / "full" / "thesis.tex", "do not touch")
    for words, complaint in [
        (["--out", tmp_path / "full"], "holds something else; name another directory"),
        (["--out", tmp_path / "full" / "thesis.tex"], "is a file; name a directory"),
        (["--jobs", "0"], "Invalid value for '--jobs': "),
        (["--methods", "nobody"], "--methods nobody: not in this scenario"),
    ]:
        answer = straggle("complexity", exact, "--vary", "cluster.workers=2", *words)
        assert answer.code == 2
        assert complaint in answer.err
        assert answer.err.count("\n") == 1
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    with pytest.raises(Mistake, match="jobs = 0: must be at least 1"):
        run(exact, tmp_path / "out", "cluster.workers=2", jobs=0)


# What theory says


def asked(exact, *settings):
    return load(str(exact), settings)


@pytest.mark.parametrize("method", ["synchronous-pg", "rennala-pg", "asynchronous-pg", "afedpg"])
def test_a_prediction_is_theorys_for_the_workers_and_their_network(exact, method):
    scenario = asked(
        exact,
        "cluster.compute=[1, 2, 3, 40]",
        "network={upload=[4, 3, 2, 1], download=0.5}",
        "objective.scale=0.3",
    )
    gap = problem_of(scenario, method).gap
    # A tridiagonal quadratic of four variables with noise of 0.3 in each.
    problem = Problem((1 + math.cos(math.pi / 5)) / 2, 0.0, 0.3 * 2, gap)
    law = METHODS[method].complexity([1, 2, 3, 40], [4.5, 3.5, 2.5, 1.5], problem, 0.1)
    assert predicted(scenario, method) == pytest.approx(law.total, rel=1e-12)


def test_the_method_is_believed_about_the_hessian(exact):
    theory = "methods.afedpg={method='rennala-nigt', theory={eps=0.3, hessian_smoothness=2}}"
    scenario = asked(exact, theory)
    problem = problem_of(scenario, "afedpg")
    assert problem.hessian_smoothness == 2
    law = METHODS["rennala-nigt"].complexity([1] * 4, [0] * 4, problem, 0.1)
    assert predicted(scenario, "afedpg") == law.total


def test_the_mean_of_random_durations_stands_for_them(exact):
    one, settings = "synchronous-pg", ["cluster.workers=1"]
    of_a_second = predicted(asked(exact, *settings), one)
    found = predicted(asked(exact, *settings, NOISY[1]), one) / of_a_second
    # An exponential's deviation is its mean.
    assert found == pytest.approx(2, abs=4 * 2 / sqrt(DRAWS))
    assert found != 2


NOTHING = {
    "speeds change": ["cluster.speed={law='periodic', period=9, times=[0, 4], speeds=[1, 0.5]}"],
    "workers fail": ["cluster.failures={mean_time_between_failures=9, mean_time_to_repair=1}"],
    "no target": ["stop={seconds=9}"],
    "another metric": ["evaluation.metric=gap"],
    "unknown constants": [
        'objective={kind="policy-gradient", environment="CartPole-v1"}',
        "evaluation={}",
    ],
    "no such theorem": [
        "methods.synchronous-pg={method='vanilla-asynchronous-pg', step=1, momentum=1}"
    ],
    "no worker finishes": ["cluster.compute=inf"],
}


@pytest.mark.parametrize("why", NOTHING)
def test_without_theory_there_is_no_prediction(why, exact):
    assert predicted(asked(exact), "synchronous-pg") > 0
    assert math.isnan(predicted(asked(exact, *NOTHING[why]), "synchronous-pg"))


# Messages


def test_the_table_and_the_data_tell_the_exponents(tmp_path):
    values = [1, 10, 100] * 2
    lines = {"method": ["law"] * 3 + ["lost"] * 3, "parameter": "workers n", "value": values}
    seconds, law = [2.0, 20.0, 200.0, nan, nan, nan], [1.0, 1.0, 1 - 1e-9, nan, nan, nan]
    frame = pd.DataFrame(lines | {"seconds": seconds, "predicted": law})
    frame = frame.assign(seed=0, end="stop", message="")
    frame["reached"] = frame["seconds"].notna()
    table = growth.table(frame, 0.9)
    dash = "\N{EN DASH}"
    assert table.rows == [
        ["law", "2", "200", "1.00", "1.00 to 1.00", "0.00", "3/3"],
        ["lost", dash, dash, dash, dash, dash, "0/3"],
    ]
    data = json.loads(json.dumps(growth.as_data(frame, tmp_path, 0.9), allow_nan=False))
    assert data["directory"] == str(tmp_path)
    assert data["parameter"] == "workers n"
    assert data["values"] == [1, 10, 100]
    law, lost = data["methods"]
    assert law["measured"] == pytest.approx(1)
    assert law["constant"] == pytest.approx(20)
    assert (lost["measured"], lost["reached"], lost["of"]) == (None, 0, 3)


def test_a_tick_has_no_more_digits_than_one_reads():
    frame = pd.DataFrame({"method": "a", "parameter": "eps", "value": [0.0840896, 0.4, 1234]})
    frame = frame.assign(seed=0, seconds=[3.0, 2.0, 1.0], predicted=nan)
    labels = analysis.plot_complexity(frame).get_xticklabels()
    assert [label.get_text() for label in labels] == ["0.0841", "0.4", "1,234"]


def test_the_command_tells_each_run_and_the_outcome(exact, tmp_path):
    words = ["complexity", exact, "--vary", "cluster.workers=2,4", "--methods", "synchronous-pg"]
    words += ["--jobs", "1", "--out", tmp_path / "out"]
    answer = straggle(*words)
    lines = answer.err.splitlines()
    ended_runs = [line.partition(" ")[0] for line in lines if line.startswith("[")]
    assert ended_runs == ["[1/2]", "[2/2]"]
    assert "seconds at 2" in answer.out
    assert f"results: {tmp_path / 'out'}" in answer.out.replace("\n", "")
    words += ["--json", "--report", "--figures", "none", "--confidence", "0.8"]
    answer = straggle(*words)
    assert (answer.code, answer.err) == (0, "")
    said = json.loads(answer.out)
    assert said["methods"][0]["measured"] == pytest.approx(0, abs=1e-9)
    # A later report has the intervals that the command had.
    page = Path(said["report"]).read_bytes()
    assert b"interval: 80%" in page
    again = json.loads(straggle("report", tmp_path / "out", "--json").out)
    found = {"directory": str(tmp_path / "out"), "report": said["report"], "bytes": len(page)}
    assert again == [found]
    assert Path(said["report"]).read_bytes() == page


@pytest.mark.parametrize(
    ("source", "vary", "printed"),
    [
        ("one-straggler", "eps=0.2,0.4", "evaluation.metric = 'gap'; add --set evaluation.metric="),
        ("straggler", "eps=0.2,0.4", "which this objective does not know; vary stop.target"),
        ("one-straggler", "batch=4,8", "--vary batch: changes nothing about afedpg"),
        ("aimless", "cluster.workers=2", "stop.target: is missing"),
    ],
)
def test_a_study_without_a_result_is_refused(source, vary, printed, tmp_path):
    if source == "aimless":
        source = str(written(tmp_path / "aimless.toml", EXACT.replace(", target = 0.1", "")))
    with pytest.raises(Mistake, match=re.escape(printed)):
        study.plan(source, read(vary), methods=["afedpg"])


def test_studies_of_two_parameters_have_two_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = [read(f"{path}=1,2") for path in ("a[-1]", "b.c")]
    places = {study.claim(None, "x", vary).name for vary in wanted}
    assert places == {"complexity-x-a-1", "complexity-x-b.c"}
