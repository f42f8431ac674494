"""Do trackers receive the metrics of runs, and can they harm none?"""

import json
import shutil
import struct
import sys
import tomllib
from pathlib import Path
from unittest.mock import MagicMock

import pandas as pd
import pytest
from plugged import plugins_as_before
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData
from test_cli import one_line, straggle, written
from test_packaging import ROOT
from tracked import noting, points_of

import simulator
from simulator.campaign import perform
from simulator.mistakes import Mistake
from simulator.scenario.loading import load
from simulator.tracking import SINKS, Point, Tracking, catalogue
from simulator.tracking.sink import SinkTable

SCENARIO = """
seeds = [0, 1]
cluster = { workers = 3, compute = [1, 2, 4] }
objective = { kind = "quadratic", dimension = 4 }
evaluation = { every_steps = 4 }
stop = { steps = 12 }
methods.rennala-nigt = { batch = 2, step = 0.1, momentum = 0.5 }
"""
FIGURE = ROOT / "docs" / "images" / "race.png"


@pytest.fixture
def scenario(tmp_path):
    return written(tmp_path / "s.toml", SCENARIO)


def events(folder):
    """The events in the files of a folder: records of a length, a checksum, a text, a checksum."""
    for file in sorted(folder.glob("events*")):
        data, at = file.read_bytes(), 0
        while at < len(data):
            (size,) = struct.unpack("<Q", data[at : at + 8])
            yield Event.FromString(data[at + 12 : at + 12 + size])
            at += size + 16


def scalars(folder, tag):
    """Step, time and value of every scalar with this tag."""
    values = ((event, value) for event in events(folder) for value in event.summary.value)
    return [(e.step, e.wall_time, v.simple_value) for e, v in values if v.tag == tag]


def texts(folder):
    values = [value for event in events(folder) for value in event.summary.value]
    return {v.tag: v.tensor.string_val[0].decode() for v in values if v.tensor.string_val}


def hparams(folder):
    """The settings in the tab *HParams*."""
    values = [value for event in events(folder) for value in event.summary.value]
    (start,) = (value for value in values if value.tag == "_hparams_/session_start_info")
    return HParamsPluginData.FromString(
        start.metadata.plugin_data.content
    ).session_start_info.hparams


def assert_equal_curves(results, folder):
    steps = results.steps.dropna(subset="gap")
    for (method, seed), own in steps.groupby(["method", "seed"]):
        for column in ("gap", "gradients"):
            rows = scalars(folder / f"{method}-{seed}", column)
            assert [row[:2] for row in rows] == list(zip(own["step"], own["time"], strict=True))
            assert [row[2] for row in rows] == pytest.approx(own[column].tolist(), rel=1e-6)


def test_tensorboard_has_the_curves_and_settings_of_every_run(scenario, tmp_path):
    out = tmp_path / "out"
    results = simulator.run(scenario, out=out, track="tensorboard", quiet=True)
    assert_equal_curves(results, out / "tensorboard")
    found = texts(out / "tensorboard" / "rennala-nigt-1")
    assert "| methods.rennala-nigt.batch | 2 |" in found["settings/text_summary"]
    columns = hparams(out / "tensorboard" / "rennala-nigt-1")
    assert columns["methods.rennala-nigt.batch"].number_value == 2
    assert columns["seeds"].string_value == "[1]"
    assert "| end | stop |" in found["outcome/text_summary"]
    assert simulator.verify(out).clean


@pytest.mark.nightly
def test_runs_in_other_processes_are_tracked(scenario, tmp_path):
    out = tmp_path / "out"
    words = ["--out", out, "--track", "tensorboard", "--jobs", 2]
    assert straggle("run", scenario, *words).code == 0
    assert_equal_curves(simulator.load_results(out), out / "tensorboard")
    images = [v for e in events(out / "tensorboard" / "results") for v in e.summary.value]
    assert {image.tag for image in images} >= {"figures/gap-time", "figures/timeline"}


def test_tracking_changes_neither_results_nor_identity(scenario, tmp_path):
    tracked = SCENARIO.replace("seeds", f"tracking = [{SINK}]\nseeds", 1)
    with_sink = written(tmp_path / "tracked.toml", tracked)
    one = simulator.run(scenario, out=tmp_path / "a", quiet=True)
    other = simulator.run(with_sink, out=tmp_path / "b", quiet=True)
    assert one.manifest["files"] == other.manifest["files"]
    assert one.manifest["scenario_hash"] == other.manifest["scenario_hash"]
    assert load(with_sink).tracking[0].kind == "tensorboard"
    assert [*(tmp_path / "board" / "b").iterdir()]
    more = simulator.run(scenario, out=tmp_path / "c", track="tensorboard", quiet=True, seeds=0)
    assert more.manifest["runs"][0]["steps"] == one.manifest["runs"][0]["steps"]


