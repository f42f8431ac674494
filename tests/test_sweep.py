"""Does a sweep run what was asked, keep it, choose honestly, and say what is wrong in a line?"""

import json
import math
import os
import signal
import subprocess
import tomllib
from functools import partial
from random import Random

import children
import numpy as np
import pandas as pd
import pytest
from children import ended, start, start_sending
from compiled import compiled_once
from hypothesis import given
from hypothesis import strategies as st
from test_cli import one_line, straggle, written
from test_study import files

from simulator import analysis
from simulator.campaign import campaign, processes, task
from simulator.campaign.campaign import TOGETHER, Plan
from simulator.campaign.rows import Rows, claim
from simulator.campaign.task import key_of
from simulator.commands.json_schema import sweep_schema
from simulator.mistakes import Mistake
from simulator.results import results
from simulator.scenario.files import shipped
from simulator.scenario.loading import load
from simulator.scenario.toml_text import document
from simulator.sweeps import halving, sensitivity, settings, sweep, sweep_file, trials
from simulator.sweeps import tuning as tuned
from simulator.sweeps.score import best, ranked, score_of
from simulator.sweeps.sweep import conduct
from simulator.system import machine
from simulator.training.schedules import schedule_key

__all__ = ["compiled_once"]  # the fixture

SCENARIO = """
seeds = [0, 1]
cluster = { workers = 3, compute = [1, 2, 4] }
objective = { kind = "quadratic", dimension = 4, scale = 0.05 }
evaluation = { every_steps = 2 }
stop = { seconds = 20 }
[methods.rennala-nigt]
batch = 2
step = 0.1
momentum = 0.5
[methods.afedpg]
step = 0.1
momentum = 0.5
[methods.synchronous-pg]
step = 0.1
"""
HEAD = 'scenario = "small.toml"\n'
STEPS = """
scenario = "small.toml"
[grid]
"methods.*.step" = [0.05, 0.2]
methods.rennala-nigt.batch = [2, 3]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweeps")
    written(folder / "small.toml", SCENARIO)
    written(folder / "steps.toml", STEPS)
    return folder


def asked(folder, text, name="asked.toml"):
    """A sweep file beside the scenario."""
    return written(folder / name, text)


def settings_of(folder, text):
    found = sweep_file.read(asked(folder, text))
    return settings.settings(found, found.methods)


def printed(folder, text):
    """What each method's settings are, in words."""
    found = {}
    for setting in settings_of(folder, text):
        found.setdefault(setting.method, []).append(settings.describe(setting.values))
    return found


def run(source, out, **others):
    return conduct(source, out=out, **({"quiet": True, "jobs": 1} | others))


def same(frame, other):
    """All but how long it took."""
    mine, theirs = (each.drop(columns="real_seconds") for each in (frame, other))
    pd.testing.assert_frame_equal(mine, theirs, check_exact=True)


@pytest.fixture(scope="module")
def done(folder, tmp_path_factory):
    return run(folder / "steps.toml", tmp_path_factory.mktemp("done") / "out")


# Which settings there are


