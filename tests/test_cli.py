"""Does the command line do what it says, and say what went wrong in one line?"""

import io
import json
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from compiled import compiled_once

from algorithms.methods import METHODS
from simulator.cli.command_line import run_command
from simulator.cluster import LAWS
from simulator.objectives.catalogue import OBJECTIVES
from simulator.results import results
from simulator.scenario.files import shipped
from simulator.training.record import Run

__all__ = ["compiled_once"]  # the fixture

TINY = """
title = "tiny"
seeds = [0, 1]
[cluster]
workers = 3
compute = [1, 2, 4]
[objective]
kind = "quadratic"
dimension = 4
[evaluation]
every_steps = 5
[stop]
steps = 12
[methods.rennala-nigt]
batch = 2
step = 0.1
momentum = 0.5
[methods.synchronous-nigt]
step = 0.1
momentum = 0.5
"""
CARTPOLE = """
seeds = [0]
cluster = { workers = 2, compute = 1 }
stop = { steps = 2 }
[objective]
kind = "policy-gradient"
environment = "CartPole-v1"
horizon = 20
policy = { hidden = [4] }
[evaluation]
episodes = 4
[methods.synchronous-pg]
step = 0.1
"""
FATES = ("used", "recalled", "dropped", "lost", "unfinished")
TICKETS = [
    *("method", "seed", "worker", "version", "index", "start", "finish", "outcome"),
    *("used_in_step", "weight", "environment_steps"),
]


class Answer(NamedTuple):
    """What the command line said."""

    code: int
    out: str
    err: str


def straggle(*arguments):
    """The command line as a user meets it, in this process."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["straggle", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = run_command(sys.argv[1:])
    finally:
        sys.argv = before
    return Answer(code, out.getvalue(), err.getvalue())


@pytest.fixture
def tiny(tmp_path):
    return written(tmp_path / "tiny.toml", TINY)


@pytest.fixture
def undrawn(monkeypatch):
    """Figures take longer than everything else here; most tests look at none."""
    monkeypatch.setattr("simulator.cli.run.formats_of", lambda text: [])


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def contents(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


# A whole run


class Done(NamedTuple):
    directory: Path
    answer: Answer
    frames: results.Results


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One run with everything in it."""
    folder = tmp_path_factory.mktemp("done")
    directory = folder / "out"
    answer = straggle("run", written(folder / "tiny.toml", TINY), "--out", directory, "--tickets")
    return Done(directory, answer, results.load(directory))


def test_a_run_writes_the_documented_directory(done):
    assert done.answer.code == 0
    files = {path.relative_to(done.directory).as_posix() for path in contents(done.directory)}
    figures = {name for name in files if name.startswith("figures/")}
    runs = [f"{m}-{s}" for m in ("rennala-nigt", "synchronous-nigt") for s in (0, 1)]
    assert files - figures == {
        "manifest.json",
        "steps.parquet",
        "workers.parquet",
        *(f"tickets.parquet/{run}.parquet" for run in runs),
        *(f"parameters/{run}.npz" for run in runs),
    }
    stems = {Path(name).stem for name in figures}
    assert figures == {f"figures/{stem}.png" for stem in stems}
    assert {"gap-time", "steps-time", "timeline"} <= stems
    for path in (done.directory / "figures").glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_manifest_names_the_runs_and_their_ends(done):
    manifest = json.loads((done.directory / "manifest.json").read_text())
    assert set(manifest) >= {
        "format", "status", "command", "scenario", "scenario_hash", "versions", "python", "runs",
    }  # fmt: skip
    assert manifest["status"] == "complete"
    assert manifest["command"].startswith("straggle run ")
    assert manifest["scenario_hash"] == done.frames.scenario.fingerprint()
    assert manifest["vector"] == {"dimension": 4, "itemsize": 8}
    assert manifest["schedule_only"] is False
    assert {"straggle", "simpy", "jax", "numpy"} <= set(manifest["versions"])
    for run in manifest["runs"]:
        assert set(run) >= {
            "method", "seed", "end", "simulated_seconds", "real_seconds", "steps", "started",
            "used", "recalled", "dropped", "lost", "unfinished", "evaluated", "busy_share",
            "communicating_share", "down_share", "idle_share", "wasted_share",
        }  # fmt: skip
        fates = sum(run[name] for name in FATES)
        assert (fates, run["evaluated"], run["end"]) == (run["started"], run["used"], "stop")