SINK = '{ kind = "tensorboard", directory = "board" }'


@pytest.fixture(autouse=True)
def in_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


BROKEN = """
from typing import Literal

from simulator.tracking import SinkTable


class BrokenTable(SinkTable):
    kind: Literal["broken"]

    def open(self, group):
        return self

    def begin(self, run, settings):
        pass

    def log(self, run, step, seconds, metrics):
        raise ConnectionError("the server is gone")


SINKS = {"broken": BrokenTable}
"""


def test_a_sink_that_fails_costs_one_warning_and_no_run(scenario, tmp_path):
    plugin = written(tmp_path / "my_sink.py", BROKEN)
    words = ["--plugin", plugin, "--track", "broken", "--quiet", "--figures", "none"]
    with plugins_as_before():
        answer = straggle("run", scenario, "--out", tmp_path / "out", *words)
    assert answer.code == 0
    assert answer.err == (
        "straggle: tracking by broken failed: ConnectionError: the server is gone; "
        "the runs go on without it\n"
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["status"], manifest["plugins"]) == ("complete", {})


def test_what_cannot_be_tracked_is_refused_before_any_work(scenario, tmp_path, monkeypatch):
    words = ["run", scenario, "--out", tmp_path / "out", "--track"]
    assert "did you mean 'tensorboard'?" in one_line(straggle(*words, "tensorbord"))
    assert one_line(straggle(*words, "")).startswith("--track '': no such sink; known: ")
    monkeypatch.setattr(catalogue, "find_spec", lambda package: None)
    refusal = one_line(straggle(*words, "wandb"))
    assert "tracking by wandb: wandb is not installed; " in refusal
    assert catalogue.install_command("wandb") in refusal
    assert not (tmp_path / "out").exists()
    with pytest.raises(Mistake, match=r"^tracking\[0\].projekt: unknown key; did you"):
        load(scenario, ['tracking=[{kind="wandb", projekt="a"}]'])


@pytest.fixture
def noted():
    """What the sink ``noted`` gets; it works beside a sink that fails."""
    with noting() as notes:
        yield notes


BOTH = ["noted", "broken"]
TABLES = tomllib.loads(SCENARIO)


def assert_one_warning(log):
    assert log.messages == [
        "tracking by broken failed: ConnectionError: the server is gone; the runs go on without it"
    ]


def test_a_sweep_names_its_runs_by_what_it_varies(noted, tmp_path, caplog):
    tables = {"scenario": TABLES, "grid": {"methods.*.step": [0.1, 0.2]}}
    halving = {"rounds": 2, "keep": 0.5, "first": 0.5}
    out, options = tmp_path / "out", {"track": BOTH, "quiet": True, "jobs": 1}
    swept = simulator.sweep(tables | {"halving": halving}, out=out, **options)
    assert_one_warning(caplog)
    best = swept.best()[0].methods["rennala-nigt"].step
    briefly = {f"step={step},round 1/rennala-nigt-0" for step in (0.1, 0.2)}
    whole = {f"step={best}/rennala-nigt-{seed}" for seed in (0, 1)}
    assert noted.keys() == briefly | whole | {"results"}
    assert noted["results"]["files"] == ["best.toml"]
    curves = pd.read_parquet(out / "curves.parquet").query("round == 2")
    run = noted[f"step={best}/rennala-nigt-1"]
    assert run["points"] == points_of(curves, "rennala-nigt", 1, step="server_step")
    assert run["settings"][0]["methods.rennala-nigt.step"] == best
    assert run["ends"] == ["stop"]
    noted.clear()
    simulator.sweep(tables | {"halving": halving}, out=out, **options)
    assert noted.keys() == {"results"}  # all runs are done


@pytest.mark.parametrize("steps", [0, 9])
def test_a_resumed_run_goes_on_under_its_name(steps, noted, tmp_path, monkeypatch):
    tables = {"scenario": TABLES | {"seeds": [0]}, "grid": {"methods.*.step": [0.1]}}
    options = {"out": tmp_path / "out", "track": "noted", "quiet": True, "jobs": 1}

    def interrupt(run):
        if run.steps == steps:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(perform, "_watching", lambda scenario, tell: interrupt)
        with pytest.raises(KeyboardInterrupt):
            simulator.sweep(tables, **options)
    assert not list((tmp_path / "out" / "runs").iterdir())
    simulator.sweep(tables, **options)
    run = noted["step=0.1/rennala-nigt-0"]
    assert [point[0] for point in run["points"]] == [0, 4, 8, 12]
    assert run["ends"] == (["interrupted", "stop"] if steps else ["stop"])