SETTINGS = {
    "a key of a method multiplies the runs of no other method": (
        "[grid]\n'methods.*.step' = [0.05, 0.2]\nmethods.rennala-nigt.batch = [2, 3]",
        {
            "rennala-nigt": [f"step = {s}, batch = {b}" for s in (0.05, 0.2) for b in (2, 3)],
            "afedpg": ["step = 0.05", "step = 0.2"],
            "synchronous-pg": ["step = 0.05", "step = 0.2"],
        },
    ),
    "a setting with a default can be varied": (
        "grid = { 'methods.*.initial_batch' = [3, 4] }",
        {"rennala-nigt": ["initial_batch = 3", "initial_batch = 4"], "afedpg": [""]},
    ),
    "the grid multiplies the settings of a list": (
        "list = [{ methods.rennala-nigt = { step = 0.1, batch = 2 } }, "
        "{ methods.rennala-nigt = { step = 0.2, batch = 4 } }, { methods.afedpg.step = 0.3 }]\n"
        "grid = { 'methods.*.momentum' = [0.2, 0.4] }",
        {
            "rennala-nigt": [
                f"momentum = {m}, step = {s}, batch = {b}"
                for s, b in ((0.1, 2), (0.2, 4))
                for m in (0.2, 0.4)
            ],
            "afedpg": ["momentum = 0.2, step = 0.3", "momentum = 0.4, step = 0.3"],
            "synchronous-pg": [""],
        },
    ),
    "a key that an entry of a list lacks is that of the scenario": (
        "list = [{ methods.afedpg.step = 0.3 }, { methods.afedpg.momentum = 0.4 }]",
        {"afedpg": ["step = 0.3, momentum = 0.5", "step = 0.1, momentum = 0.4"]},
    ),
    "theory chooses the keys that are left open": (
        "set = { methods.rennala-pg = { theory = { factor = 2 } }, "
        "evaluation.metric = 'gradient_norm' }\n"
        "grid = { methods.rennala-pg = { theory = { eps = [0.4, 0.8] }, step = [0.1, 0.2] } }",
        {"rennala-pg": [f"theory.eps = {e}, step = {s}" for e in (0.4, 0.8) for s in (0.1, 0.2)]},
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_sweep_tries_the_settings_of_its_grid_and_list(name, folder):
    text, expected = SETTINGS[name]
    found = printed(folder, HEAD + text)
    assert {method: found[method] for method in expected} == expected


def test_a_key_of_the_cluster_makes_cases_for_all_methods(folder):
    text = "[grid]\ncluster.compute = [2, [3, 3, 3], { law = 'power', exponent = 0.5 }]\n"
    found = settings_of(folder, HEAD + text + "methods.afedpg.step = [1, 2]")
    assert [setting.method for setting in found].count("afedpg") == 6
    assert len({setting.case for setting in found}) == 3
    assert found[-1].case == 'cluster.compute = { law = "power", exponent = 0.5 }'
    laws = {setting.scenario.cluster.compute.law for setting in found}
    assert laws == {"fixed", "power"}


def test_set_fixes_a_key_for_all_methods_with_or_without_quotes(folder):
    text = """
    seeds = [5]
    [set]
    stop.steps = 7
    "methods.*.step" = 0.5
    objective = { kind = "quadratic", dimension = 9 }
    [grid]
    cluster.workers = [3]
    """
    for setting in settings_of(folder, HEAD + text):
        scenario = setting.scenario
        assert (scenario.stop.steps, scenario.stop.seconds, scenario.seeds) == (7, 20, [5])
        assert scenario.methods[setting.method].step == 0.5
        assert scenario.objective.dimension == 9


def planned(found, methods=None, yes=False):
    return [*trials.trials_of(found, trials.settings_of(found, methods, yes), halving.WHOLE)]


def test_a_run_is_known_by_its_content(folder):
    tried = {
        (t.setting.method, settings.describe(t.setting.values), t.task.seed): t.task.key
        for t in planned(sweep_file.read(folder / "steps.toml"))
    }
    assert len(set(tried.values())) == len(tried) == 16
    other = STEPS.replace("0.05, 0.2", "0.2, 0.7").replace("scenario", 'title = "x"\nscenario')
    again = {t.task.key for t in planned(sweep_file.read(asked(folder, other)), ["afedpg"])}
    shared = {
        key for (method, at, _), key in tried.items() if (method, at) == ("afedpg", "step = 0.2")
    }
    assert again & {*tried.values()} == shared


# What is wrong


WRONG = {
    "gird = {}": "gird: unknown key; did you mean 'grid'?",
    "": "grid: is missing; a sweep varies something: give [grid] or [[list]]",
    "[grid]": "grid: is empty; name a key and its values, or leave it out",
    "list = []": "list: is empty; name some settings, or leave it out",
    "list = [{}]": "list[0]: is empty; name a key and its value",
    "list = [3]": "list[0] = 3: must be a table",
    "grid = [3]": "grid = [3]: must be a table",
    "grid = { stop.seconds = [] }": "grid.stop.seconds = []: is empty; name the values to try",
    "grid = { stop.seconds = 3 }": "grid.stop.seconds = 3: must be a list of values",
    "grid = { stop.seconds = [3, 3] }": "grid.stop.seconds: 3 is given twice; name it once",
    "grid = { stop.sconds = [3] }": "stop.sconds: unknown key; did you mean 'seconds'?",
    "grid = { stop.seconds.of = [3] }": "grid.stop.seconds.of: stop.seconds is not a table",
    "grid = { 'cluster.compute[9]' = [3] }": (
        "grid.cluster.compute[9]: cluster.compute has 3 entries, from [0]"
    ),
    "grid = { stop.seconds = ['long'] }": "stop.seconds = 'long': must be a number",
    "grid = { stop.seconds = [-1], stop.steps = [1] }": (
        "at stop.seconds = -1, stop.steps = 1: stop.seconds = -1: must be greater than 0"
    ),
    "grid = { cluster.workers = [3, 4] }": (
        "at cluster.workers = 4: cluster.compute has 3 entries for 4 workers: "
        "give one per worker, or a single number"
    ),
    "grid = { methods = [3] }": "methods: name a setting of a method, such as methods.*.step",
    "grid = { methods.afedgp.step = [3] }": (
        "methods.afedgp.step: the scenario has no method 'afedgp'; did you mean 'afedpg'?"
    ),
    "grid = { 'methods.*.stepp' = [3] }": (
        "methods.*.stepp: no method of the scenario has it; did you mean 'step'?"
    ),
    "grid = { methods.afedpg.stepp = [3] }": (
        "methods.afedpg.stepp: unknown key; did you mean 'step'?"
    ),
    "grid = { 'methods.*.step' = [3], methods.afedpg.step = [4] }": (
        "methods.*.step and methods.afedpg.step: one says what the other says; keep one of them"
    ),
    "grid = { 'cluster.compute' = [3], 'cluster.compute[1]' = [4] }": (
        "cluster.compute and cluster.compute[1]: one says what the other says; keep one of them"
    ),
    "grid = { methods.afedpg.step = [1, 1.0] }": (
        "afedpg: step = 1 and step = 1.0 are one setting, said twice"
    ),
    "grid = { stop.steps = [3] }\nlist = [{ stop.steps = 4 }]": (
        "stop.steps: is given twice, in grid and in list; keep one"
    ),
    "grid = { stop.steps = [3] }\nset = { stop.steps = 4 }": (
        "stop.steps: is given twice, in set and where it is varied; keep one"
    ),
    "list = [{ stop.steps = 4 }, { stop.steps = 4 }]": (
        'list: { "stop.steps" = 4 } is given twice; name it once'
    ),
    "seeds = [1]\ngrid = { seeds = [[1], [2]] }": (
        "seeds: is given twice; say it once, or vary it"
    ),
    "score = { kind = 'time' }\ngrid = { stop.steps = [3] }": (
        "score.kind = 'time': needs a stop.target, and the scenario has none"
    ),
    "score = { kind = 'best' }\ngrid = { stop.steps = [3] }": (
        "score.kind = 'best': must be 'value', 'average', 'late' or 'time'"
    ),
    "score = { seconds = 30 }\ngrid = { stop.steps = [3] }": (
        "score.seconds = 30: is later than stop.seconds = 20"
    ),
    "score = { seconds = 15 }\ngrid = { stop.seconds = [20, 9], stop.steps = [3] }": (
        "at stop.seconds = 9, stop.steps = 3: score.seconds = 15: is later than stop.seconds = 9"
    ),
    "set = { stop.sconds = 3 }\ngrid = { 'methods.*.step' = [3] }": (
        "stop.sconds: unknown key; did you mean 'seconds'?"
    ),
    f"grid = {{ methods.afedpg.step = {[*range(1, 300)]} }}": (
        "602 runs are more than 500; --yes if they are meant"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_is_one_line_before_any_work(text, folder, tmp_path):
    answer = straggle("sweep", asked(folder, HEAD + text), "--out", tmp_path / "out")
    assert one_line(answer) == WRONG[text]
    assert not (tmp_path / "out").exists()


def test_a_missing_scenario_is_reported_with_the_nearest(folder):
    text = 'scenario = "stragler"\ngrid = { stop.steps = [3] }'
    assert one_line(straggle("sweep", asked(folder, text))) == (
        "scenario = 'stragler': no such file beside this one or shipped scenario; "
        "did you mean 'straggler'?"
    )


def test_many_runs_are_run_if_they_are_meant(folder):
    text = HEAD + f"grid = {{ methods.afedpg.step = {[*range(1, 300)]} }}"
    found = sweep_file.read(asked(folder, text))
    assert len(planned(found, yes=True)) == 602
    assert len(planned(found, ["rennala-nigt"])) == 2


def test_a_scenario_in_place_of_a_sweep_is_named(folder, tmp_path):
    steps, small = folder / "steps.toml", folder / "small.toml"
    for words, hint in [
        (["run", steps], f"{steps}: is a sweep, not a scenario; straggle sweep {steps} runs it"),
        (["run", "straggler-steps"], "straggler-steps: is a sweep, not a scenario"),
        (["sweep", small], f"{small}: is a scenario, not a sweep; straggle run {small} runs it"),
        (["sweep", "straggler"], "straggler: is a scenario, not a sweep; straggle run straggler"),
        (["sweep", "stragler-steps"], "did you mean 'straggler-steps'?"),
        (["sweep", tmp_path], f"{tmp_path}: is a directory, not a sweep file"),
        (["sweep", steps, "--methods", "x"], "--methods x: not in this scenario; known: afedpg"),
    ]:
        assert hint in one_line(straggle(*words))


def test_sweeps_and_studies_keep_out_of_each_others_directories(folder, done, tmp_path):
    words = ["complexity", folder / "small.toml", "--vary", "cluster.compute[0]=1,2"]
    words += ["--set", "stop.target=0.1", "--out"]
    assert "holds something else" in one_line(straggle(*words, done.directory))
    (tmp_path / "runs").mkdir()
    sweeping = ["sweep", folder / "steps.toml", "--out", tmp_path]
    assert "holds something else" in one_line(straggle(*sweeping))


def test_a_sweep_may_grow_in_place_but_another_may_not_replace_it(folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    text = HEAD + "seeds = [0]\ngrid = { methods.afedpg.step = [0.1, 0.2] }"
    source, both = asked(folder, text), ["afedpg", "synchronous-pg"]
    run(source, out, methods=["afedpg"])
    run(source, out, methods=both)
    kept = {name: (out / name).read_bytes() for name in ("best.toml", "sweep.json")}
    other = asked(folder, text.replace("0.1, 0.2", "0.3"), "other.toml")
    with pytest.raises(Mistake, match="2 of its 3 runs are not in this one; name another"):
        run(other, out, methods=both)
    with pytest.raises(Mistake, match="holds another sweep, or more of it: 1 of its 3 runs"):
        run(source, out, methods=["afedpg"])
    with pytest.raises(Mistake, match="3 of its 3 runs"):
        run(source, out, methods=both, seeds=[1])
    assert {name: (out / name).read_bytes() for name in kept} == kept
    run(asked(folder, text.replace("0.2", "0.2, 0.4")), out, methods=both, seeds=[1, 0])
    monkeypatch.setattr(task, "_versions", lambda: ["upgraded"])
    assert len(run(source, out, methods=both, seeds=[0, 1]).frame) == 8


@pytest.mark.parametrize("wrong", ["0", "-1", "two", "1.5"])
def test_the_number_of_cores_may_be_set(wrong, monkeypatch):
    monkeypatch.setenv("STRAGGLE_CORES", "3")
    assert machine.cores() == 3
    monkeypatch.setenv("STRAGGLE_CORES", wrong)
    with pytest.raises(Mistake, match=f"STRAGGLE_CORES = '{wrong}': must be a whole number"):
        machine.cores()


def test_runs_side_by_side_start_no_further_processes(monkeypatch):
    monkeypatch.setenv("STRAGGLE_CORES", "2")
    works, printed = {"OMP_NUM_THREADS": None, "XLA_FLAGS": None}, {}
    processes.Local(2).run(children.variable, works, printed.__setitem__)
    assert printed["OMP_NUM_THREADS"] == "1"
    assert "multi_thread_eigen=false" in printed["XLA_FLAGS"]


def test_cores_that_become_free_go_to_the_work_that_is_left(monkeypatch):
    monkeypatch.setenv("STRAGGLE_CORES", "2")
    printed: dict[str, list[int]] = {"short": [], "long": []}
    processes.Local(2).run(
        children.cores, {"short": 1, "long": 2}, lambda name, item: printed[name].append(item)
    )
    assert printed["short"] == [1, 1]
    assert printed["long"][-1] == 2


def test_a_job_of_a_dead_process_is_done_by_another(tmp_path):
    works, printed = {"a": tmp_path / "a", "b": None}, {}
    processes.Local(2).run(children.die_once, works, printed.__setitem__)
    assert printed == {"a": "done", "b": "done"}


def test_a_piece_at_which_every_process_dies_ends_all_in_one_line():
    with pytest.raises(Mistake, match=r"^a: the process that did it died 2 times, .* code 7; "):
        processes.Local(2).run(children.die, {"a": None, "b": None}, lambda name, item: None)


def test_an_error_in_a_process_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        processes.Local(2).run(children.fail, {"a": 1, "b": 0}, lambda name, item: None)


# What comes out


def test_a_row_agrees_with_the_run_itself(folder, done, tmp_path):
    """The same method at the same setting, by ``straggle run``."""
    row = done.frame.query("method == 'rennala-nigt' and step == 0.2 and batch == 3 and seed == 1")
    at = ["--set", "methods.rennala-nigt.step=0.2", "--set", "methods.rennala-nigt.batch=3"]
    words = ["--seeds", "1", "--methods", "rennala-nigt", "--out", tmp_path / "one", "--quiet"]
    assert straggle("run", folder / "small.toml", *at, *words).code == 0
    alone = results.load(tmp_path / "one")
    curve = alone.steps.dropna(subset="gap")
    kept = json.loads((done.directory / "runs" / f"{row['key'].item()}.json").read_text())["curve"]
    assert kept["gap"] == curve["gap"].tolist()
    assert (kept["time"], kept["server_step"]) == (curve["time"].tolist(), curve["step"].tolist())
    assert row["score"].item() == row["final"].item() == curve["gap"].iloc[-1]
    assert row["steps"].item() == alone.runs["steps"].item()
    assert row["gradients"].item() == alone.runs["used"].item()


def test_a_sweep_keeps_a_row_per_run_and_its_curves(done):
    frame = pd.read_parquet(done.directory / "sweep.parquet")
    pd.testing.assert_frame_equal(frame, done.frame)
    sizes = {"rennala-nigt": 8, "afedpg": 4, "synchronous-pg": 4}
    assert frame.groupby("method", sort=False).size().to_dict() == sizes
    assert frame["batch"].isna().tolist() == (frame["method"] != "rennala-nigt").tolist()
    curves = pd.read_parquet(done.directory / "curves.parquet")
    last = curves.groupby(["setting", "seed"], sort=False)["gap"].last()
    assert last.tolist() == frame["final"].tolist()
    assert {"method", "step", "batch", "time", "server_step", "gap"} <= {*curves}
    manifest = json.loads((done.directory / "sweep.json").read_text())
    assert manifest["sweep"]["grid"]["methods.*.step"] == [0.05, 0.2]
    assert manifest["runs"] == frame["key"].tolist()
    assert manifest["versions"]["jax"]


def test_the_best_scenario_holds_the_best_rows(done):
    scenario = load(str(done.directory / "best.toml"))
    assert scenario.seeds == [2, 3]  # no seed that chose a setting compares it
    chosen = best(ranked(done.frame))
    rows = done.frame[done.frame["setting"].isin(chosen["setting"])]
    assert len(rows) == 3 * 2
    for row in rows.itertuples():
        assert key_of(scenario, row.method, row.seed) == row.key


def test_each_case_has_a_scenario_of_its_best(folder, tmp_path):
    text = HEAD + "[grid]\ncluster.in_flight = ['recall', 'finish']\nmethods.afedpg.step = [0.1, 1]"
    swept = run(asked(folder, text), tmp_path / "out", methods=["afedpg"])
    files = sorted(tmp_path.glob("out/best*"))
    assert [file.name for file in files] == ["best-1.toml", "best-2.toml"]
    assert [load(str(file)).cluster.in_flight for file in files] == ["recall", "finish"]
    assert len(tuned.tables(tuned.best_of(swept.frame), swept)) == 2


def test_a_speed_trace_goes_with_the_best(folder, tmp_path):
    written(folder / "speeds.csv", "worker,time,speed\n0,0,1\n0,5,0.5\n1,0,1\n2,0,1\n")
    text = (
        HEAD
        + """
    [set]
    cluster.speed = { law = "trace", file = "speeds.csv" }
    [grid]
    methods.afedpg.step = [0.1, 0.2]
    """
    )
    swept = run(asked(folder, text), tmp_path / "out", methods=["afedpg"], seeds=[0])
    scenario = load(str(tmp_path / "out" / "best.toml"))
    assert key_of(scenario, "afedpg", 0) in swept.frame["key"].tolist()
    assert scenario.files["cluster.speed.file"] == tmp_path / "out" / "best-speed.csv"


# What was run is not run again


def test_a_finished_sweep_is_only_read_and_another_score_costs_nothing(folder, tmp_path):
    source = asked(folder, STEPS)
    first = run(source, tmp_path / "out", methods=["afedpg"])
    before = files(tmp_path / "out")
    pd.testing.assert_frame_equal(
        run(source, tmp_path / "out", methods=["afedpg"]).frame, first.frame
    )
    other = asked(folder, STEPS + "[score]\nkind = 'average'")
    again = run(other, tmp_path / "out", methods=["afedpg"])
    assert files(tmp_path / "out") == before
    assert (again.frame["score"] != first.frame["score"]).all()
    more = run(source, tmp_path / "out", methods=["afedpg"], seeds=[0, 1, 2])
    assert {**files(tmp_path / "out"), **before} == files(tmp_path / "out")
    assert len(files(tmp_path / "out")) == len(more.frame) == 6


class Backwards:
    """Another engine: the last job first, all in this process."""

    jobs = 3

    def run(self, act, works, on_item, kind=None):
        for name, work in reversed(works.items()):
            act(name, work, partial(on_item, name))


def test_the_rows_do_not_depend_on_the_runner(folder, done, tmp_path):
    tasks = [trial.task for trial in done.trials if trial.setting.method == "afedpg"]
    ended, store = [], Rows(claim(tmp_path / "out", lambda there: True), sweep.NEEDED)
    plan = Plan(sweep.row_of, lambda task, row: ended.append(task.key) or "", together=8)
    campaign.conduct(tasks, plan, store, jobs=Backwards())
    assert sorted(ended) == sorted(task.key for task in tasks)
    expected = {row.key: row.final for row in done.frame.itertuples()}
    assert {key: row["final"] for key, row in store.found.items()} == {
        t.key: expected[t.key] for t in tasks
    }


def test_runs_of_one_schedule_are_cut_so_that_all_cores_have_work(folder, tmp_path):
    tasks = [t.task for t in planned(sweep_file.read(folder / "steps.toml"))]
    for cores, most in ((1, 8), (2, 4), (8, 1)):
        plan = Plan(sweep.row_of, lambda task, row: "", together=TOGETHER)
        jobs = campaign.jobs_of(tasks, plan, cores)
        named = [task.key for job in jobs.values() for task in job.tasks]
        assert sorted(named) == sorted(task.key for task in tasks)
        assert max(len(job.tasks) for job in jobs.values()) <= most
        for job in jobs.values():
            assert len({schedule_key(task.scenario()) for task in job.tasks}) == 1


LONG = """
scenario = "small.toml"
seeds = [0, 1, 2, 3, 4]
[set]
cluster.compute = { law = "exponential", mean = 2 }
stop.seconds = 50
[grid]
"methods.*.step" = [0.01, 0.02]
"""
KILLS = int(os.environ.get("STRAGGLE_KILLS", "2"))
RUNS = 20
"""In ten jobs; two processes have less than half of them when the first one has ended."""
TWO = ["rennala-nigt", "synchronous-pg"]
FIRST_ENDED = "simulator.campaign.progress:Progress.ended"


def words_of(source, out):
    """The long sweep, by two processes at a time."""
    return ["sweep", source, "--methods", ",".join(TWO), "--jobs", "2", "--out", out, "--quiet"]


def test_a_killed_sweep_continues(folder, tmp_path):
    source, out = asked(folder, LONG), tmp_path / "out"
    # The processes hold an end of its pipes, too: they close when the last of them has gone.
    ended(start_sending(signal.SIGKILL, FIRST_ENDED, words_of(source, out)), -signal.SIGKILL)
    kept = files(out)
    assert 0 < len(kept) < RUNS
    assert not (out / "sweep.parquet").exists()
    frame = run(source, out, methods=TWO).frame
    assert {**files(out), **kept} == files(out)
    assert len(files(out)) == len(frame) == RUNS
    # Some in two processes, some here; and all of them here.
    same(frame, run(source, tmp_path / "one", methods=TWO).frame)


SAVED = "simulator.training.checkpoint:Keeper.save"
EAGER = {"STRAGGLE_CHECKPOINT_SECONDS": "0"}


def test_a_sweep_that_was_killed_inside_its_runs_goes_on_from_their_checkpoints(folder, tmp_path):
    """The runs of a schedule train side by side, and each has checkpoints of its own."""
    source, out = asked(folder, LONG), tmp_path / "out"
    words = [*words_of(source, out), "--jobs", "1"]
    ended(start_sending(signal.SIGKILL, SAVED, words, nth=2, **EAGER), -signal.SIGKILL)
    assert not files(out)
    begun = {path.name.split(".")[0] for path in (out / "checkpoints").iterdir()}
    frame = run(source, out, methods=TWO).frame
    assert len(begun) == 1
    assert begun < set(frame["key"])
    assert not (out / "checkpoints").exists()
    same(frame, run(source, tmp_path / "one", methods=TWO).frame)


@pytest.mark.nightly
def test_a_sweep_that_is_killed_at_random_moments(folder, tmp_path):
    source, chance = asked(folder, LONG), Random(1)
    whole, out, longest, kills = run(source, tmp_path / "one", methods=TWO).frame, None, 20.0, 0
    while kills < KILLS:
        out = out or tmp_path / f"out-{kills}"
        process = start(words_of(source, out), **EAGER)
        try:
            process.wait(chance.uniform(0.1, 1) * longest)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
        else:  # it was quicker: next time less patience, and once more from its start
            ended(process)
            longest, out = longest * 0.7, None
    same(whole, run(source, out or tmp_path / "last", methods=TWO).frame)


# The score

CURVE = {"time": [0.0, 1.0, 3.0], "step": [0, 1, 2], "return": [2.0, 4.0, 8.0]}


@pytest.mark.parametrize(
    ("kind", "seconds", "expected"),
    [
        ("value", None, 8),
        ("value", 0.5, 2),
        ("value", 1.0, 4),
        ("value", 2.9, 4),
        ("value", 50.0, 8),  # it ended at its target, and keeps its policy
        ("average", 0.5, 2),
        ("average", 2.0, (1 * 2 + 1 * 4) / 2),
        ("average", 5.0, (1 * 2 + 2 * 4 + 2 * 8) / 5),
        ("time", None, 2.5),
    ],
)
def test_the_score_of_a_run_by_hand(kind, seconds, expected):
    row = {"end": "target", "metric": "return", "seconds": 2.5, "curve": CURVE}
    assert score_of(row, kind, seconds) == pytest.approx(expected, rel=1e-15)
    for end in ("failed", "stalled"):
        assert math.isnan(score_of(row | {"end": end}, kind, seconds))
    assert score_of(row | {"seconds": math.nan, "end": "stop"}, "time", None) == math.inf


def frame_of(scores, kind="value", better="higher", **columns):
    """A frame of one method: a list of scores by its step, None where a run failed."""
    rows = [
        {"setting": at, "step": step, "seed": seed, "score": math.nan if score is None else score}
        for at, (step, mine) in enumerate(scores.items())
        for seed, score in enumerate(mine)
    ]
    frame = pd.DataFrame(rows).assign(method="afedpg", case=0, metric="return", better=better)
    frame["end"] = np.where(frame["score"].isna(), "failed", "stop")
    frame = frame.assign(round=1, score_kind=kind, final=frame["score"], message="why", **columns)
    reached = np.isfinite(frame["score"]) & (kind == "time")
    return frame.assign(reached=reached)


NEVER = math.inf
RANKED = {
    "the largest mean": (
        {1: [1.0, 5.0], 2: [4.0, 4.0], 3: [0.0, 2.0]}, {}, {2: 4, 1: 3, 3: 1},
    ),
    "the smallest mean": (
        {1: [1.0, 5.0], 2: [4.0, 4.0], 3: [0.0, 2.0]}, {"better": "lower"}, {3: 1, 1: 3, 2: 4},
    ),
    "failures come last": (
        {1: [None, 100.0], 2: [1.0, 1.0], 3: [None, None], 4: [0.0, 0.0]}, {},
        {2: 1, 4: 0, 1: 100, 3: math.nan},
    ),
    "the median time, then how many reached the target": (
        {1: [9.0] * 3, 2: [1.0, 2.0, NEVER], 3: [NEVER] * 3, 4: [1.0, NEVER, NEVER]},
        {"kind": "time"}, {2: 2, 1: 9, 4: NEVER, 3: NEVER},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RANKED)
def test_settings_are_ranked_by(name):
    scores, options, expected = RANKED[name]
    found = ranked(frame_of(scores, **options))
    assert found["step"].tolist() == [*expected]
    np.testing.assert_array_equal(found["score"], [*expected.values()])
    if "failures" in name:
        assert found["failed"].tolist() == [0, 0, 1, 2]
    if "time" in name:
        assert found["low"].tolist() == [1, 9, 1, NEVER]
        assert found["high"].tolist() == [NEVER, 9, NEVER, NEVER]


def test_a_case_may_have_a_metric_of_its_own():
    up = frame_of({1: [1.0], 2: [2.0]})
    down = frame_of({3: [1.0], 4: [2.0]}, better="lower").assign(case=1)
    down["setting"] += 2
    assert best(ranked(pd.concat([up, down])))["step"].tolist() == [2, 3]


def test_the_first_of_equal_settings_is_best_and_the_others_are_named():
    frame = frame_of({1: [0.0], 2: [3.0], 3: [3.0], 4: [3.0]})
    (chosen,) = best(ranked(frame)).to_dict("records")
    assert (chosen["step"], chosen["tied"]) == (2, 2)


@pytest.mark.parametrize(
    ("scores", "edges"),
    [
        ({1: [1.0], 2: [2.0], 3: [3.0]}, ["its best step is the largest tried"]),
        ({1: [3.0], 2: [2.0], 3: [1.0]}, ["its best step is the smallest tried"]),
        ({1: [1.0], 2: [3.0], 3: [1.0]}, []),
        ({1: [None], 2: [None]}, []),
        ({"a": [1.0], "b": [2.0]}, []),
    ],
)
def test_a_best_value_at_an_end_is_reported(scores, edges):
    frame = frame_of(scores)
    assert tuned.best_of(frame)["edges"].tolist() == [edges]
    elsewhere = frame.rename(columns={"step": "cluster.workers"})
    assert tuned.best_of(elsewhere)["edges"].tolist() == [[]]


# Messages


def test_the_command_prints_runs_best_settings_and_warnings(folder, tmp_path):
    out = tmp_path / "out"
    answer = straggle("sweep", folder / "steps.toml", "--out", out, "--jobs", "1")
    assert answer.code == 0
    lines = [line for line in answer.err.splitlines() if line.startswith("[")]
    assert [line.partition(" ")[0] for line in lines] == [f"[{at}/16]" for at in range(1, 17)]
    assert lines[0].startswith("[1/16] rennala-nigt, step = 0.05, batch = 2, seed 0: gap ")
    for words in ("rennala-nigt", "20% to 80%", "0 of 8", "is the largest tried", "best.toml"):
        assert words in answer.out
    figures = {path.name for path in (out / "figures").iterdir()}
    assert figures == {"sensitivity.png"}


def test_json_is_all_that_is_printed_and_has_no_numbers_that_are_none(folder, tmp_path):
    text = HEAD + "grid = { methods.afedpg.step = [0.1, 1e200] }\nseeds = [0]"
    words = ["sweep", asked(folder, text), "--out", tmp_path / "out", "--jobs", "1", "--json"]
    answer = straggle(*words, "--methods", "afedpg")
    assert (answer.code, answer.err) == (0, "")
    data = json.loads(answer.out, parse_constant=pytest.fail)
    (row,) = data["methods"]
    assert (row["method"], row["setting"]) == ("afedpg", {"step": 0.1})
    assert (row["runs_broken"], row["failed"], row["tried"]) == (1, 0, 2)
    assert data["best"] == [str(tmp_path / "out" / "best.toml")]


def test_a_method_whose_runs_all_failed_has_no_best(folder, tmp_path):
    text = HEAD + "grid = { methods.afedpg.step = [1e200, 1e210] }\nseeds = [0]"
    words, out = ["sweep", asked(folder, text), "--jobs", "1", "--out"], tmp_path / "out"
    answer = straggle(*words, out)
    assert answer.code == 3
    assert "afedpg: all of its runs failed, so it has no best setting" in answer.out
    assert "afedpg failed at step = 1e+200, seed 0: " in answer.out
    assert "best.toml" in answer.out.replace("\n", " ")
    assert [*load(str(out / "best.toml")).methods] == ["rennala-nigt", "synchronous-pg"]
    answer = straggle(*words, tmp_path / "alone", "--methods", "afedpg")
    assert answer.code == 3
    assert "straggle run" not in answer.out
    assert not (tmp_path / "alone" / "best.toml").exists()


# Figures


def drawn(frame):
    return sensitivity.draw_sensitivity(frame)


def test_the_figure_of_steps_has_a_panel_per_method_and_a_line_per_batch(done):
    (figure,) = drawn(done.frame).values()
    panels = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in panels] == [
        "rennala-nigt", "afedpg", "synchronous-pg",
    ]  # fmt: skip
    two, one, _ = panels
    # Batches and the star; a step and the star.
    assert [len(axes.lines) for axes in (two, one)] == [3, 2]
    assert two.lines[0].get_xdata().tolist() == [0.05, 0.2]
    first = ranked(done.frame[done.frame["method"] == "afedpg"]).iloc[0]
    assert (one.lines[1].get_xdata()[0], one.lines[1].get_ydata()[0]) == (
        first["step"], first["score"],
    )  # fmt: skip


def test_steps_that_are_spread_have_a_logarithmic_axis_and_near_ones_have_not():
    for steps, scale in (((0.1, 1, 10), "log"), ((1, 2, 3), "linear"), ((0, 1, 10), "linear")):
        axes = analysis.plot_sensitivity(frame_of({s: [1.0] for s in steps}), method="afedpg")
        assert axes.get_xscale() == scale


def test_other_keys_are_at_their_best_in_each_point():
    frame = frame_of({at: [score] for at, score in enumerate([1.0, 2.0, 4.0, 3.0])})
    frame = frame.assign(step=1, batch=[5, 5, 6, 6], momentum=[1, 2, 1, 2])
    axes = analysis.plot_sensitivity(frame, method="afedpg", x="step", line="batch")
    assert sorted(line.get_ydata().tolist() for line in axes.lines) == [[2], [4], [4]]


@pytest.mark.parametrize("kind", ["value", "time"])
def test_any_key_can_be_drawn_and_failures_with_it(kind):
    never = math.inf if kind == "time" else 3.0
    scores = {"recall": [1.0, 2.0], "finish": [None, None], '{ law = "power" }': [never] * 2}
    frame = frame_of(scores, kind=kind, better="lower").rename(columns={"step": "cluster.compute"})
    assert drawn(frame).keys() == {"sensitivity"}
    both = pd.concat([frame.assign(step=0.1), frame.assign(step=0.2, setting=frame["setting"] + 3)])
    both = pd.concat([both.assign(**{"cluster.workers": n, "case": n}) for n in (2, 3)])
    assert drawn(both).keys() == {"sensitivity-1", "sensitivity-2"}


def of_lines(scores, lines, **others):
    """The same scores by step for each line."""
    frames = [
        frame_of(scores, **others).assign(**{"cluster.compute": line, "case": at})
        for at, line in enumerate(lines)
    ]
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(setting=frame["setting"] + len(scores) * frame["case"])


def edge_marks(axes):
    """Where markers stand beside the points of lines, in pixels."""
    axes.figure.draw_without_rendering()
    marks = [line for line in axes.lines if line.get_transform() != axes.transData]
    return [tuple(mark.get_transform().transform(mark.get_xydata()[0])) for mark in marks]


@pytest.mark.parametrize(("better", "sign"), [("lower", 1), ("higher", -1)])
def test_diverged_runs_are_at_the_edge_and_stretch_no_axis(better, sign):
    scores = {1: [sign * 2.0], 2: [sign * 1.0], 3: [sign * 90.0], 4: [sign * 1e224]}
    (figure,) = drawn(frame_of(scores, better=better)).values()
    (axes,) = figure.axes
    assert max(map(abs, axes.get_ylim())) < 200
    line = axes.lines[0].get_ydata()
    assert line[:3].tolist() == [sign * 2, sign * 1, sign * 90]
    assert math.isnan(line[3])
    ((right, height),) = edge_marks(axes)
    assert (right, height) == pytest.approx(
        (axes.transData.transform((4, sign))[0], axes.transAxes.transform((0, sign > 0))[1])
    )
    assert "Hollow: worse, and over 100 times" in figure.get_supxlabel().replace("\n", " ")


def test_long_times_are_all_on_the_axis():
    scores = {1: [1.0], 2: [1.5], 3: [2.0], 4: [1e5]}
    axes = analysis.plot_sensitivity(frame_of(scores, kind="time"), method="afedpg")
    assert axes.get_ylim()[1] > 1e5
    assert not edge_marks(axes)


def test_marks_at_one_place_of_the_edge_stand_beside_each_other():
    frame = of_lines({1: [1.0], 2: [None], 3: [3.0]}, lines=[5, 6, 7], better="lower")
    axes = analysis.plot_sensitivity(frame, method="afedpg", line="cluster.compute")
    places = [right for right, _ in edge_marks(axes)]
    assert places == sorted(set(places))
    assert np.mean(places) == pytest.approx(axes.transData.transform((2, 1))[0])
    assert axes.get_xlim()[0] < 1 < 3 < axes.get_xlim()[1]


@pytest.mark.parametrize("length", [3, 30, 90])
def test_a_legend_ends_before_the_picture_does(length):
    lines = [letter * length for letter in "abcdefgh"]
    (figure,) = drawn(of_lines({1: [1.0], 2: [2.0]}, lines)).values()
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert [text.get_text()[-1] for text in legend.get_texts()] == [*"abcdefgh", "t"]
    assert legend.get_window_extent().x1 <= figure.bbox.x1
    assert figure.axes[0].get_window_extent().height > 0.6 * figure.dpi * sensitivity.PANEL[1]


def test_a_method_with_failed_runs_only_has_no_score_and_no_best():
    (figure,) = drawn(of_lines({1: [None], 20: [None]}, [5, 6])).values()
    (axes,) = figure.axes
    assert len(axes.get_yticks()) == 0
    assert axes.get_xlim()[0] < 1 < 20 < axes.get_xlim()[1] < 40
    printed = [text.get_text() for text in figure.legends[0].get_texts()]
    assert printed == ["cluster.compute 5", "cluster.compute 6"]


# Around


def test_the_shipped_sweeps_are_valid_and_no_scenarios():
    assert not shipped("sweep").keys() & shipped().keys()
    for name, path in shipped("sweep").items():
        found = sweep_file.read(name)
        assert planned(found, yes=name == "regimes-settings")
        assert found.table.title
        assert path.read_text().startswith("#:schema schema.json\n")
    schema = json.loads((path.parent / "schema.json").read_text())
    assert schema == sweep_schema(), "straggle schema --sweep > scenarios/sweeps/schema.json"


def test_step_and_momentum_share_a_schedule_and_batch_does_not(folder):
    def key(*settings, method="rennala-nigt", seed=0):
        return schedule_key(load(str(folder / "small.toml"), settings).restrict([method], [seed]))

    assert key("methods.*.step=3", "methods.*.momentum=1") == key(seed=1) == key()
    chance = "cluster.compute={law='exponential', mean=1}"
    assert key(chance) != key(chance, seed=1)
    assert key(chance, "cluster.seed=1") == key(chance, "cluster.seed=1", seed=1)
    changes = ["methods.*.batch=3", "stop.seconds=3", "cluster.compute=1", "network.upload=1"]
    assert len({key(), key(method="afedpg"), *map(key, changes)}) == 6


SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab .\"'é"), inner),
    max_leaves=9,
)


@given(st.dictionaries(st.sampled_from(["seeds", "stop", "methods", "a b", ""]), VALUES))
def test_toml_is_read_back_unchanged(tables):
    assert tomllib.loads(document(tables, ("why",))) == tables