def test_steps_have_a_row_per_server_step_and_one_for_the_initial_point(done):
    steps = done.frames.steps
    assert {"mean_delay", "environment_steps", "gap", "gradient_norm"} <= {*steps.columns}
    order = [(m, s) for s in (0, 1) for m in ("rennala-nigt", "synchronous-nigt")]
    assert [run for run, _ in steps.groupby(["method", "seed"], sort=False)] == order
    for _, run in steps.groupby(["method", "seed"]):
        assert run["step"].tolist() == list(range(13))
        assert run["time"].iloc[0] == 0
        assert run["time"].is_monotonic_increasing
        assert (run["tickets"].cumsum() == run["gradients"]).all()
        looked = run.loc[run["gap"].notna(), "step"].tolist()
        assert looked == [0, 5, 10, 12]
    # Workers of 1, 2 and 4 seconds: a synchronous round takes 4, two Rennala gradients take 2.
    last = steps[steps["step"] == 12].set_index("method")["time"]
    assert set(last["synchronous-nigt"]) == {48.0}
    assert set(last["rennala-nigt"]) == {24.0}


def test_workers_have_a_row_each_and_their_seconds_add_up(done):
    workers = done.frames.workers
    assert len(workers) == 3 * 4
    doings = workers[["busy", "communicating", "down", "idle"]]
    assert doings.sum(axis=1).tolist() == pytest.approx(workers["seconds"].tolist())
    assert (workers["wasted"] <= workers["busy"]).all()
    assert workers["wasted"].sum() > 0


def test_the_table_names_methods_files_and_figures(done):
    for words in ("rennala-nigt", "synchronous-nigt", "server steps", "work wasted", "idle"):
        assert words in done.answer.out
    assert f"results: {done.directory}\n" in done.answer.out
    assert f"figure:  {done.directory / 'figures' / 'timeline.png'}\n" in done.answer.out


def test_progress_off_a_terminal_is_lines_with_method_seed_and_simulated_time(done):
    lines = done.answer.err.splitlines()
    ended = [line for line in lines if line.startswith("[")]
    assert ended[0].startswith("[1/4] rennala-nigt, seed 0: 24 s simulated, gap ")
    assert ended[3].startswith("[4/4] synchronous-nigt, seed 1: 48 s simulated, gap ")
    assert len(ended) == 4
    assert "\x1b" not in done.answer.err


@pytest.mark.parametrize("in_flight", ["recall", "finish"])
def test_tickets_agree_with_steps_and_workers(in_flight, tmp_path, tiny, undrawn):
    extra = "methods.afedpg={step=0.1, momentum=0.5}"
    malenia = "methods.malenia-nigt={batch=4, step=0.1, momentum=0.5}"
    settings = ["--set", f"cluster.in_flight={in_flight}", "--set", extra, "--set", malenia]
    slow = ["--set", "network.upload=0.3", "--set", "stop.seconds=17.5"]
    answer = straggle(
        "run", tiny, "--tickets", "--quiet", "--out", tmp_path / "o", *settings, *slow
    )
    assert answer == (0, "", "")
    found = results.load(tmp_path / "o")
    tickets = found.tickets
    assert list(tickets.columns) == TICKETS
    assert not tickets.duplicated(["method", "seed", "worker", "version", "index"]).any()
    assert (tickets["start"] <= tickets["finish"]).all()
    used = tickets[tickets["used_in_step"].notna()]
    assert tickets["weight"].notna().equals(tickets["used_in_step"].notna())
    agree_with_steps(used, found.steps)
    agree_with_workers(tickets, found.workers)
    lost = "recalled" if in_flight == "recall" else "dropped"
    assert found.workers[lost].sum() > 0


def agree_with_steps(used, steps):
    """Every step's tickets are there, finished before it, with weights that sum to one."""
    closed = steps[steps["step"] > 0].set_index(["method", "seed", "step"])
    by_step = used.groupby(["method", "seed", "used_in_step"])
    assert by_step.size().to_dict() == closed["tickets"].to_dict()
    for key, weight in by_step["weight"].sum().items():
        assert weight == pytest.approx(1)
        assert by_step["finish"].max()[key] <= closed["time"][key]