def test_a_study_names_its_runs_by_the_value(noted, tmp_path, caplog):
    short = "cluster.compute=1", "seeds=[0]", "stop.target=9", "evaluation={}"
    options = {"out": tmp_path / "out", "track": BOTH, "quiet": True, "jobs": 1}
    found = simulator.complexity(TABLES, "cluster.workers=2,3", *short, **options)
    assert_one_warning(caplog)
    runs = {f"cluster.workers={value}/rennala-nigt-0": value for value in (2, 3)}
    assert noted.keys() == runs.keys()
    for name, value in runs.items():
        own = found.frame[found.frame["value"] == value].iloc[0]
        assert (noted[name]["points"][-1][:2], noted[name]["ends"]) == (
            (own["steps"], own["seconds"]),
            [own["end"]],
        )


def test_a_comparison_has_its_tuning_and_its_race(noted, tmp_path, caplog):
    tables = TABLES | {"seeds": [0], "tracking": BOTH}
    own = TABLES["methods"]["rennala-nigt"]
    tables["methods"] = {"two": own, "three": own | {"batch": 3}}
    for table in tables["methods"].values():
        table["method"] = "rennala-nigt"
    tune = {"methods.*.step": [0.1, 0.2]}
    options = {"out": tmp_path / "out", "track": (), "quiet": True, "jobs": 1}
    compared = simulator.compare(tables, tune=tune, seeds=[5], **options)
    assert_one_warning(caplog)
    tuned = {f"tuning/step={s}/{m}-0" for s in (0.1, 0.2) for m in tables["methods"]}
    raced = {f"race/{method}-5" for method in tables["methods"]}
    assert noted.keys() == tuned | raced | {"tuning/results"}
    assert noted["race/two-5"]["points"] == points_of(compared.race.steps, "two", 5)
    kept = [file for kind in ("toml", "json") for file in (tmp_path / "out").rglob(f"*.{kind}")]
    assert kept
    assert not any("noted" in file.read_text() for file in kept)


def test_commands_attach_figures_and_the_report(noted, scenario, tmp_path):
    sweep = written(tmp_path / "steps.toml", 'scenario = "s.toml"\ngrid."methods.*.step" = [0.1]\n')
    words = ["--out", tmp_path / "out", "--track", "noted", "--report", "--quiet", "--seeds", "0"]
    assert straggle("sweep", sweep, *words).code == 0
    figures = [path.name for path in (tmp_path / "out" / "figures").iterdir()]
    assert figures
    assert {*noted["results"]["files"]} == {*figures, "best.toml", "report.html"}


def test_tensorboard_hides_points_of_a_run_that_begins_anew(tmp_path):
    for first in (0, 0, 2):
        with Tracking("tensorboard") as tracking:
            tracking.choose([])
            tracking.open(tmp_path)
            run = tracking.run("afedpg-0", dict)
            run.log([Point(first + more, 1.0, {"gap": 0.5}) for more in (0, 1)])
            run.end({"end": "stop"})
    shown = []
    for event in events(tmp_path / "tensorboard" / "afedpg-0"):
        if event.session_log.status == SessionLog.START:
            shown = [step for step in shown if step < event.step]
        shown += [event.step for value in event.summary.value if value.tag == "gap"]
    assert shown == [0, 1, 2, 3]


def play(kind, folder):
    """One short run for a sink, and one that is interrupted."""
    (folder / "figures").mkdir(exist_ok=True)
    shutil.copy(FIGURE, folder / "figures")
    tracking = Tracking(kind)
    tracking.choose([])
    tracking.open(folder)
    first, second = (tracking.run(f"afedpg-{seed}", lambda: {"stop.steps": 2}) for seed in (0, 1))
    first.log([Point(0, 0.0, {"gap": 1.0})])
    first.log([Point(2, 3.5, {"gap": 0.5})])
    second.log([Point(0, 0.0, {"gap": 1.0})])
    first.end({"end": "stop", "steps": 2, "failed_ticket": None})
    tracking.finish()