def agree_with_workers(tickets, workers):
    """What became of a gradient, counted here, is what the accounts of the run say."""
    # Done, but in a batch that did not close before the end.
    became = tickets["outcome"].replace("waiting", "unfinished")
    assert (became == "used").equals(tickets["used_in_step"].notna())
    counted = pd.crosstab([tickets["method"], tickets["seed"], tickets["worker"]], became)
    wanted = workers.set_index(["method", "seed", "worker"]).sort_index()
    counted = counted.reindex(wanted.index, fill_value=0)
    assert set(counted.columns) <= set(FATES)
    for name in FATES:
        mine = counted[name] if name in counted else 0 * wanted[name]
        assert mine.tolist() == wanted[name].tolist(), name
    assert (counted.sum(axis=1)).tolist() == wanted["started"].tolist()


# What is printed, and where results go


def test_json_is_one_document_and_nothing_else(tmp_path, tiny):
    words = ("--seeds", "0", "--schedule-only")
    answer = straggle("run", tiny, "--json", "--out", tmp_path / "o", *words)
    said = json.loads(answer.out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert (answer.code, answer.err) == (0, "")
    assert (said["directory"], said["status"]) == (str(tmp_path / "o"), "complete")
    assert [row["method"] for row in said["methods"]] == ["rennala-nigt", "synchronous-nigt"]
    assert said["methods"][0]["seconds_to_target"] is None
    assert said["figures"]
    assert all(Path(figure).is_file() for figure in said["figures"])
    assert said["report"] is None


def test_json_has_no_numbers_that_json_does_not_know(tmp_path, tiny, undrawn):
    never = ["--set", "cluster.compute=[inf, inf, inf]", "--set", "stop.target=1e-9"]
    wild = ["--set", "methods={rennala-pg={batch=2, step=1e300}}"]
    for name, settings in (("never", never), ("wild", wild)):
        answer = straggle("run", tiny, "--json", "--out", tmp_path / name, *settings)
        again = straggle("evaluate", tmp_path / name, "--json")
        for said in (answer, again):
            json.loads(said.out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_a_quiet_run_writes_the_chosen_runs_into_an_empty_directory(tmp_path, tiny, undrawn):
    out = tmp_path / "o"
    out.mkdir()
    choice = ["--methods", "synchronous-nigt", "--seeds", "5, 3,5"]
    title = ["--set", 'title="red: \\u001b[31m"']
    assert straggle("run", tiny, "--quiet", "--out", out, *choice, *title) == (0, "", "")
    found = results.load(out)
    assert found.manifest["status"] == "complete"
    assert found.scenario.title == "red: \\x1b[31m"  # what steers a terminal is written out
    runs = found.runs[["method", "seed"]].to_numpy().tolist()
    assert runs == [["synchronous-nigt", 5], ["synchronous-nigt", 3]]
    assert sorted(set(found.tickets["seed"])) == [3, 5]


def test_results_never_go_over_something_that_is_there(tmp_path, tiny, undrawn):
    out = tmp_path / "precious"
    out.mkdir()
    written(out / "thesis.txt", "years of work")
    before = contents(out)
    answer = straggle("run", tiny, "--out", out)
    wanted = f"straggle: --out {out}: is not empty; name another directory or remove it\n"
    assert answer == (2, "", wanted)
    assert contents(out) == before


def test_without_out_every_run_gets_a_directory_of_its_own(tmp_path, tiny, undrawn, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = {}
    for name in ("tiny", "tiny-2", "tiny-3"):
        assert straggle("run", tiny, "--quiet", "--seeds", "0").code == 0
        assert kept == {
            path: data for path, data in contents(Path("results")).items() if path in kept
        }
        kept = contents(Path("results"))
        assert Path("results", name, "manifest.json") in kept


# Mistakes: exit code 2, one line, before any work


def one_line(answer, code=2):
    """The line on standard error, which is all there is."""
    assert answer.code == code
    assert answer.out == ""
    assert "Traceback" not in answer.err
    (line,) = answer.err.splitlines()
    assert line.startswith("straggle: ")
    return line.removeprefix("straggle: ")


def test_a_missing_scenario(tmp_path):
    missing = tmp_path / "stragler.toml"
    assert one_line(straggle("run", missing)).startswith(f"{missing}: no such file")
    printed = "stragler: no such file or shipped scenario; did you mean 'straggler'?"
    assert one_line(straggle("validate", "stragler")) == printed


def test_an_invalid_scenario(tmp_path):
    printed = one_line(straggle("run", tmp_path))
    assert printed == f"{tmp_path}: is a directory, not a scenario file"
    prose = written(tmp_path / "prose.toml", "Dear reader,\nthis is a letter.\n")
    assert one_line(straggle("run", prose)).startswith(f"{prose}: not valid TOML: ")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(bytes(range(255, 0, -1)))
    assert one_line(straggle("run", binary)) == f"{binary}: cannot be read: not a text file"
    empty = straggle("run", written(tmp_path / "empty.toml", ""))
    printed = [f"straggle: {table}: is missing" for table in ("cluster", "objective", "stop")]
    assert (empty.code, empty.err.splitlines()) == (2, [*printed, "straggle: methods: is missing"])


@pytest.mark.parametrize(
    "value", ["[" * 3000 + "]" * 3000, "9" * 5000], ids=["deeper than Python", "longer than Python"]
)
def test_a_value_that_breaks_the_parser_is_still_a_mistake(value, tiny, tmp_path):
    assert len(one_line(straggle("validate", tiny, "--set", f"cluster.workers={value}"))) < 300
    file = written(tmp_path / "monster.toml", f"a = {value}\n")
    assert one_line(straggle("validate", file)).startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["--nope"], "No such option: --nope"),
        (["nope"], "No such command 'nope'"),
        (["run"], "no scenario: name a file"),
        (["run", "straggler", "--nope"], "No such option: --nope"),
        (["run", "straggler", "more"], "Got unexpected extra argument"),
        (["run", "straggler", "--seeds"], "requires an argument"),
        (["evaluate", "x", "--episodes", "0"], "--episodes"),
        (["evaluate", "x", "--episodes", "many"], "--episodes"),
    ],
)
def test_an_invalid_command_line(arguments, printed):
    line = one_line(straggle(*arguments))
    assert printed.casefold() in line.casefold()
    assert "internal error" not in line


@pytest.mark.parametrize("option", ["--seeds", "--methods"])
@pytest.mark.parametrize("words", ["", ",", " , "])
def test_an_empty_choice_does_not_silently_mean_everything(option, words, tiny, tmp_path, undrawn):
    answer = straggle("run", tiny, option, words, "--out", tmp_path / "o")
    assert one_line(answer).startswith(option)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["--seeds", "99999999999999999999"], "seed"),
        (["--methods", "synchronous"], "--methods synchronous: not in this scenario; "
         "did you mean 'synchronous-nigt'?"),
        (["--methods", "synchronous-nigt,,"],
         "--methods 'synchronous-nigt,,': has an empty entry; remove a comma"),
        (["--seeds", "0,,1"], "--seeds '0,,1': has an empty entry; remove a comma"),
        (["--set", "stop.steps"], "--set stop.steps: write it as path=value"),
        (["--set", "stop.steps=0"], "stop.steps = 0: must be greater than or equal to 1"),
        (["--set", "title.x=0"], "--set title.x=0: title is not a table"),
    ],
)  # fmt: skip
def test_a_mistake_leaves_no_directory(arguments, printed, tiny, tmp_path):
    answer = straggle("run", tiny, "--out", tmp_path / "o", *arguments)
    assert printed in one_line(answer)
    assert not (tmp_path / "o").exists()


def test_a_file_cannot_be_the_directory_of_results(tiny):
    for place in (tiny, tiny / "below"):
        line = one_line(straggle("run", tiny, "--out", place))
        assert line.startswith(f"--out {place}: cannot be written: ")