@pytest.fixture
def module(request, monkeypatch):
    """A module that notes all calls, in place of the real one."""
    fake = MagicMock()
    for name in (request.param, f"{request.param}.entities"):
        monkeypatch.setitem(sys.modules, name, fake)
    monkeypatch.setattr(catalogue, "find_spec", lambda package: package)
    return fake


@pytest.mark.parametrize("module", ["wandb"], indirect=True)
def test_weights_and_biases_get_a_run_for_each_of_ours(module, tmp_path):
    run = module.init.return_value
    play("wandb", tmp_path)
    names = [call.kwargs["name"] for call in module.init.call_args_list]
    assert names == [f"{tmp_path.name}/{run}" for run in ("afedpg-0", "afedpg-1", "results")]
    run.config.update.assert_called_with({"stop.steps": 2})
    run.log.assert_any_call({"server_step": 2, "simulated_seconds": 3.5, "gap": 0.5})
    run.summary.update.assert_called_once_with({"end": "stop", "steps": 2})
    figure = str(tmp_path / "figures" / "race.png")
    module.Artifact.return_value.add_file.assert_called_once_with(figure)
    assert run.finish.call_count == 3


@pytest.mark.parametrize("module", ["wandb"], indirect=True)
def test_weights_and_biases_know_a_directory_again(module, tmp_path):
    for _ in "ab":
        play("wandb", tmp_path)
    calls = [call.kwargs for call in module.init.call_args_list]
    assert [call["id"] for call in calls[:3]] == [call["id"] for call in calls[3:]]
    assert [call["resume"] for call in calls] == 3 * [None] + 3 * ["allow"]
    assert len({call["id"] for call in calls}) == 3


@pytest.mark.parametrize("module", ["mlflow"], indirect=True)
def test_mlflow_gets_simulated_time_as_its_timestamp(module, tmp_path):
    play("mlflow", tmp_path)
    client = module.MlflowClient.return_value
    module.Metric.assert_any_call("gap", 0.5, 3500, 2)
    assert client.create_run.call_count == 3
    assert client.set_terminated.call_count == 3
    assert client.log_artifact.call_args.args[1] == str(tmp_path / "figures" / "race.png")


@pytest.mark.parametrize("module", ["trackio"], indirect=True)
def test_trackio_gets_its_steps(module, tmp_path):
    play("trackio", tmp_path)
    run = module.init.return_value
    run.log.assert_any_call({"simulated_seconds": 3.5, "gap": 0.5}, step=2)
    assert module.init.call_args_list[0].kwargs["config"] == {"stop.steps": 2}
    assert run.finish.call_count == 3


@pytest.mark.nightly
def test_mlflow_keeps_the_numbers_in_a_folder(tmp_path, monkeypatch):
    from mlflow import MlflowClient

    for _ in "ab":  # resumed, a run is the same
        play("mlflow", tmp_path)
    client = MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("straggle").experiment_id
    found = client.search_runs([experiment])
    runs = {run.info.run_name: run for run in found}
    assert len(found) == len(runs) == 3
    run = runs[f"{tmp_path.name}/afedpg-0"]
    history = client.get_metric_history(run.info.run_id, "gap")
    assert {(m.step, m.timestamp, m.value) for m in history} == {(0, 0, 1.0), (2, 3500, 0.5)}
    assert run.data.params == {"stop.steps": "2"}
    whole = runs[f"{tmp_path.name}/results"].info.run_id
    assert [file.path for file in client.list_artifacts(whole)] == ["race.png"]


@pytest.mark.nightly
def test_weights_and_biases_write_offline_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    play("wandb", tmp_path)
    files = [*(tmp_path / "wandb").glob("offline-run-*/*.wandb")]
    assert len(files) == 3
    assert any(b"simulated_seconds" in file.read_bytes() for file in files)


@pytest.mark.nightly
def test_trackio_writes_a_database(tmp_path, capfd, monkeypatch):
    import sqlite3

    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    play("trackio", tmp_path)
    assert capfd.readouterr().out == ""
    with sqlite3.connect(tmp_path / "trackio" / "straggle.db") as connection:
        rows = connection.execute("select run_name, step, metrics from metrics").fetchall()
    own = [(step, json.loads(m)) for name, step, m in rows if name.endswith("afedpg-0")]
    assert (2, {"simulated_seconds": 3.5, "gap": 0.5}) in own


def test_every_sink_has_an_extra():
    text = (ROOT / "pyproject.toml").read_text()
    for name, table in SINKS.items():
        assert issubclass(table, SinkTable)
        assert f"\n{table.extra} = [" in text, name
    assert Path(FIGURE).is_file()