def test_debug_shows_the_traceback_of_a_mistake(tiny):
    command = [sys.executable, "-m", "simulator", "validate", str(tiny), "--debug"]
    ended = subprocess.run(
        [*command, "--set", "stop.steps=0"], capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "Traceback (most recent call last)" in ended.stderr
    assert "Mistake: stop.steps = 0: must be greater than or equal to 1" in ended.stderr


# Runs that fail, and runs that are interrupted


@pytest.mark.parametrize("wild", ["cluster.compute=[1, 2, inf]", "stop={steps=12, target=1e9}"])
def test_tickets_agree_with_the_accounts_of_runs_cut_short(wild, tmp_path, tiny, undrawn):
    """One method stalls at once and the other does not; or no run gets to start anything."""
    answer = straggle("run", tiny, "--out", tmp_path / "o", "--set", wild, "--tickets")
    assert answer.code == (3 if "inf" in wild else 0)
    found = results.load(tmp_path / "o")
    assert len(found.runs) == 4
    started = found.runs.set_index(["method", "seed"])["started"]
    recorded = found.tickets.groupby(["method", "seed"]).size()
    assert recorded.to_dict() == started[started > 0].to_dict()


def test_a_diverged_method_ends_clearly_while_the_others_complete(tmp_path, tiny, undrawn):
    wild = "methods.rennala-pg={batch=2, step=1e300}"
    answer = straggle("run", tiny, "--out", tmp_path / "o", "--set", wild, "--seeds", "0")
    assert answer.code == 3
    found = results.load(tmp_path / "o")
    runs, steps = found.runs.set_index("method"), found.steps.query("method == 'rennala-pg'")
    ends = {"rennala-nigt": "stop", "synchronous-nigt": "stop", "rennala-pg": "failed"}
    assert runs["end"].to_dict() == ends
    failed = runs.loc["rennala-pg"]
    assert failed["used"] == steps["gradients"].max()
    assert "not finite (server step " in failed["message"]
    assert failed["message"] in " ".join(answer.out.split())
    # The table must not offer the initial point's metric as the end of a run that diverged.
    (row,) = [line for line in answer.out.splitlines() if line.startswith("│ rennala-pg")]
    assert f"{steps['gap'].iloc[0]:.4g}" not in row.split()


def test_a_run_that_does_not_verify_says_so(tmp_path, tiny, undrawn, monkeypatch):
    """An engine that gives a gradient away one step too early is not believed."""
    honest = Run.close
    late = lambda run, step, *more: honest(  # noqa: E731
        run, step._replace(time=step.time + (step.number == 3)), *more
    )
    monkeypatch.setattr(Run, "close", late)
    out = tmp_path / "o"
    answer = straggle("run", tiny, "--quiet", "--out", out, "--seeds", "0")
    assert answer.code == 3
    assert any(
        line.startswith("straggle: not verified: rennala-nigt, seed 0, step 3: ")
        for line in answer.err.splitlines()
    )
    assert results.load(out).manifest["status"] == "complete"
    assert straggle("verify", out).code == 1


# The other commands


def test_validate_lists_the_runs_and_runs_none(tiny, tmp_path):
    answer = straggle("validate", tiny)
    printed = f"{tiny}: valid; 4 runs (rennala-nigt, synchronous-nigt), 3 workers\n"
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(printed)
    # What is known of the quadratic in 4 variables, (1 + cos(pi/5))/2 first.
    assert "\n  smoothness: 0.9045 (exact: the largest eigenvalue)\n" in answer.out
    assert list(tmp_path.iterdir()) == [tiny]


def test_validate_reports_refusals_of_a_run(tiny):
    endless = ["--set", "methods.rennala-nigt.batch=2000000000", "--set", "stop.steps=2000000000"]
    answer = straggle("validate", tiny, *endless)
    assert answer.code == 0
    assert answer.out.splitlines()[-1].startswith("straggle run refuses it: stop.steps")


def test_list_has_a_line_for_each_entry():
    answer = straggle("list")
    assert (answer.code, answer.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in answer.out.splitlines() if line[0] == " ")
    for name in [*METHODS, *LAWS, *OBJECTIVES, *shipped(), "CartPole-v1", "Pendulum-v1"]:
        assert len(lines[name]) > 5, name


def test_evaluate_plays_the_final_points_again(done):
    answer = straggle("evaluate", done.directory, "--json")
    assert (answer.code, answer.err) == (0, "")
    rows = {(row["method"], row["seed"]): row for row in json.loads(answer.out)}
    steps = done.frames.steps
    last = steps[steps["step"] == 12].set_index(["method", "seed"])
    assert rows.keys() == set(last.index)
    for key, row in rows.items():
        assert row["gap"] == pytest.approx(last["gap"][key], rel=1e-12)
    table = straggle("evaluate", done.directory, "--methods", "rennala-nigt", "--seeds", "1").out
    assert "gradient_norm" in table
    assert "synchronous-nigt" not in table


def test_evaluate_plays_a_policy_the_same_way_twice(tmp_path, undrawn):
    scenario = written(tmp_path / "cartpole.toml", CARTPOLE)
    assert straggle("run", scenario, "--quiet", "--out", tmp_path / "o").code == 0
    assert (results.load(tmp_path / "o").steps["environment_steps"].diff().dropna() > 0).all()
    words = ["evaluate", tmp_path / "o", "--json", "--episodes"]
    again = [straggle(*words, "3") for _ in "ab"]
    assert again[0] == again[1]
    (row,) = json.loads(again[0].out)
    assert (row["method"], row["seed"], row["episodes"]) == ("synchronous-pg", 0, 3)
    assert 1 <= row["worst"] <= row["return"] <= row["best"] <= 20
    (other,) = json.loads(straggle(*words, "3", "--evaluation-seed", "9").out)
    assert other["return"] != row["return"]
    (alone,) = json.loads(straggle(*words, "1").out)
    assert alone["standard error"] is None


def test_evaluate_shows_every_worker_if_environments_differ(tmp_path, undrawn):
    """What falls at once earns 1; 3 episodes of 2 workers are 4, and all count the same."""
    falls = "options = { theta_threshold_radians = 1e-9 }"
    tables = f"\n[[objective.workers]]\n\n[[objective.workers]]\n{falls}\n"
    scenario = written(tmp_path / "unequal.toml", CARTPOLE + tables)
    run = straggle(
        "run", scenario, "--quiet", "--out", tmp_path / "o", "--set", "cluster.workers=2"
    )
    assert run.code == 0, run.err
    rows = json.loads(straggle("evaluate", tmp_path / "o", "--json", "--episodes", "3").out)
    assert [(row["worker"], row["episodes"]) for row in rows] == [("all", 4), (0, 2), (1, 2)]
    mean, free, falling = (row["return"] for row in rows)
    assert free > falling == 1
    assert mean == (free + falling) / 2
    assert "worker" in straggle("evaluate", tmp_path / "o", "--episodes", "3").out


def test_evaluate_refuses_unknown_runs(done, tmp_path):
    printed = one_line(straggle("evaluate", done.directory, "--methods", "renala-nigt"))
    assert printed == "--methods renala-nigt: no such method here; did you mean 'rennala-nigt'?"
    printed = one_line(straggle("evaluate", done.directory, "--seeds", "7"))
    assert printed == "--seeds 7: no such seed here; known: 0, 1"
    printed = one_line(straggle("evaluate", tmp_path))
    assert printed == f"{tmp_path}: not a result directory, it has no manifest.json"


def test_evaluate_without_the_policies_is_a_mistake(done, tmp_path):
    copy = shutil.copytree(done.directory, tmp_path / "copy")
    (copy / "parameters" / "rennala-nigt-0.npz").unlink()
    assert "rennala-nigt-0.npz" in one_line(straggle("evaluate", copy))
    (copy / "parameters" / "rennala-nigt-0.npz").write_bytes(b"PK\x03\x04 no more")
    assert "rennala-nigt-0.npz" in one_line(straggle("evaluate", copy))


def test_help_names_every_command_and_option():
    answer = straggle("--help")
    assert answer.code == 0
    commands = ("run", "check", "validate", "list", "schema", "evaluate", "timeline", "--debug")
    assert all(word in answer.out for word in commands)
    printed = straggle("run", "--help").out
    options = ("--set", "--out", "--seeds", "--methods", "--tickets", "--schedule-only", "--quiet")
    assert all(word in printed for word in (*options, "--json"))


def test_no_arguments_show_the_help_without_an_internal_error():
    answer = straggle()
    assert "internal error" not in answer.err
    assert answer.code in (0, 2)
    assert "evaluate" in answer.out + answer.err
